//! SQL as far as it must be understood to compare statements: tokens, not grammar.
//!
//! Nothing here checks that a statement is valid.

mod normal;
mod token;
mod verb;

pub(super) use normal::{normalise, outline};
pub(super) use token::{Kind, Token, statements};
pub(super) use verb::{cursors, operation, repeatable, rolls_back, sets_up, trace};
