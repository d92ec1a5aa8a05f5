//! The text of statements: how it is recorded, and what drivers chat about.

use crate::sql::{self, Dialect, Kind, Token, reads, statements, tokens};
use rehearsal_model::Value;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The text of a statement as recordings have it. Bytes that are not text, which drivers put between
/// quotes as they are, are written as `x'00ff'`.
pub(super) fn recorded(bytes: &[u8]) -> Value {
    let plain = Value::from_bytes(bytes);
    if matches!(plain, Value::Text(_)) {
        return plain;
    }
    let wide = widened(bytes);
    let mut out = Vec::new();
    let mut place = 0;
    for token in tokens(&wide, Dialect::Mysql).filter(|token| token.kind == Kind::String) {
        let start = token.text.as_ptr() as usize - wide.as_ptr() as usize;
        let raw = narrowed(token.text);
        if matches!(Value::from_bytes(&raw), Value::Text(_)) {
            continue;
        }
        out.extend(narrowed(&wide[place..start]));
        place = start + token.text.len();
        let hex = sql::unquoted(token.text).map(|inner| {
            let digits = narrowed(&inner).into_iter().fold(String::new(), |mut out, byte| {
                let _ = write!(out, "{byte:02x}");
                out
            });
            format!("x'{digits}'").into_bytes()
        });
        out.extend(hex.unwrap_or(raw));
    }
    out.extend(narrowed(&wide[place..]));
    match Value::from_bytes(&out) {
        text @ Value::Text(_) => text,
        _ => plain,
    }
}

/// Bytes as characters of the same numbers, so that any bytes can be cut into tokens.
fn widened(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn narrowed(text: &str) -> Vec<u8> {
    text.chars().map(|char| u8::try_from(u32::from(char)).unwrap_or(b'?')).collect()
}

/// The text to compare by: any bytes have one.
pub(super) fn of(sql: &Value) -> Option<Cow<'_, str>> {
    match sql {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Bytes(bytes) => Some(Cow::Owned(widened(bytes))),
        _ => None,
    }
}

pub(super) fn length(sql: &Value) -> usize {
    sql.as_bytes().map_or(0, <[u8]>::len)
}

/// How many parameters a statement takes.
pub(super) fn parameters(sql: &str) -> usize {
    tokens(sql, Dialect::Mysql).filter(|token| token.kind == Kind::Parameter).count()
}

/// Whether it is the chatter of a driver or a pool, which has nothing of the app's data in it.
pub(super) fn sets_up(sql: &str) -> bool {
    statements(sql, Dialect::Mysql).iter().all(|statement| is_chatter(statement))
}

/// Whether it only sets what lasts for the connection, or ends another, which any server does.
pub(super) fn is_setting(sql: &str) -> bool {
    let all = statements(sql, Dialect::Mysql);
    let sets = |statement: &Vec<Token<'_>>| {
        let first = ["set", "use", "kill"].iter().any(|word| statement[0].is(word));
        first && is_chatter(statement)
    };
    !all.is_empty() && all.iter().all(sets)
}

/// What may be shown without looking at the app's data.
const SHOWN: &[&str] = &[
    "variables",
    "session",
    "global",
    "status",
    "collation",
    "character",
    "charset",
    "engines",
    "plugins",
    "warnings",
];

/// Functions that tell about the server and the connection.
const TELLING: &[&str] = &[
    "version",
    "database",
    "schema",
    "connection_id",
    "user",
    "current_user",
    "session_user",
    "system_user",
    "current_role",
];

