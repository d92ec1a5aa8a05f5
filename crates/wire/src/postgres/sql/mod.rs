//! SQL as PostgreSQL has it.
//!
//! What is common to all dialects is in [`crate::sql`].

mod verb;

use crate::sql::{self, Dialect, Normal};

pub(super) use crate::sql::{Kind, Token};
pub(super) use verb::{cursors, sets_up};

pub(super) fn normalise(sql: &str) -> Normal {
    sql::normalise(sql, Dialect::Postgres)
}

pub(super) fn outline(sql: &str) -> String {
    sql::outline(sql, Dialect::Postgres)
}

pub(super) fn statements(sql: &str) -> Vec<Vec<Token<'_>>> {
    sql::statements(sql, Dialect::Postgres)
}

fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    sql::tokens(sql, Dialect::Postgres)
}

pub(super) fn operation(sql: &str) -> String {
    sql::operation(sql, Dialect::Postgres)
}

pub(super) fn subject(sql: &str) -> Option<String> {
    sql::subject(sql, Dialect::Postgres)
}

pub(super) fn repeatable(sql: &str) -> bool {
    sql::repeatable(sql, Dialect::Postgres)
}

pub(super) fn rolls_back(sql: &str) -> bool {
    sql::rolls_back(sql, Dialect::Postgres)
}

pub(super) fn bracket(sql: &str) -> Option<crate::Bracket> {
    sql::bracket(sql, Dialect::Postgres)
}

pub(super) fn ends_transaction(sql: &str) -> bool {
    sql::ends_transaction(sql, Dialect::Postgres)
}

pub(super) fn trace(sql: &str) -> Vec<String> {
    sql::trace(sql, Dialect::Postgres)
}
