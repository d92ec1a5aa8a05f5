//! A history in a SQLite file.
//!
//! SQLite's rollback journal is used rather than its write-ahead log: the file may lie on a network
//! share, a run is one short transaction, and nothing stays beside the file. Who finds another process
//! writing waits. A file that cannot be used is never changed.

use super::{Cell, Fault, PATIENCE, Purpose, Row, State};
use rusqlite::{Connection, OpenFlags, params_from_iter};
use std::path::Path;

/// What marks the file as ours in its header: `Rhsl`.
const MARK: i64 = 0x5268_736c;

/// An open file.
pub(crate) struct File {
    connection: Connection,
}

impl File {
    pub(super) fn open(path: &Path, purpose: Purpose) -> Result<Self, Fault> {
        let flags = match purpose {
            Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            // A name that begins with `file:` is a name.
            Purpose::Write => OpenFlags::default().difference(OpenFlags::SQLITE_OPEN_URI),
        };
        let connection =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What a hostile file says of functions and tables is not believed.
        connection.pragma_update(None, "trusted_schema", false)?;
        Ok(File { connection })
    }

    pub(super) fn begin(&mut self, purpose: Purpose) -> Result<(), Fault> {
        self.batch(match purpose {
            Purpose::Read => "BEGIN",
            Purpose::Write => "BEGIN IMMEDIATE",
        })
    }

    pub(super) fn batch(&mut self, sql: &str) -> Result<(), Fault> {
        Ok(self.connection.execute_batch(sql)?)
    }

    pub(super) fn run(&mut self, sql: &str, cells: &[Cell<'_>]) -> Result<u64, Fault> {
        let changed = self.connection.prepare(sql)?.execute(params_from_iter(cells))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// Runs a statement for one row after the other.
    pub(super) fn each<'row>(
        &mut self,
        sql: &str,
        rows: impl Iterator<Item = &'row [Cell<'row>]>,
    ) -> Result<(), Fault> {
        let mut statement = self.connection.prepare(sql)?;
        for row in rows {
            statement.execute(params_from_iter(row))?;
        }
        Ok(())
    }

    pub(super) fn ask<T>(
        &mut self,
        sql: &str,
        cells: &[Cell<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut query = self.connection.prepare(sql)?;
        let mut rows = query.query(params_from_iter(cells))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(&Row::File(row))?);
        }
        Ok(found)
    }

    pub(super) fn state(&mut self) -> Result<State, Fault> {
        let number =
            |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (mark, format) = (number("application_id")?, number("user_version")?);
        let count = "SELECT count(*) FROM sqlite_master";
        let tables: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
        Ok(match (mark, format, tables) {
            (0, 0, 0) => State::Empty,
            (MARK, format, _) => State::Ours(format),
            _ => State::Foreign,
        })
    }

    pub(super) fn mark(&mut self, format: i64) -> Result<(), Fault> {
        self.connection.pragma_update(None, "application_id", MARK)?;
        self.connection.pragma_update(None, "user_version", format)?;
        Ok(())
    }
}
