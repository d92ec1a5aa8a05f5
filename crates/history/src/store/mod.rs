//! The two kinds of databases that keep a history, spoken to in the same words.
//!
//! What is asked of them is written once, in SQL that both understand (`$1`, `RETURNING`, `ON CONFLICT`);
//! only how the tables are made, how a history is marked as ours, and what faults mean is each one's own.

mod cell;
mod fault;
mod file;
mod laid;
mod server;
mod tables;

pub(crate) use cell::{Cell, Row};
pub(crate) use fault::Fault;
pub(crate) use tables::{FORMAT, STEPS};

use crate::Place;
use file::File;
use server::Session;
use std::time::Duration;

/// How long another process may write, and a statement may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An open database.
pub(crate) enum Store {
    File(File),
    Server(Box<Session>),
}

/// What a database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing.
    Empty,
    /// A history of this format.
    Ours(i64),
    /// Something of another program.
    Foreign,
}

/// What is done in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Others may read meanwhile, and write.
    Read,
    /// Others wait that want to write.
    Write,
}

impl Store {
    /// Opens the place. A file that is to be written is made where there is none.
    pub(crate) fn open(place: &Place, purpose: Purpose) -> Result<Self, Fault> {
        match place {
            Place::File(path) => File::open(path, purpose).map(Store::File),
            Place::Server(server) => {
                Session::open(server).map(|open| Store::Server(Box::new(open)))
            }
        }
    }

    /// Does this as one transaction: whole, or, when it fails, not at all.
    pub(crate) fn within<T>(
        &mut self,
        purpose: Purpose,
        work: impl FnOnce(&mut Store) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let begun = match self {
            Store::File(file) => file.begin(purpose),
            Store::Server(session) => session.begin(purpose),
        };
        let done = begun.and_then(|()| work(self));
        let done = done.and_then(|done| self.batch("COMMIT").map(|()| done));
        if done.is_err() {
            // What failed is told; that it cannot be taken back means that nobody is there any more.
            let _ = self.batch("ROLLBACK");
        }
        done
    }

    /// What is there.
    pub(crate) fn state(&mut self) -> Result<State, Fault> {
        match self {
            Store::File(file) => file.state(),
            Store::Server(session) => session.state(),
        }
    }

    /// Makes what a step to a newer format needs, and marks the history as being of that.
    pub(crate) fn step(&mut self, sql: &str, format: i64) -> Result<(), Fault> {
        match self {
            Store::File(file) => {
                file.batch(&tables::for_sqlite(sql))?;
                file.mark(format)
            }
            Store::Server(session) => {
                session.room()?;
                session.batch(&tables::for_postgres(sql))?;
                session.mark(format)
            }
        }
    }

    fn batch(&mut self, sql: &str) -> Result<(), Fault> {
        match self {
            Store::File(file) => file.batch(sql),
            Store::Server(session) => session.batch(sql),
        }
    }

    /// Runs a statement; how many rows it changed comes back.
    pub(crate) fn run(&mut self, sql: &str, cells: &[Cell<'_>]) -> Result<u64, Fault> {
        match self {
            Store::File(file) => file.run(sql, cells),
            Store::Server(session) => session.run(sql, cells),
        }
    }

    /// Adds rows of so many cells each; `sql` gives the statement for a number of them.
    pub(crate) fn add(
        &mut self,
        sql: impl Fn(usize) -> String,
        cells: &[Cell<'_>],
        width: usize,
    ) -> Result<(), Fault> {
        match self {
            // SQLite looks for the name of each place among all others of the statement: a thousand rows
            // take a tenth of the time one by one.
            Store::File(file) => file.each(&sql(1), cells.chunks(width)),
            Store::Server(session) => session.run(&sql(cells.len() / width), cells).map(drop),
        }
    }

    /// Asks for rows, and reads each.
    pub(crate) fn ask<T>(
        &mut self,
        sql: &str,
        cells: &[Cell<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        match self {
            Store::File(file) => file.ask(sql, cells, read),
            Store::Server(session) => session.ask(sql, cells, read),
        }
    }

    /// Asks for one number.
    pub(crate) fn number(&mut self, sql: &str, cells: &[Cell<'_>]) -> Result<i64, Fault> {
        let found = self.ask(sql, cells, |row| row.get::<i64>(0))?;
        found.first().copied().ok_or_else(|| Fault::Shape("a number is missing".to_owned()))
    }
}
