//! The corpus by mysql_async: values as the driver read them, then what apps do with it, by a pool of two connections.

use crate::{Driver, Failure, Told, env, one};
use futures_util::{StreamExt, stream};
use mysql_async::prelude::Queryable;
use mysql_async::{ChangeUserOpts, Column, Compression, Conn, Error, IsolationLevel, Opts, OptsBuilder, Params, Pool, PoolConstraints, PoolOpts, Row, TxOpts, Value};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

pub(crate) struct Mysql {
    pool: Pool,
    mode: String,
    known: HashMap<String, Vec<String>>,
}

fn heading(columns: &[Column]) -> String {
    let each = columns.iter().map(|column| {
        format!("{}.{} {:?} {:?} {} {} {}", column.org_table_str(), column.name_str(), column.column_type(), column.flags(), column.column_length(), column.character_set(), column.decimals())
    });
    each.collect::<Vec<_>>().join("\n")
}

fn all(rows: Vec<Row>) -> String {
    rows.into_iter().map(|row| format!("{:?}", row.unwrap())).collect::<Vec<_>>().join("\n")
}

fn outcome(result: Result<Vec<Row>, Error>) -> String {
    match result {
        Ok(rows) => all(rows),
        Err(Error::Server(error)) => format!("{} {} {}", error.code, error.state, error.message),
        Err(error) => format!("no answer: {error}"),
    }
}

/// All results of a statement: their columns, rows, and what the server counted.
async fn results(db: &mut Conn, sql: &str) -> Told {
    let mut lines = Vec::new();
    let mut result = db.query_iter(sql).await?;
    while !result.is_empty() {
        let (rows, id) = (result.affected_rows(), result.last_insert_id());
        let info = format!("{rows} {id:?} {} {}", result.warnings(), result.info());
        lines.extend([heading(result.columns_ref()), info, all(result.collect::<Row>().await?)]);
    }
    result.drop_result().await?;
    lines.push(format!("{} {:?} {}", db.affected_rows(), db.last_insert_id(), db.get_warnings()));
    Ok(lines.join("\n"))
}

fn options(mode: &str) -> Result<Opts, Failure> {
    let pool = PoolOpts::default().with_constraints(PoolConstraints::new(1, 2).ok_or("no such pool")?);
    let builder = OptsBuilder::default().ip_or_hostname(env("DB_HOST")?).tcp_port(env("DB_PORT")?.parse()?);
    let builder = builder.user(Some(env("DB_USER")?)).pass(Some(env("DB_PASSWORD")?)).db_name(Some(env("DB_NAME")?));
    let compression = (mode == "compressed").then(Compression::fast);
    Ok(builder.prefer_socket(false).pool_opts(pool).compression(compression).into())
}

impl Mysql {
    pub(crate) async fn connect(mode: &str, known: HashMap<String, Vec<String>>) -> Result<Self, Failure> {
        Ok(Self { pool: Pool::new(options(mode)?), mode: mode.to_owned(), known })
    }

    async fn values(&self, path: &str) -> Told {
        let (sql, mut db) = (one(&self.known, path)?, self.pool.get_conn().await?);
        if self.mode == "binary" {
            let mut result = db.exec_iter(sql, (0,)).await?;
            return Ok([heading(result.columns_ref()), all(result.collect().await?)].join("\n"));
        }
        results(&mut db, &sql.replace('?', "0")).await
    }

    async fn params(&self) -> Told {
        let sql = "SELECT ? + 1, ? + 0, ? + 0, ? + 0e0, CONCAT(?, '!'), HEX(?), ? IS NULL, NOT ?, ? + 0e0, DATE_ADD(?, INTERVAL 1 DAY), ADDTIME(?, '00:00:01'), LENGTH(?)";
        let values = vec![
            Value::Int(-41), Value::UInt(u64::MAX), Value::Int(-9_000_000_000), Value::Double(0.1), Value::from("ü'x\\ \""),
            Value::from(&b"\x00\xff'"[..]), Value::NULL, Value::from(true), Value::Float(1.5), Value::Date(2024, 2, 28, 23, 59, 59, 500_000),
            Value::Time(true, 1, 6, 0, 0, 250_000), Value::from("x".repeat(70_000)),
        ];
        let mut db = self.pool.get_conn().await?;
        let mut lines = all(db.exec(sql, Params::Positional(values)).await?);
        let named = db.exec("SELECT :a + :b, :a", Params::from(vec![("a".to_owned(), Value::Int(1)), ("b".to_owned(), Value::Int(2))])).await?;
        lines.push_str(&all(named));
        Ok(lines)
    }

