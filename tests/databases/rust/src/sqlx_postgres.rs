//! The corpus by sqlx for PostgreSQL: values as the bytes that the driver got with the types that it takes them for, then what
//! apps do with it, by a pool of two connections.

use crate::{Driver, Failure, Told, env, one, shown};
use futures_util::{StreamExt, TryStreamExt, future};
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgListener, PgPool, PgPoolCopyExt, PgPoolOptions, PgRow, PgSslMode, PgValueFormat};
use sqlx::{AssertSqlSafe, Column, Connection, Error, Executor, Row, Statement, TypeInfo, ValueRef};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

pub(crate) struct Postgres {
    pool: PgPool,
    mode: String,
    known: HashMap<String, Vec<String>>,
}

fn told(row: &PgRow) -> Told {
    let each = row.columns().iter().map(|column| {
        let value = row.try_get_raw(column.ordinal())?;
        let binary = value.format() == PgValueFormat::Binary;
        let kind = value.type_info().name().to_owned();
        let value = if value.is_null() { "null".to_owned() } else { shown(value.as_bytes()?) };
        Ok(format!("{} {kind} {binary} {value}", column.name()))
    });
    Ok(each.collect::<Result<Vec<_>, Failure>>()?.join("\n"))
}

fn all(rows: &[PgRow]) -> Told {
    Ok(rows.iter().map(told).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

fn refused(error: &Error) -> String {
    let Some(error) = error.as_database_error() else { return format!("no answer: {error}") };
    let (constraint, table) = (error.constraint(), error.table());
    let error = error.downcast_ref::<PgDatabaseError>();
    format!(
        "{:?} {} {} {:?} {:?} {:?} {constraint:?} {table:?} {:?}", error.severity(), error.code(), error.message(), error.detail(),
        error.hint(), error.position(), error.column()
    )
}

fn outcome(result: Result<Vec<PgRow>, Error>) -> Told {
    result.map_or_else(|error| Ok(refused(&error)), |rows| all(&rows))
}

impl Postgres {
    pub(crate) async fn connect(mode: &str, known: HashMap<String, Vec<String>>) -> Result<Self, Failure> {
        let options = PgConnectOptions::new().host(&env("PGHOST")?).port(env("PGPORT")?.parse()?).username(&env("PGUSER")?);
        let options = options.password(&env("PGPASSWORD")?).database(&env("PGDATABASE")?).ssl_mode(PgSslMode::Disable);
        let size = env("POOL").ok().and_then(|size| size.parse().ok()).unwrap_or(2);
        Ok(Self { pool: PgPoolOptions::new().max_connections(size).connect_with(options).await?, mode: mode.to_owned(), known })
    }

    async fn values(&self, path: &str) -> Told {
        let sql = AssertSqlSafe(one(&self.known, path)?.to_owned());
        if self.mode == "raw" {
            return all(&sqlx::raw_sql(sql).fetch_all(&self.pool).await?);
        }
        all(&sqlx::query(sql).fetch_all(&self.pool).await?)
    }

    async fn params(&self) -> Told {
        let sql = "SELECT $1::bool, $2::int2, $3::int4, $4::int8, $5::float4, $6::float8, $7::text, $8::bytea, $9::int4[], $10::text[], \
                   $11::text, $12::int4range";
        let query = sqlx::query(sql).bind(true).bind(-2i16).bind(3i32).bind(-9_000_000_000i64).bind(1.5f32).bind(-0.1f64);
        let query = query.bind("it's ü").bind(&b"\x00\xff"[..]).bind(vec![Some(1), None, Some(3)]);
        let query = query.bind(vec!["a b", "", "NULL"]).bind(None::<String>);
        let query = query.bind(sqlx::postgres::types::PgRange::from(1i32..5));
        let row = query.fetch_one(&self.pool).await?;
        let read: (bool, i16, i32, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let more: (f32, f64, String, Vec<u8>) = (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?, row.try_get(7)?);
        let lists: (Vec<Option<i32>>, Vec<String>, Option<String>) = (row.try_get(8)?, row.try_get(9)?, row.try_get(10)?);
        Ok(format!("{}\n{read:?}\n{more:?}\n{lists:?}", told(&row)?))
    }

    /// Statements that are kept, used again, described, or not kept at all.
    async fn prepared(&self) -> Told {
        let mut db = self.pool.acquire().await?;
        db.clear_cached_statements().await?; // What this connection of the pool has been used for is chance.
        let sql = "SELECT item, amount::text FROM orders WHERE id = $1";
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
            "SELECT nothing FROM orders", "SELEC 1", "SELECT 1 / (SELECT 0)", "INSERT INTO orders (item, amount, due) VALUES ('pen', 1, now())",
            "INSERT INTO orders (item) VALUES (NULL)", "DO $$ BEGIN RAISE EXCEPTION 'no more' USING ERRCODE = 'P0099', DETAIL = 'late'; END $$",
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
        let count = "SELECT count(*) FROM ledger";
        let (mut first, mut second) = (self.pool.begin().await?, self.pool.begin().await?);
        let insert = "INSERT INTO ledger (order_id, amount) VALUES ($1, 1)";
        sqlx::query(insert).bind(1i32).execute(&mut *first).await?;
        let mut inner = first.begin().await?;
        sqlx::query(insert).bind(2i32).execute(&mut *inner).await?;
        let mut lines = vec![all(&sqlx::query(count).fetch_all(&mut *inner).await?)?, all(&sqlx::query(count).fetch_all(&mut *second).await?)?];
        inner.rollback().await?;
        lines.push(all(&sqlx::query(count).fetch_all(&mut *first).await?)?);
        first.commit().await?;
        drop(second); // That rolls back, when the connection is used again.
        let mut last = self.pool.begin_with("BEGIN READ ONLY").await?;
        lines.push(outcome(sqlx::query("DELETE FROM ledger").fetch_all(&mut *last).await)?);
        last.rollback().await?;
        lines.push(sqlx::query("DELETE FROM ledger").execute(&self.pool).await?.rows_affected().to_string());
        Ok(lines.join("\n"))
    }

    async fn batch(&self) -> Told {
        let results = sqlx::raw_sql("CREATE TEMP TABLE t (n int); INSERT INTO t VALUES (1), (2); SELECT n FROM t ORDER BY n; DROP TABLE t; SELECT NULL");
        let mut lines = Vec::new();
        let mut results = results.fetch_many(&self.pool);
        while let Some(result) = results.try_next().await? {
            lines.push(match result {
                sqlx::Either::Left(done) => format!("{} rows", done.rows_affected()),
                sqlx::Either::Right(row) => told(&row)?,
            });
        }
        drop(results);
        let both = future::join(sqlx::query("SELECT 1").fetch_one(&self.pool), sqlx::query("SELECT 2").fetch_one(&self.pool)).await;
        lines.extend([told(&both.0?)?, told(&both.1?)?]);
        Ok(lines.join("\n"))
    }

    async fn copy(&self) -> Told {
        let mut sink = self.pool.copy_in_raw("COPY ledger (order_id, amount) FROM STDIN").await?;
        sink.send(&b"1\t1.5\n2\t2.5"[..]).await?;
        sink.send(&b"0\n"[..]).await?;
        let mut lines = vec![sink.finish().await?.to_string()];
        let out = self.pool.copy_out_raw("COPY (SELECT * FROM ledger ORDER BY 1) TO STDOUT").await?;
        lines.push(shown(&out.try_collect::<Vec<_>>().await?.concat()));
        let sink = self.pool.copy_in_raw("COPY ledger (order_id, amount) FROM STDIN").await?;
        sink.abort("not wanted").await?;
        lines.push(sqlx::query("DELETE FROM ledger").execute(&self.pool).await?.rows_affected().to_string());
        Ok(lines.join("\n"))
    }

    /// Rows one by one, the last ones never asked for.
    async fn cursor(&self) -> Told {
        let rows = sqlx::query("SELECT n, n::text FROM generate_series(1, 500) n").fetch(&self.pool);
        let some: Vec<_> = rows.take(3).collect::<Vec<_>>().await;
        let some = some.into_iter().collect::<Result<Vec<_>, _>>()?;
        let one = sqlx::query("SELECT item FROM orders ORDER BY id").fetch_one(&self.pool).await?;
        Ok(format!("{}\n{}", all(&some)?, told(&one)?))
    }

    async fn notify(&self) -> Told {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen_all(["news", "sport"]).await?;
        for (channel, text) in [("news", "one"), ("sport", ""), ("news", "it's three")] {
            sqlx::query("SELECT pg_notify($1, $2)").bind(channel).bind(text).execute(&self.pool).await?;
        }
        let mut lines = Vec::new();
        while lines.len() < 3 {
            let heard = listener.recv().await?;
            lines.push(format!("{} {:?}", heard.channel(), heard.payload()));
        }
        listener.unlisten_all().await?;
        Ok(lines.join("\n"))
    }
}

impl Driver for Postgres {
    fn answer<'a>(&'a mut self, path: &'a str) -> Pin<Box<dyn Future<Output = Told> + 'a>> {
        Box::pin(async move {
            match path {
                "/api/params" => self.params().await,
                "/api/prepared" => self.prepared().await,
                "/api/errors" => self.errors().await,
                "/api/transaction" => self.transaction().await,
                "/api/batch" => self.batch().await,
                "/api/copy" => self.copy().await,
                "/api/cursor" => self.cursor().await,
                "/api/notify" => self.notify().await,
                _ => self.values(path).await,
            }
        })
    }
}
