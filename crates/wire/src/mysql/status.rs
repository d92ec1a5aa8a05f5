//! What a server says of a connection with each result (MySQL source documentation,
//! "SERVER_STATUS_flags_enum"), as far as drivers act on it.
//!
//! It follows from the statements almost always, so it is worked out, and recorded only where it was
//! something else. What tells of the plan of a query is not kept.

use super::unwritable;
use crate::WireError;
use crate::sql::{self, Dialect, Token};
use rehearsal_model::Value;

pub(super) const IN_TRANSACTION: u16 = 1;
pub(super) const AUTOCOMMIT: u16 = 2;
pub(super) const MORE_RESULTS: u16 = 8;
pub(super) const CURSOR: u16 = 64;
pub(super) const LAST_ROW: u16 = 128;
pub(super) const OUT_PARAMS: u16 = 4096;
const READ_ONLY: u16 = 8192;
pub(super) const SESSION_CHANGED: u16 = 1 << 14;

const NAMES: &[(u16, &str)] = &[
    (IN_TRANSACTION, "in transaction"),
    (AUTOCOMMIT, "autocommit"),
    (READ_ONLY, "read only"),
    (512, "no backslash escapes"),
    (1 << 15, "ansi quotes"),
];

/// The flags that last from one statement to the next.
pub(super) fn lasting(flags: u16) -> u16 {
    flags & NAMES.iter().fold(0, |all, (flag, _)| all | flag)
}

/// Flags as recordings have them.
pub(super) fn to_value(flags: u16) -> Value {
    let names = NAMES.iter().filter(|(flag, _)| flags & flag != 0);
    Value::from(names.map(|(_, name)| *name).collect::<Vec<_>>())
}

/// Flags of a recording.
pub(super) fn from_value(value: &Value) -> Result<u16, WireError> {
    let list = value.as_list().ok_or_else(|| unwritable("`status` must be a list"))?;
    list.iter().try_fold(0, |all, name| {
        let known = NAMES.iter().find(|(_, known)| name.as_text() == Some(known));
        let known = known.ok_or_else(|| {
            let names = NAMES.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ");
            unwritable(&format!("`status` may have {names}, nothing else"))
        })?;
        Ok(all | known.0)
    })
}

/// Statements that end a transaction without saying so.
const COMMITTING: &[&str] = &[
    "create", "drop", "alter", "truncate", "rename", "grant", "revoke", "lock", "analyze",
    "optimize", "repair",
];

/// Statements that begin a transaction when each is not one of its own.
const BEGINNING: &[&str] = &["select", "insert", "update", "delete", "replace", "with", "load"];

/// The flags after a statement that succeeded.
pub(super) fn after(before: u16, statement: &[Token<'_>]) -> u16 {
    let Some(first) = statement.first() else { return before };
    let is = |place: usize, word: &str| statement.get(place).is_some_and(|token| token.is(word));
    let says = |word: &str| statement.iter().any(|token| token.is(word));
    let over = before & !(IN_TRANSACTION | READ_ONLY);
    if first.is("begin") || (first.is("start") && is(1, "transaction")) {
        return over | IN_TRANSACTION | if says("only") { READ_ONLY } else { 0 };
    }
    if first.is("commit") || first.is("rollback") {
        let goes_on = says("to") || (says("chain") && !says("no"));
        return if goes_on { before } else { over };
    }
    if first.is("set") {
        return match autocommit(statement) {
            Some(true) => over | AUTOCOMMIT,
            Some(false) => before & !AUTOCOMMIT,
            None => before,
        };
    }
    let any = |words: &[&str]| words.iter().any(|word| first.is(word));
    if any(COMMITTING) && !says("temporary") {
        return over;
    }
    let touches = before & AUTOCOMMIT == 0 && any(BEGINNING) && sql::table(statement).is_some();
    if touches { before | IN_TRANSACTION } else { before }
}

/// What a `SET` makes of `autocommit`.
fn autocommit(statement: &[Token<'_>]) -> Option<bool> {
    let named = |token: &Token<'_>| {
        let name = token.text.to_ascii_lowercase();
        name.trim_start_matches("@@").trim_start_matches("session.") == "autocommit"
    };
    let place = statement.iter().rposition(named)?;
    let value = statement.get(place + 2)?.text;
    Some(value == "1" || value.eq_ignore_ascii_case("on") || value.eq_ignore_ascii_case("true"))
}

/// Whether a text makes the server open transactions unasked from then on, or no longer, as
/// `SET autocommit = 0` does.
pub(super) fn unasked(text: &str) -> Option<bool> {
    let is_set = text.trim_start().get(..3).is_some_and(|word| word.eq_ignore_ascii_case("set"));
    let statements = if is_set { sql::statements(text, Dialect::Mysql) } else { Vec::new() };
    let sets = statements.iter().filter(|statement| statement[0].is("set"));
    sets.filter_map(|statement| autocommit(statement)).next_back().map(|on| !on)
}

/// The flags after each statement of a text in turn.
pub(super) fn after_each(before: u16, text: &str) -> Vec<u16> {
    if before & AUTOCOMMIT != 0 && is_plain(text) {
        return vec![before];
    }
    let mut flags = before;
    let statements = sql::statements(text, Dialect::Mysql);
    statements
        .iter()
        .map(|statement| {
            flags = after(flags, statement);
            flags
        })
        .collect()
}

/// Whether it is one statement that leaves the flags as they are, as far as that is seen at once: most
/// are, and need not be cut into tokens.
fn is_plain(text: &str) -> bool {
    let word = text.trim_start().split(|char: char| !char.is_ascii_alphabetic()).next();
    let word = word.unwrap_or_default();
    let plain = ["select", "insert", "update", "delete", "replace"];
    plain.iter().any(|plain| word.eq_ignore_ascii_case(plain)) && !text.contains(';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_turns_autocommit_off_opens_transactions_unasked() {
        let said = [
            "SET autocommit=0",
            "set names utf8mb4, @@session.autocommit = ON",
            "SET x=1",
            "sel",
            "SELECT 1",
        ];
        assert_eq!(said.map(unasked), [Some(true), Some(false), None, None, None]);
    }

    #[test]
    fn statements_say_whether_a_transaction_is_open() {
        let text = "BEGIN; SELECT 1; COMMIT; SET NAMES utf8mb4, @@session.autocommit = 0; SELECT 1; \
                    SELECT a FROM t; ROLLBACK TO x; DROP TABLE t; START TRANSACTION READ ONLY; SET autocommit=ON";
        let flags = after_each(AUTOCOMMIT, text);
        let expected = [3, 3, 2, 0, 0, 1, 1, 0, 0x2001, 2];
        assert_eq!(flags, expected);
    }

    #[test]
    fn flags_have_names() {
        let value = to_value(3);
        assert_eq!(value, Value::from(vec!["in transaction", "autocommit"]));
        assert_eq!(from_value(&value), Ok(3));
        assert!(from_value(&Value::from(vec!["x"])).is_err());
    }
}