fn is_chatter(statement: &[Token<'_>]) -> bool {
    let first = statement[0];
    let second = |words: &[&str]| {
        statement.get(1).is_some_and(|token| words.iter().any(|word| token.is(word)))
    };
    if first.is("set") {
        return !statement.iter().any(|token| is_own_variable(*token));
    }
    if first.is("use") || first.is("kill") {
        return true;
    }
    if first.is("show") {
        return second(SHOWN) && !second(&["warnings"]);
    }
    if !first.is("select") || !reads(statement, Dialect::Mysql) {
        return false;
    }
    // Whether the server is still there.
    if matches!(statement, [_, only] if only.kind == Kind::Number) {
        return true;
    }
    if sql::table(statement).is_some() {
        return sql::table(statement).is_some_and(|table| is_catalogue(&table));
    }
    let calls = statement.windows(2).filter(|pair| pair[0].is_name() && pair[1].is("("));
    let mut calls = calls.map(|pair| pair[0]).peekable();
    let has_variables = statement.iter().any(|token| is_system_variable(*token));
    let asks = calls.peek().is_some() || has_variables;
    let is_plain = !statement.iter().any(|token| is_own_variable(*token));
    asks && is_plain && calls.all(|call| TELLING.iter().any(|known| call.is(known)))
}

/// Tables that say what the server is, not what is in it.
fn is_catalogue(table: &str) -> bool {
    let table = table.to_ascii_lowercase();
    let known = [
        "information_schema.collations",
        "information_schema.character_sets",
        "information_schema.engines",
        "information_schema.keywords",
        "information_schema.system_variables",
        "information_schema.global_variables",
        "information_schema.session_variables",
        "performance_schema.session_variables",
        "performance_schema.global_variables",
    ];
    known.contains(&table.as_str())
}

/// Variables that tell of the statement before.
const OF_STATEMENTS: &[&str] =
    &["warning_count", "error_count", "identity", "last_insert_id", "insert_id", "rand_seed1"];

fn is_system_variable(token: Token<'_>) -> bool {
    let name = token.text.to_ascii_lowercase();
    let Some(name) = name.strip_prefix("@@") else { return false };
    let name = name.rsplit('.').next().unwrap_or_default();
    token.kind == Kind::Word && !OF_STATEMENTS.contains(&name)
}

/// A variable of the app, or one that tells of the statement before.
fn is_own_variable(token: Token<'_>) -> bool {
    token.kind == Kind::Word && token.text.starts_with('@') && !is_system_variable(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_chatter_of_drivers() {
        for sql in [
            "SET NAMES utf8mb4",
            "SET autocommit=0, sql_mode = concat(@@sql_mode, ',STRICT_TRANS_TABLES')",
            "/* mysql-connector-java */SELECT @@session.auto_increment_increment AS a, @@tx_isolation",
            "SHOW VARIABLES LIKE 'sql_mode'",
            "SHOW SESSION VARIABLES",
            "select database()",
            "SELECT VERSION(), CONNECTION_ID()",
            "USE shop",
            "SELECT COUNT(*) FROM information_schema.character_sets",
            "/* ping */ SELECT 1",
            "",
        ] {
            assert!(sets_up(sql), "{sql}");
        }
        for sql in [
            "SELECT 'a'",
            "SELECT 1 FROM t",
            "BEGIN",
            "SET @a = 1",
            "SELECT @a",
            "SELECT @@warning_count",
            "SELECT LAST_INSERT_ID()",
            "SELECT now()",
            "SHOW TABLES",
            "SHOW WARNINGS",
            "SELECT version() FROM t",
            "SELECT * FROM information_schema.tables",
        ] {
            assert!(!sets_up(sql), "{sql}");
        }
    }

    #[test]
    fn bytes_between_quotes_are_shown_in_hexadecimal() {
        let sql = b"INSERT INTO t VALUES ('\xc3\xa9', _binary'\\0\xff\\'', \"a\")";
        assert_eq!(
            recorded(sql),
            Value::from("INSERT INTO t VALUES ('\u{e9}', _binaryx'00ff27', \"a\")")
        );
        assert_eq!(recorded(b"SELECT 1"), Value::from("SELECT 1"));
        let other = b"SELECT \xff";
        assert_eq!(recorded(other), Value::Bytes(other.to_vec()));
        assert_eq!(of(&recorded(other)).as_deref(), Some("SELECT \u{ff}"));
    }

    #[test]
    fn parameters_are_counted() {
        assert_eq!(parameters("SELECT ?, '?', `?` /* ? */ # ?\n, ?"), 2);
    }
}