    async fn prepared(&self) -> Told {
        let mut db = self.pool.get_conn().await?;
        let statement = db.prep("SELECT item, amount FROM orders WHERE id = ?").await?;
        let mut lines = vec![format!("{} {}", statement.num_params(), heading(&statement.columns()))];
        for id in [1, 2, 99, 1] {
            lines.push(all(db.exec(&statement, (id,)).await?));
        }
        let rows = db.exec_stream::<Row, _, _>(&statement, (1,)).await?;
        lines.push(rows.count().await.to_string());
        db.close(statement).await?;
        let insert = "INSERT INTO ledger (order_id, amount) VALUES (?, ?)";
        db.exec_batch(insert, [(1, "1.5"), (2, "2.5"), (3, "3.5")]).await?;
        lines.push(format!("{}", db.affected_rows()));
        lines.push(all(db.exec("DELETE FROM ledger RETURNING order_id, amount", ()).await?));
        Ok(lines.join("\n"))
    }

    async fn errors(&self) -> Told {
        let mut db = self.pool.get_conn().await?;
        let mut lines = Vec::new();
        for sql in [
            "SELECT nothing FROM orders", "SELEC 1", "INSERT INTO orders (item, amount, due) VALUES ('pen', 1, now())", "SELECT * FROM nowhere",
            "INSERT INTO orders (item, amount) VALUES (NULL, 1)", "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no more', MYSQL_ERRNO = 31000",
        ] {
            lines.extend([outcome(db.query(sql).await), outcome(db.exec(sql, ()).await)]);
        }
        lines.push(outcome(db.query("SELECT 1; SELECT nothing; SELECT 2").await));
        lines.push(results(&mut db, "INSERT IGNORE INTO orders (item, amount, due) VALUES ('pen', 1, '2024-01-01')").await?);
        lines.push(results(&mut db, "SHOW WARNINGS").await?);
        Ok(lines.join("\n"))
    }

    async fn transaction(&self) -> Told {
        let count = "SELECT COUNT(*) FROM ledger";
        let (mut db, mut other) = (self.pool.get_conn().await?, self.pool.get_conn().await?);
        let mut options = TxOpts::default();
        options.with_isolation_level(IsolationLevel::ReadCommitted).with_consistent_snapshot(false);
        let mut transaction = db.start_transaction(options).await?;
        transaction.query_drop("INSERT INTO ledger VALUES (1, 1)").await?;
        transaction.query_drop("SAVEPOINT inner_one").await?;
        transaction.exec_drop("INSERT INTO ledger VALUES (?, 2)", (2,)).await?;
        let mut lines = vec![all(transaction.query(count).await?), all(other.query(count).await?)];
        transaction.query_drop("ROLLBACK TO SAVEPOINT inner_one").await?;
        transaction.commit().await?;
        lines.push(all(other.query(count).await?));
        let mut transaction = db.start_transaction(TxOpts::new().with_readonly(true).clone()).await?;
        lines.push(outcome(transaction.query("DELETE FROM ledger").await));
        drop(transaction); // That rolls back, when the connection is used again.
        lines.push(results(&mut db, "DELETE FROM ledger").await?);
        lines.push(results(&mut db, "INSERT INTO orders (item, amount, due) VALUES ('cup', 1, '2024-01-01')").await?);
        Ok(lines.join("\n"))
    }

    /// Several results, a procedure, a file, and what else a connection can do.
    async fn batch(&self) -> Told {
        let mut db = self.pool.get_conn().await?;
        let mut lines = vec![results(&mut db, "SELECT id, item FROM orders WHERE id < 3 ORDER BY id; SET @seen = 2; SELECT @seen + 1, NULL; CALL totals(1)").await?];
        lines.push(all(db.exec("CALL totals(?)", (1,)).await?));
        db.set_infile_handler(async { Ok(stream::iter([Ok("7\t1.5\n8\t".into()), Ok("2.5\n".into())]).boxed()) });
        lines.push(results(&mut db, "LOAD DATA LOCAL INFILE 'any' INTO TABLE ledger (order_id, amount)").await?);
        lines.push(outcome(db.query("LOAD DATA LOCAL INFILE 'none' INTO TABLE ledger (order_id, amount)").await));
        lines.push(results(&mut db, "DELETE FROM ledger").await?);
        db.ping().await?;
        lines.push(db.reset().await?.to_string());
        db.change_user(ChangeUserOpts::default()).await?;
        lines.push(all(db.query("SELECT DATABASE(), @seen, CURRENT_USER()").await?));
        Ok(lines.join("\n"))
    }

    /// Rows one by one, the last ones never asked for, and a packet of more than one part.
    async fn cursor(&self) -> Told {
        let mut db = self.pool.get_conn().await?;
        let rows = db.query_stream::<Row, _>("SELECT seq, CONCAT('n', seq) FROM seq_1_to_500").await?;
        let some = rows.take(3).collect::<Vec<_>>().await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let long: Option<Vec<u8>> = db.query_first("SELECT REPEAT('0123456789abcdef', 20000)").await?;
        Ok(format!("{}\n{:?}", all(some), long.map(|bytes| bytes.len())))
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
