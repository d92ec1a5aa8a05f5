//! SQL as far as it must be understood to compare statements: tokens, not grammar.
//!
//! Nothing here checks that a statement is valid, and nothing knows what a driver's chatter is: that
//! belongs to the protocols.

mod beside;
mod dialect;
mod normal;
mod schema;
mod token;
mod verb;

pub(crate) use beside::Beside;
pub(crate) use dialect::Dialect;
pub(crate) use normal::{Normal, normalise, outline, unquoted};
pub(crate) use schema::{Lessons, is_alias, only_table, written};
pub(crate) use token::{Kind, Token, statements, tokens};
pub(crate) use verb::{
    BETWEEN, bracket, ends_transaction, operation, reads, repeatable, rolls_back, subject, table,
    trace, verb,
};
