//! The corpus by sqlx for MySQL and MariaDB: values as the bytes that the driver got with the types that it takes them for,
//! then what apps do with it, by a pool of two connections.

use crate::{Driver, Failure, Told, env, one, shown};
use futures_util::{StreamExt, TryStreamExt};
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlPool, MySqlPoolOptions, MySqlRow, MySqlSslMode};
use sqlx::{AssertSqlSafe, Column, Connection, Error, Executor, Row, Statement, TypeInfo, ValueRef};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

pub(crate) struct Mysql {
    pool: MySqlPool,
    mode: String,
    known: HashMap<String, Vec<String>>,
}

fn told(row: &MySqlRow) -> Told {
    let each = row.columns().iter().map(|column| {
        let (raw, kind) = (row.try_get_raw(column.ordinal())?, column.type_info().name().to_owned());
        let value = if raw.is_null() { "null".to_owned() } else { shown(&row.try_get_unchecked::<Vec<u8>, _>(column.ordinal())?) };
        Ok(format!("{} {kind} {value}", column.name()))
    });
    Ok(each.collect::<Result<Vec<_>, Failure>>()?.join("\n"))
}

fn all(rows: &[MySqlRow]) -> Told {
    Ok(rows.iter().map(told).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

fn refused(error: &Error) -> String {
    let Some(error) = error.as_database_error() else { return format!("no answer: {error}") };
    let error = error.downcast_ref::<MySqlDatabaseError>();
    format!("{} {:?} {}", error.number(), error.code(), error.message())
}

fn outcome(result: Result<Vec<MySqlRow>, Error>) -> Told {
    result.map_or_else(|error| Ok(refused(&error)), |rows| all(&rows))
}

impl Mysql {
    pub(crate) async fn connect(mode: &str, known: HashMap<String, Vec<String>>) -> Result<Self, Failure> {
        let options = MySqlConnectOptions::new().host(&env("DB_HOST")?).port(env("DB_PORT")?.parse()?).username(&env("DB_USER")?);
        let options = options.password(&env("DB_PASSWORD")?).database(&env("DB_NAME")?).ssl_mode(MySqlSslMode::Disabled);
        let size = env("POOL").ok().and_then(|size| size.parse().ok()).unwrap_or(2);
        Ok(Self { pool: MySqlPoolOptions::new().max_connections(size).connect_with(options).await?, mode: mode.to_owned(), known })
    }

    async fn values(&self, path: &str) -> Told {
        let sql = one(&self.known, path)?.to_owned();
        if self.mode == "raw" {
            return all(&sqlx::raw_sql(AssertSqlSafe(sql.replace('?', "0"))).fetch_all(&self.pool).await?);
        }
        all(&sqlx::query(AssertSqlSafe(sql)).bind(0i32).fetch_all(&self.pool).await?)
    }

    async fn params(&self) -> Told {
        let sql = "SELECT ? + 1, ? + 0, ? + 0, ? + 0e0, CONCAT(?, '!'), HEX(?), ? IS NULL, NOT ?, ? + 0e0, LENGTH(?)";
        let query = sqlx::query(sql).bind(-41i8).bind(u64::MAX / 2).bind(-9_000_000_000i64).bind(0.1f64).bind("ü'x\\ \"");
        let query = query.bind(&b"\x00\xff'"[..]).bind(None::<String>).bind(true).bind(1.5f32).bind("x".repeat(70_000));
        told(&query.fetch_one(&self.pool).await?)
    }

    /// Statements that are kept, used again, described, or not kept at all.
    async fn prepared(&self) -> Told {
        let mut db = self.pool.acquire().await?;
        db.clear_cached_statements().await?; // What this connection of the pool has been used for is chance.
        let sql = "SELECT item, amount FROM orders WHERE id = ?";
        let statement = (&mut *db).prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await?;
        let columns = statement.columns().iter().map(|column| format!("{} {}", column.name(), column.type_info()));
        let mut lines = vec![format!("{:?} {:?}", columns.collect::<Vec<_>>(), statement.parameters().is_some())];
        for id in [1i32, 2, 99, 1] {
            lines.push(all(&statement.query().bind(id).fetch_all(&mut *db).await?)?);
        }
        let found = sqlx::query(sql).persistent(false).bind(1i32).fetch_optional(&mut *db).await?;
        lines.push(format!("{} {}", found.is_some(), db.cached_statements_size()));
        db.clear_cached_statements().await?;
        lines.push(sqlx::query(sql).bind(2i32).execute(&mut *db).await?.rows_affected().to_string());
        db.ping().await?;
        Ok(lines.join("\n"))
    }

    async fn errors(&self) -> Told {
        let mut lines = Vec::new();
        for sql in [
            "SELECT nothing FROM orders", "SELEC 1", "INSERT INTO orders (item, amount, due) VALUES ('pen', 1, now())", "SELECT * FROM nowhere",
            "INSERT INTO orders (item, amount) VALUES (NULL, 1)", "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no more', MYSQL_ERRNO = 31000",
        ] {
            lines.push(outcome(sqlx::query(sql).fetch_all(&self.pool).await)?);
            lines.push(outcome(sqlx::raw_sql(sql).fetch_all(&self.pool).await)?);
        }
        let unique = sqlx::query("UPDATE orders SET item = 'pen' WHERE id = 2").execute(&self.pool).await;
        lines.push(format!("{:?}", unique.err().and_then(|error| error.as_database_error().map(|error| error.is_unique_violation()))));
        Ok(lines.join("\n"))
    }

    /// Both connections in transactions at once, with savepoints.
    async fn transaction(&self) -> Told {
        let count = "SELECT COUNT(*) FROM ledger";
        let (mut first, mut second) = (self.pool.begin().await?, self.pool.begin().await?);
        let insert = "INSERT INTO ledger (order_id, amount) VALUES (?, 1)";
        sqlx::query(insert).bind(1i32).execute(&mut *first).await?;
        let mut inner = first.begin().await?;
        sqlx::query(insert).bind(2i32).execute(&mut *inner).await?;
        let mut lines = vec![all(&sqlx::query(count).fetch_all(&mut *inner).await?)?, all(&sqlx::query(count).fetch_all(&mut *second).await?)?];
        inner.rollback().await?;
        lines.push(all(&sqlx::query(count).fetch_all(&mut *first).await?)?);
        first.commit().await?;
        drop(second); // That rolls back, when the connection is used again.
        let done = sqlx::query("INSERT INTO orders (item, amount, due) VALUES (?, 1, '2024-01-01')").bind("cup").execute(&self.pool).await?;
        lines.push(format!("{} {}", done.last_insert_id(), done.rows_affected()));
        lines.push(sqlx::query("DELETE FROM ledger").execute(&self.pool).await?.rows_affected().to_string());
        Ok(lines.join("\n"))
    }

    async fn batch(&self) -> Told {
        let results = sqlx::raw_sql("SELECT id, item FROM orders WHERE id < 3 ORDER BY id; UPDATE stock SET quantity = 2; SELECT NULL; CALL totals(1)");
        let mut lines = Vec::new();
        let mut results = results.fetch_many(&self.pool);
        while let Some(result) = results.try_next().await? {
            lines.push(match result {
                sqlx::Either::Left(done) => format!("{} rows", done.rows_affected()),
                sqlx::Either::Right(row) => told(&row)?,
            });
        }
        drop(results);
        lines.push(all(&sqlx::query("CALL totals(?)").bind(1i32).fetch_all(&self.pool).await?)?);
        Ok(lines.join("\n"))
    }

    /// Rows one by one, the last ones never asked for.
    async fn cursor(&self) -> Told {
        let rows = sqlx::query("SELECT seq, CONCAT('n', seq) FROM seq_1_to_500").fetch(&self.pool);
        let some: Vec<_> = rows.take(3).collect::<Vec<_>>().await;
        let some = some.into_iter().collect::<Result<Vec<_>, _>>()?;
        let one = sqlx::query("SELECT item FROM orders ORDER BY id").fetch_one(&self.pool).await?;
        Ok(format!("{}\n{}", all(&some)?, told(&one)?))
    }
}

impl Driver for Mysql {
    fn answer<'a>(&'a mut self, path: &'a str) -> Pin<Box<dyn Future<Output = Told> + 'a>> {
        Box::pin(async move {
            match path {
                "/api/params" => self.params().await,
                "/api/prepared" => self.prepared().await,
                "/api/errors" => self.errors().await,
                "/api/transaction" => self.transaction().await,
                "/api/batch" => self.batch().await,
                "/api/cursor" => self.cursor().await,
                _ => self.values(path).await,
            }
        })
    }
}
