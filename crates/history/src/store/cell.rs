//! Values as they are given to a database and read from it.

use super::Fault;
use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::borrow::Cow;
use std::error::Error;
use tokio_postgres::types::{self, IsNull, Type};

/// A value that is given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Number(i64),
    Real(f64),
    Flag(bool),
    Text(Cow<'a, str>),
    Nothing,
}

impl From<usize> for Cell<'_> {
    fn from(count: usize) -> Self {
        Cell::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Cell::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a Option<String>> for Cell<'a> {
    fn from(text: &'a Option<String>) -> Self {
        text.as_deref().map_or(Cell::Nothing, Cell::from)
    }
}

impl rusqlite::ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Number(number) => ValueRef::Integer(*number),
            Cell::Real(real) => ValueRef::Real(*real),
            Cell::Flag(flag) => ValueRef::Integer(i64::from(*flag)),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
            Cell::Nothing => ValueRef::Null,
        }))
    }
}

impl types::ToSql for Cell<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Cell::Number(number) => number.to_sql(kind, out),
            Cell::Real(real) => real.to_sql(kind, out),
            Cell::Flag(flag) => flag.to_sql(kind, out),
            // A text of PostgreSQL has no byte 0.
            Cell::Text(text) if text.contains('\0') => {
                text.replace('\0', "\u{fffd}").to_sql(kind, out)
            }
            Cell::Text(text) => text.as_ref().to_sql(kind, out),
            Cell::Nothing => Ok(IsNull::Yes),
        }
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::FLOAT8, Type::BOOL, Type::TEXT].contains(kind)
    }

    types::to_sql_checked!();
}

/// A row that is read.
pub(crate) enum Row<'a> {
    File(&'a rusqlite::Row<'a>),
    Server(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// The value at this place, from 0.
    pub(crate) fn get<T>(&self, place: usize) -> Result<T, Fault>
    where
        T: rusqlite::types::FromSql + for<'p> types::FromSql<'p>,
    {
        match self {
            Row::File(row) => Ok(row.get(place)?),
            Row::Server(row) => Ok(row.try_get(place)?),
        }
    }

    /// The count at this place; 0 for what is none.
    pub(crate) fn count(&self, place: usize) -> Result<usize, Fault> {
        Ok(usize::try_from(self.get::<i64>(place)?).unwrap_or(0))
    }
}
