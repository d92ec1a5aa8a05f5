//! The corpus by tokio-postgres: values as the bytes that the driver got with the types that it takes them for, then what apps
//! do with it, by one connection.

use crate::{Driver, Failure, Told, env, one, shown};
use futures_util::{SinkExt, StreamExt, TryStreamExt, future, stream};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Error, IsolationLevel, NoTls, Row, SimpleQueryMessage};

/// A value of any type, as it came.
struct Raw(String);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, bytes: &'a [u8]) -> Result<Self, Failure> {
        Ok(Raw(shown(bytes)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(crate) struct Postgres {
    client: Client,
    mode: String,
    known: HashMap<String, Vec<String>>,
    heard: mpsc::UnboundedReceiver<AsyncMessage>,
}

/// A connection of its own, and what the server says on it without being asked.
pub(crate) async fn connect() -> Result<(Client, mpsc::UnboundedReceiver<AsyncMessage>), Failure> {
    let mut config = Config::new();
    config.host(env("PGHOST")?).port(env("PGPORT")?.parse()?).user(env("PGUSER")?);
    config.password(env("PGPASSWORD")?).dbname(env("PGDATABASE")?);
    let (client, mut connection) = config.connect(NoTls).await?;
    let (heard_tx, heard_rx) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if heard_tx.send(message).is_err() {
                while messages.next().await.is_some() {} // Nobody listens, but queries go on.
            }
        }
    });
    Ok((client, heard_rx))
}

fn told(row: &Row) -> Told {
    let each = row.columns().iter().enumerate().map(|(index, column)| {
        let value = row.try_get::<_, Option<Raw>>(index)?.map_or("null".to_owned(), |raw| raw.0);
        Ok(format!("{} {} {value}", column.name(), column.type_()))
    });
    Ok(each.collect::<Result<Vec<_>, Failure>>()?.join("\n"))
}

fn all(rows: &[Row]) -> Told {
    Ok(rows.iter().map(told).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

fn simple(messages: &[SimpleQueryMessage]) -> String {
    let each = messages.iter().map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            (0..row.len()).map(|index| row.get(index).unwrap_or("null")).collect::<Vec<_>>().join(" | ")
        }
        SimpleQueryMessage::CommandComplete(count) => format!("{count} rows"),
        SimpleQueryMessage::RowDescription(columns) => {
            columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(" | ")
        }
        _ => "something else".to_owned(),
    });
    each.collect::<Vec<_>>().join("\n")
}

/// All that the server said of an error.
fn refused(error: &Error) -> String {
    error.as_db_error().map_or_else(|| format!("no answer: {error}"), |error| {
        format!(
            "{} {} {} {:?} {:?} {:?} {:?} {:?} {:?}", error.severity(), error.code().code(), error.message(), error.detail(),
            error.hint(), error.position(), error.table(), error.column(), error.constraint()
        )
    })
}

fn outcome(result: Result<Vec<Row>, Error>) -> Told {
    result.map_or_else(|error| Ok(refused(&error)), |rows| all(&rows))
}

impl Postgres {
    pub(crate) async fn connect(mode: &str, known: HashMap<String, Vec<String>>) -> Result<Self, Failure> {
        let (client, heard) = connect().await?;
        Ok(Self { client, mode: mode.to_owned(), known, heard })
    }

    async fn values(&mut self, path: &str) -> Told {
        let sql = one(&self.known, path)?;
        let rows = match self.mode.as_str() {
            "query" => self.client.query(sql, &[]).await?,
            "typed" => self.client.query_typed(sql, &[]).await?,
            "portal" => {
                let transaction = self.client.transaction().await?;
                let portal = transaction.bind(sql, &[]).await?;
                let mut rows = transaction.query_portal(&portal, 1).await?;
                rows.extend(transaction.query_portal(&portal, 1).await?);
                transaction.commit().await?;
                rows
            }
            _ => return Ok(simple(&self.client.simple_query(sql).await?)),
        };
        all(&rows)
    }

