//! What is chatter of drivers, and what declares a cursor, judged by its words.

use super::{statements, tokens};
use crate::sql::{BETWEEN, Dialect, Kind, Token, reads, verb};

/// Whether it is the chatter of a driver or a pool, which has nothing of the app's data in it.
pub(in super::super) fn sets_up(sql: &str) -> bool {
    // Nearly every text says so in its first word.
    let mut tokens = tokens(sql).filter(|token| token.kind != Kind::Comment && !token.is(";"));
    tokens.next().is_none_or(|first| CHATTING.iter().any(|word| first.is(word)))
        && statements(sql).iter().all(|statement| is_chatter(statement))
}

/// Words with which chatter can begin.
const CHATTING: &[&str] = &["select", "show", "set", "reset", "discard", "deallocate", "with"];

/// The names of the cursors that a text declares.
pub(in super::super) fn cursors(sql: &str) -> Vec<String> {
    let all = statements(sql);
    let declared = all.iter().filter(|statement| statement[0].is("declare"));
    let names = declared.filter_map(|statement| statement.get(1)).map(|name| match name.kind {
        Kind::Quoted => name.text.trim_matches('"').replace("\"\"", "\""),
        _ => name.text.to_lowercase(),
    });
    names.collect()
}

/// Functions that tell about the server and the connection.
const TELLING: &[&str] = &[
    "version",
    "current_schema",
    "current_schemas",
    "current_database",
    "current_setting",
    "set_config",
    "pg_backend_pid",
    "pg_is_in_recovery",
    "current_user",
    "session_user",
    "current_catalog",
    "inet_server_addr",
    "inet_server_port",
    "pg_postmaster_start_time",
    "quote_ident",
    "to_regtype",
    "pg_encoding_to_char",
    "pg_client_encoding",
    "current_role",
];

fn is_chatter(statement: &[Token<'_>]) -> bool {
    let first = statement[0];
    if ["show", "set", "reset", "discard", "deallocate"].iter().any(|word| first.is(word)) {
        return true;
    }
    let verb = verb(statement);
    if !verb.eq_ignore_ascii_case("select") || !reads(statement, Dialect::Postgres) {
        return false;
    }
    let tables: Vec<String> = tables(statement).map(|table| catalogue(&table)).collect();
    if !tables.is_empty() {
        let has_types = tables.iter().any(|table| table == "pg_type");
        return tables.iter().all(|table| {
            let table = table.as_str();
            TYPES.contains(&table) || (has_types && RELATIONS.contains(&table))
        });
    }
    let calls = statement.windows(2).filter(|pair| pair[0].is_name() && pair[1].is("("));
    let mut calls = calls.map(|pair| pair[0]).peekable();
    let constants = statement.iter().any(|token| {
        ["current_user", "session_user", "current_catalog", "current_schema", "current_role"]
            .iter()
            .any(|word| token.is(word))
    });
    let asks = calls.peek().is_some() || constants;
    asks && calls.all(|call| TELLING.iter().any(|known| call.is(known)))
}

/// Tables of the catalogue that say what the server and its types are.
const TYPES: &[&str] = &[
    "pg_type",
    "pg_range",
    "pg_enum",
    "pg_namespace",
    "pg_proc",
    "pg_settings",
    "pg_database",
    "pg_roles",
    "pg_user",
    "pg_authid",
    "pg_collation",
    "pg_language",
    "pg_am",
    "pg_opclass",
    "pg_timezone_names",
    "pg_timezone_abbrevs",
];

/// Tables of the catalogue that say what types are made of when they are asked together with
/// them. By themselves they say what the app's tables are, which may change while it runs.
const RELATIONS: &[&str] = &["pg_class", "pg_attribute", "pg_description"];

/// The name of a table of the catalogue without its schema; that of any other as it is.
fn catalogue(table: &str) -> String {
    let table = table.to_ascii_lowercase();
    table.strip_prefix("pg_catalog.").map(str::to_owned).unwrap_or(table)
}

/// The tables behind each `FROM` and `JOIN`, as far as they are named; names that a `WITH` of the
/// statement defines are left out.
fn tables(statement: &[Token<'_>]) -> impl Iterator<Item = String> {
    let defined: Vec<&str> = statement
        .windows(3)
        .filter(|three| three[0].is_name() && three[1].is("as") && three[2].is("("))
        .map(|three| three[0].text)
        .chain(
            statement
                .windows(2)
                .filter(|two| two[1].is("(") && two[0].is_name())
                .map(|two| two[0].text),
        )
        .collect();
    let mut found = Vec::new();
    for (place, token) in statement.iter().enumerate() {
        if !(token.is("from") || token.is("join")) {
            continue;
        }
        let mut rest = statement[place + 1..]
            .iter()
            .skip_while(|token| BETWEEN.iter().any(|word| token.is(word)));
        while let Some(name) = rest.next().filter(|token| token.is_name()) {
            let mut whole = name.text.trim_matches('"').to_owned();
            let mut next = rest.next();
            while next.is_some_and(|token| token.is(".")) {
                let Some(part) = rest.next() else { break };
                whole = format!("{whole}.{}", part.text.trim_matches('"'));
                next = rest.next();
            }
            if !defined.contains(&whole.as_str()) {
                found.push(whole);
            }
            // `FROM a x, b y`: an alias may stand before the comma.
            while next.is_some_and(|token| token.is_name() && !is_clause(*token)) {
                next = rest.next();
            }
            if !next.is_some_and(|token| token.is(",")) {
                break;
            }
        }
    }
    found.into_iter()
}

fn is_clause(token: Token<'_>) -> bool {
    [
        "where", "join", "left", "right", "inner", "outer", "cross", "full", "on", "group",
        "order", "limit", "union", "natural", "having", "for",
    ]
    .iter()
    .any(|word| token.is(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_chatter_of_drivers() {
        for sql in [
            "SHOW search_path",
            "SET application_name = 'x'",
            "SELECT version()",
            "select current_schema()",
            "select pg_catalog.version()",
            "SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid",
            "SELECT current_setting('max_index_keys')",
            "DISCARD ALL",
            ";",
        ] {
            assert!(sets_up(sql), "{sql}");
        }
        for sql in
            ["SELECT 1", "SELECT * FROM t, pg_type", "BEGIN", "SELECT now()", "SELECT f(version())"]
        {
            assert!(!sets_up(sql), "{sql}");
        }
    }
}
