//! What kind of statement a text of SQL is, judged by its words.

use super::token::{Kind, Token, statements, tokens};

/// The verb and the first table: `SELECT orders`.
pub(in super::super) fn operation(sql: &str) -> String {
    let all = statements(sql);
    let Some(first) = all.first() else { return "empty statement".to_owned() };
    let verb = verb(first).to_uppercase();
    match table(first) {
        Some(table) => format!("{verb} {table}"),
        None => match (verb.as_str(), first.get(1)) {
            ("ROLLBACK", Some(to)) if to.is("to") => "ROLLBACK TO".to_owned(),
            ("SET" | "SHOW", Some(what)) => format!("{verb} {}", what.text),
            _ => verb,
        },
    }
}

/// Whether asking again is harmless: every statement only reads.
pub(in super::super) fn repeatable(sql: &str) -> bool {
    statements(sql).iter().all(|statement| reads(statement))
}

/// Whether it is the chatter of a driver or a pool, which has nothing of the app's data in it.
pub(in super::super) fn sets_up(sql: &str) -> bool {
    statements(sql).iter().all(|statement| is_chatter(statement))
}

/// Whether a text does nothing but end a transaction or go back to its savepoint.
pub(in super::super) fn rolls_back(sql: &str) -> bool {
    matches!(&statements(sql)[..], [only] if only[0].is("rollback") || only[0].is("abort"))
}

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

/// The trace ids in comments that follow sqlcommenter: `/*traceparent='00-…'*/`.
pub(in super::super) fn trace(sql: &str) -> Vec<String> {
    let comments = tokens(sql).filter(|token| token.kind == Kind::Comment);
    let ids = comments.filter_map(|comment| {
        let (_, behind) = comment.text.split_once("traceparent='")?;
        let (value, _) = behind.split_once('\'')?;
        let id = value.split('-').nth(1)?;
        (!id.is_empty()).then(|| id.to_owned())
    });
    ids.collect()
}

/// The word that says what is done. `WITH` says nothing: the first one of the main statement does.
fn verb<'a>(statement: &[Token<'a>]) -> &'a str {
    let first = statement[0];
    if !first.is("with") {
        return first.text;
    }
    let mut depth = 0usize;
    for token in statement {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth == 0
                && ["select", "insert", "update", "delete", "merge", "values"]
                    .iter()
                    .any(|verb| token.is(verb)) =>
            {
                return token.text;
            }
            _ => {}
        }
    }
    first.text
}

/// Words between the one that announces a table and its name.
const BETWEEN: &[&str] = &["only", "if", "not", "exists", "table", "lateral", "unlogged", "temp"];

fn table(statement: &[Token<'_>]) -> Option<String> {
    let announces = |token: &Token<'_>| {
        ["from", "into", "update", "table", "copy", "truncate"].iter().any(|word| token.is(word))
    };
    let verb = verb(statement);
    let plain = [
        "select", "insert", "update", "delete", "merge", "copy", "create", "drop", "alter",
        "truncate", "lock",
    ];
    if !plain.iter().any(|word| verb.eq_ignore_ascii_case(word)) {
        return None;
    }
    let start = statement.iter().position(|token| token.text == verb)?;
    let mut rest = statement[start..].iter().skip_while(|token| !announces(token)).skip(1);
    let mut name = rest.find(|token| !BETWEEN.iter().any(|word| token.is(word)))?;
    let mut whole = String::new();
    loop {
        if !name.is_name() {
            break;
        }
        whole.push_str(name.text.trim_matches('"'));
        match (rest.next(), rest.next()) {
            (Some(dot), Some(next)) if dot.is(".") => {
                whole.push('.');
                name = next;
            }
            _ => break,
        }
    }
    (!whole.is_empty()).then_some(whole)
}

/// Functions that change something although they are selected.
const CHANGING: &[&str] = &[
    "nextval",
    "setval",
    "pg_notify",
    "lo_create",
    "lo_creat",
    "lo_import",
    "lo_unlink",
    "lowrite",
    "pg_terminate_backend",
    "pg_cancel_backend",
];

fn reads(statement: &[Token<'_>]) -> bool {
    let verb = verb(statement);
    if !["select", "show", "values", "table", "explain"]
        .iter()
        .any(|read| verb.eq_ignore_ascii_case(read))
    {
        return false;
    }
    let locks = statement.windows(2).any(|pair| {
        pair[0].is("for") && ["update", "share", "no", "key"].iter().any(|word| pair[1].is(word))
    });
    let writes = |token: &Token<'_>| {
        let changes = ["insert", "update", "delete", "merge", "into"];
        let advisory = token.text.to_ascii_lowercase().contains("advisory");
        changes.iter().chain(CHANGING).any(|word| token.is(word)) || advisory
    };
    !locks && !statement.iter().any(writes)
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
    if !verb.eq_ignore_ascii_case("select") || !reads(statement) {
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
    fn names_the_operation() {
        for (sql, expected) in [
            ("select * from Orders where a = 1", "SELECT Orders"),
            ("INSERT INTO public.orders (a) VALUES (1)", "INSERT public.orders"),
            ("/* x */ update only \"Orders\" set a = 1", "UPDATE Orders"),
            ("with x as (select 1) delete from t using x", "DELETE t"),
            ("BEGIN", "BEGIN"),
            ("rollback to savepoint a", "ROLLBACK TO"),
            ("COPY t (a) FROM STDIN", "COPY t"),
            ("CREATE TABLE IF NOT EXISTS t (a int)", "CREATE t"),
            ("select 1", "SELECT"),
            (" ; ", "empty statement"),
        ] {
            assert_eq!(operation(sql), expected, "{sql}");
        }
    }

    #[test]
    fn tells_reads_from_what_changes_or_locks() {
        for sql in [
            "SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'orders'",
            "SELECT table_name FROM information_schema.tables",
            "SELECT 1",
            "show x",
            "VALUES (1)",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "",
        ] {
            assert!(repeatable(sql), "{sql}");
        }
        for sql in [
            "SELECT * FROM t FOR UPDATE",
            "SELECT nextval('s')",
            "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
            "SELECT * INTO u FROM t",
            "FETCH 10 FROM c",
            "SELECT 1; COMMIT",
            "SELECT pg_advisory_lock(1)",
        ] {
            assert!(!repeatable(sql), "{sql}");
        }
    }

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

    #[test]
    fn finds_the_trace_in_a_comment() {
        let sql = "SELECT 1 /*action='x',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/";
        assert_eq!(trace(sql), ["5bd66ef5095369c7b0d1f8f4bd33716a"]);
    }
}