    async fn params(&self) -> Told {
        let sql = "SELECT $1::bool, $2::int2, $3::int4, $4::int8, $5::float4, $6::float8, $7::text, $8::bytea, $9::int4[], \
                   $10::text[], $11::timestamptz, $12::inet, $13::text, $14::oid, $15::\"char\"";
        let moment = SystemTime::UNIX_EPOCH + Duration::from_micros(1_714_989_600_123_456);
        let address: std::net::IpAddr = "10.1.2.3".parse()?;
        let (bytes, numbers, texts) = (&b"\x00\xff"[..], vec![Some(1), None, Some(3)], vec!["a b", "", "NULL"]);
        let rows = self.client.query(sql, &[
            &true, &-2i16, &3i32, &-9_000_000_000i64, &1.5f32, &-0.1f64, &"it's ü", &bytes, &numbers, &texts, &moment, &address,
            &None::<String>, &7u32, &65i8,
        ]).await?;
        all(&rows)
    }

    /// One statement, described and used again and again.
    async fn prepared(&self) -> Told {
        let statement = self.client.prepare("SELECT item, amount::text FROM orders WHERE id = $1 OR item = $2").await?;
        let columns = statement.columns().iter().map(|column| format!("{} {} {:?}", column.name(), column.type_(), column.table_oid().is_some()));
        let mut lines = vec![format!("{:?} {:?}", statement.params(), columns.collect::<Vec<_>>())];
        for id in [1, 2, 99, 1] {
            lines.push(all(&self.client.query(&statement, &[&id, &"none"]).await?)?);
        }
        let one = self.client.query_opt(&statement, &[&99, &"none"]).await?;
        lines.push(format!("{} {}", one.is_none(), self.client.execute(&statement, &[&1, &"book"]).await?));
        Ok(lines.join("\n"))
    }

    async fn errors(&self) -> Told {
        let mut lines = Vec::new();
        for sql in [
            "SELECT nothing FROM orders", "SELEC 1", "SELECT 1 / 0", "INSERT INTO orders (item, amount, due) VALUES ('pen', 1, now())",
            "INSERT INTO orders (item) VALUES (NULL)", "SELECT 'x'::int4", "SELECT pg_advisory_unlock_all() FROM nowhere",
            "DO $$ BEGIN RAISE EXCEPTION 'no more' USING ERRCODE = 'P0099', DETAIL = 'it is late', HINT = 'go home'; END $$",
            "UPDATE orders SET item = 'pen' WHERE id = 2", "SELECT * FROM ledger WHERE order_id = 'x'",
        ] {
            lines.push(outcome(self.client.query(sql, &[]).await)?);
        }
        let several = self.client.simple_query("SELECT 1; SELECT 1 / 0; SELECT 2").await;
        lines.push(several.map_or_else(|error| refused(&error), |messages| simple(&messages)));
        lines.push(all(&self.client.query("SELECT 'and it goes on'", &[]).await?)?);
        Ok(lines.join("\n"))
    }

    /// Statements that are sent before the answers to the ones before have come; one fails.
    async fn pipeline(&self) -> Told {
        let asked = ["SELECT 1", "SELECT 1 / (SELECT 0)", "SELECT id FROM orders ORDER BY id", "SELECT 'four'", "SELECT nothing"];
        let answers = future::join_all(asked.map(|sql| self.client.query(sql, &[]))).await;
        Ok(answers.into_iter().map(outcome).collect::<Result<Vec<_>, _>>()?.join("\n"))
    }

    async fn transaction(&mut self) -> Told {
        let count = "SELECT count(*) FROM ledger";
        let mut lines = Vec::new();
        let mut transaction = self.client.build_transaction().isolation_level(IsolationLevel::Serializable).start().await?;
        transaction.execute("INSERT INTO ledger (order_id, amount) VALUES ($1, 1)", &[&1]).await?;
        let mut inner = transaction.savepoint("inner").await?;
        inner.execute("INSERT INTO ledger (order_id, amount) VALUES ($1, 1)", &[&2]).await?;
        let innermost = inner.transaction().await?;
        lines.push(outcome(innermost.query("SELECT 1 / 0", &[]).await)?);
        lines.push(outcome(innermost.query("SELECT 1", &[]).await)?);
        innermost.rollback().await?;
        lines.push(all(&inner.query(count, &[]).await?)?);
        inner.commit().await?;
        transaction.commit().await?;
        let transaction = self.client.build_transaction().read_only(true).deferrable(true).start().await?;
        lines.push(outcome(transaction.query("DELETE FROM ledger", &[]).await)?);
        drop(transaction); // That rolls back.
        lines.push(self.client.execute("DELETE FROM ledger", &[]).await?.to_string());
        Ok(lines.join("\n"))
    }

