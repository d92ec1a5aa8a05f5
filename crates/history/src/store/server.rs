//! A history in a schema of a PostgreSQL database, which many machines share.
//!
//! Everything is done in transactions that say themselves in which schema, so that a pooler may stand
//! between. Who writes holds a lock of the schema's name: runs that end at once come one after the
//! other. Nothing waits for ever: neither for a lock nor for a server that does not answer.

use super::laid::Laid;
use super::{Cell, Fault, PATIENCE, Purpose, Row, State};
use crate::place::Server;
use std::future::Future;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

/// How long it may take until the server knows us.
const HELLO: Duration = Duration::from_secs(10);
/// What marks the tables as ours.
const MARK: &str = "rehearsal history";

/// An open connection.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
    schema: String,
    /// The statement that was made last: many of a run are the same.
    last: Option<(String, Statement)>,
}

impl Session {
    pub(super) fn open(server: &Server) -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Fault::Connection(error.to_string()))?;
        let tls = (server.tls)(&server.wanted).map_err(Fault::Connection)?;
        // A timer needs the runtime to be running.
        let client = runtime.block_on(async {
            let connecting = server.config.connect(Laid::with(tls));
            let late = |_| Fault::Late(HELLO.as_secs());
            let (client, connection) = timeout(HELLO, connecting).await.map_err(late)??;
            // What ends it is told to whoever waits for an answer.
            tokio::spawn(async move { drop(connection.await) });
            Ok::<_, Fault>(client)
        })?;
        Ok(Session { runtime, client, schema: server.schema.clone(), last: None })
    }

    fn wait<T>(
        runtime: &Runtime,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        // The server gives up first, and says at what.
        let patience = PATIENCE + HELLO;
        runtime.block_on(async {
            let late = |_| Fault::Late(patience.as_secs());
            Ok(timeout(patience, answer).await.map_err(late)??)
        })
    }

    pub(super) fn begin(&mut self, purpose: Purpose) -> Result<(), Fault> {
        let (schema, patience) = (&self.schema, PATIENCE.as_millis());
        let lock = match purpose {
            Purpose::Read => String::new(),
            Purpose::Write => {
                format!("SELECT pg_advisory_xact_lock(hashtext('{MARK} {schema}'));")
            }
        };
        self.batch(&format!(
            "BEGIN; SET LOCAL lock_timeout = {patience}; SET LOCAL statement_timeout = {patience}; \
             SET LOCAL search_path TO {schema}; SET LOCAL client_min_messages TO warning; {lock}"
        ))
    }

    pub(super) fn batch(&mut self, sql: &str) -> Result<(), Fault> {
        Self::wait(&self.runtime, self.client.batch_execute(sql))
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, Fault> {
        if let Some((_, made)) = self.last.as_ref().filter(|(text, _)| text == sql) {
            return Ok(made.clone());
        }
        let made = Self::wait(&self.runtime, self.client.prepare(sql))?;
        self.last = Some((sql.to_owned(), made.clone()));
        Ok(made)
    }

    pub(super) fn run(&mut self, sql: &str, cells: &[Cell<'_>]) -> Result<u64, Fault> {
        let statement = self.statement(sql)?;
        Self::wait(&self.runtime, self.client.execute(&statement, &given(cells)))
    }

    pub(super) fn ask<T>(
        &mut self,
        sql: &str,
        cells: &[Cell<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let statement = self.statement(sql)?;
        let rows = Self::wait(&self.runtime, self.client.query(&statement, &given(cells)))?;
        rows.iter().map(|row| read(&Row::Server(row))).collect()
    }

    fn exists(&mut self, sql: &str) -> Result<bool, Fault> {
        let schema = self.schema.clone();
        Ok(!self.ask(sql, &[Cell::from(schema.as_str())], |_| Ok(()))?.is_empty())
    }

    pub(super) fn state(&mut self) -> Result<State, Fault> {
        let table = "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
                     ON n.oid = c.relnamespace WHERE n.nspname::text = $1";
        if !self.exists(&format!("{table} AND c.relname = 'about'"))? {
            let any = self.exists(table)?;
            return Ok(if any { State::Foreign } else { State::Empty });
        }
        let mark = "SELECT column_name::text FROM information_schema.columns \
                    WHERE table_schema::text = $1 AND table_name = 'about' AND column_name IN ('mark', 'format')";
        let schema = self.schema.clone();
        if self.ask(mark, &[Cell::from(schema.as_str())], |_| Ok(()))?.len() != 2 {
            return Ok(State::Foreign);
        }
        let formats = "SELECT format FROM about WHERE mark = $1";
        let found = self.ask(formats, &[Cell::from(MARK)], |row| row.get::<i64>(0))?;
        Ok(found.first().map_or(State::Foreign, |format| State::Ours(*format)))
    }

    pub(super) fn mark(&mut self, format: i64) -> Result<(), Fault> {
        self.batch(
            "CREATE TABLE IF NOT EXISTS about (mark TEXT PRIMARY KEY, format BIGINT NOT NULL)",
        )?;
        let sql = "INSERT INTO about (mark, format) VALUES ($1, $2) \
                   ON CONFLICT (mark) DO UPDATE SET format = excluded.format";
        self.run(sql, &[Cell::from(MARK), Cell::Number(format)])?;
        Ok(())
    }

    /// Makes the schema where there is none: whoever may not make one may be given one.
    pub(super) fn room(&mut self) -> Result<(), Fault> {
        if !self.exists("SELECT FROM pg_catalog.pg_namespace WHERE nspname::text = $1")? {
            self.batch(&format!("CREATE SCHEMA {}", self.schema))?;
        }
        Ok(())
    }
}

fn given<'a>(cells: &'a [Cell<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    cells.iter().map(|cell| cell as &(dyn ToSql + Sync)).collect()
}