    async fn copy(&self) -> Told {
        let mut sink = Box::pin(self.client.copy_in("COPY ledger (order_id, amount) FROM STDIN").await?);
        for line in ["1\t1.5\n", "2\t2.50\n3\t", "3.75\n"] {
            sink.send(std::io::Cursor::new(line)).await?;
        }
        let mut lines = vec![sink.as_mut().finish().await?.to_string()];
        let out = self.client.copy_out("COPY (SELECT * FROM ledger ORDER BY 1) TO STDOUT (FORMAT csv)").await?;
        lines.push(shown(&out.try_collect::<Vec<_>>().await?.concat()));
        let out = self.client.copy_out("COPY (SELECT 7::int4, 'x') TO STDOUT (FORMAT binary)").await?;
        lines.push(shown(&out.try_collect::<Vec<_>>().await?.concat()));
        let mut sink = Box::pin(self.client.copy_in::<_, std::io::Cursor<&str>>("COPY ledger (order_id, amount) FROM STDIN").await?);
        sink.send(std::io::Cursor::new("no number\tat all\n")).await?;
        lines.push(sink.as_mut().finish().await.map_or_else(|error| refused(&error), |count| count.to_string()));
        // One that is given up: the server is told so, and undoes it.
        let mut sink = Box::pin(self.client.copy_in("COPY ledger (order_id, amount) FROM STDIN").await?);
        sink.send(std::io::Cursor::new("9\t9\n")).await?;
        drop(sink);
        self.client.batch_execute("CREATE TEMP TABLE kept (id int); DELETE FROM ledger; DROP TABLE kept").await?;
        Ok(lines.join("\n"))
    }

    async fn cursor(&mut self) -> Told {
        let transaction = self.client.transaction().await?;
        let mut lines = Vec::new();
        let portal = transaction.bind("SELECT n, n * n FROM generate_series(1, $1::int4) n", &[&5]).await?;
        for limit in [2, 2, 0, 3] {
            lines.push(all(&transaction.query_portal(&portal, limit).await?)?);
        }
        transaction.batch_execute("DECLARE walk SCROLL CURSOR FOR SELECT id, item FROM orders ORDER BY id").await?;
        for sql in ["FETCH 1 FROM walk", "FETCH 5 FROM walk", "FETCH BACKWARD 1 FROM walk", "FETCH 0 FROM walk", "CLOSE walk"] {
            lines.push(all(&transaction.query(sql, &[]).await?)?);
        }
        transaction.commit().await?;
        let rows = self.client.query_raw("SELECT generate_series(1, 1000)", Vec::<i32>::new()).await?;
        let first = std::pin::pin!(rows).try_next().await?; // The others are never asked for.
        lines.push(first.as_ref().map_or(Ok("nothing".to_owned()), told)?);
        Ok(lines.join("\n"))
    }

    /// Notices, and notifications of this and of another connection.
    async fn notify(&mut self) -> Told {
        while self.heard.try_recv().is_ok() {}
        self.client.batch_execute("LISTEN news; NOTIFY news, 'own'; DO $$ BEGIN RAISE NOTICE 'half %', 'way'; END $$").await?;
        let (other, _) = connect().await?;
        other.execute("SELECT pg_notify('news', 'other')", &[]).await?;
        let mut lines = Vec::new();
        while lines.len() < 3 {
            match self.heard.recv().await.ok_or("the connection has ended")? {
                AsyncMessage::Notice(notice) => lines.push(format!("{} {}", notice.severity(), notice.message())),
                AsyncMessage::Notification(news) => lines.push(format!("{} {}", news.channel(), news.payload())),
                _ => {}
            }
        }
        self.client.batch_execute("UNLISTEN *").await?;
        lines.sort();
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
                "/api/pipeline" => self.pipeline().await,
                "/api/transaction" => self.transaction().await,
                "/api/copy" => self.copy().await,
                "/api/cursor" => self.cursor().await,
                "/api/notify" => self.notify().await,
                _ => self.values(path).await,
            }
        })
    }
}
