//! What kind of statement a text of SQL is, judged by its words.

use super::Dialect;
use super::token::{Kind, Token, statements, tokens};
use crate::Bracket;

/// The verb and the first table: `SELECT orders`.
pub(crate) fn operation(sql: &str, dialect: Dialect) -> String {
    let all = statements(sql, dialect);
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

/// The first table of a text, in lower case.
pub(crate) fn subject(sql: &str, dialect: Dialect) -> Option<String> {
    let all = statements(sql, dialect);
    Some(all.iter().find_map(|statement| table(statement))?.to_lowercase())
}

/// Whether asking again is harmless: every statement only reads.
pub(crate) fn repeatable(sql: &str, dialect: Dialect) -> bool {
    statements(sql, dialect).iter().all(|statement| reads(statement, dialect))
}

/// Whether a text does nothing but end a transaction or go back to its savepoint.
pub(crate) fn rolls_back(sql: &str, dialect: Dialect) -> bool {
    matches!(&statements(sql, dialect)[..], [only] if only[0].is("rollback") || only[0].is("abort"))
}

/// Whether a text does nothing but end a transaction, in whichever way.
pub(crate) fn ends_transaction(sql: &str, dialect: Dialect) -> bool {
    let all = statements(sql, dialect);
    let [only] = &all[..] else { return false };
    let ends = ["commit", "end", "rollback", "abort"].iter().any(|verb| only[0].is(verb));
    ends && !only.iter().any(|token| token.is("to") || token.is("prepared"))
}

/// What a text does to the transaction that is open on its connection, as far as it says so itself: a
/// server that is told to commit each statement, or none, opens and ends them unasked.
pub(crate) fn bracket(sql: &str, dialect: Dialect) -> Option<Bracket> {
    let begin = sql.trim_start().as_bytes();
    let begins = |word: &&str| {
        begin.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word.as_bytes()))
    };
    // Most texts need not be taken apart for that.
    if !["begin", "start", "commit", "end", "rollback", "abort", "/*", "--", "#"].iter().any(begins)
    {
        return None;
    }
    if ends_transaction(sql, dialect) {
        return Some(Bracket::Ends);
    }
    let all = statements(sql, dialect);
    let (first, last) = (all.first()?, all.last()?);
    let starts = first[0].is("start") && first.get(1).is_some_and(|next| next.is("transaction"));
    let ended = ["commit", "end", "rollback", "abort"].iter().any(|verb| last[0].is(verb));
    ((first[0].is("begin") || starts) && !ended).then_some(Bracket::Opens)
}

/// The trace ids in comments that follow sqlcommenter: `/*traceparent='00-…'*/`.
pub(crate) fn trace(sql: &str, dialect: Dialect) -> Vec<String> {
    // Nearly no text has one, and looking for comments takes it apart.
    if !sql.contains("traceparent='") {
        return Vec::new();
    }
    let comments = tokens(sql, dialect).filter(|token| token.kind == Kind::Comment);
    let ids = comments.filter_map(|comment| {
        let (_, behind) = comment.text.split_once("traceparent='")?;
        let (value, _) = behind.split_once('\'')?;
        let id = value.split('-').nth(1)?;
        (!id.is_empty()).then(|| id.to_owned())
    });
    ids.collect()
}

/// The word that says what is done. `WITH` says nothing: the first one of the main statement does.
pub(crate) fn verb<'a>(statement: &[Token<'a>]) -> &'a str {
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
pub(crate) const BETWEEN: &[&str] = &[
    "only",
    "ignore",
    "low_priority",
    "delayed",
    "if",
    "not",
    "exists",
    "table",
    "lateral",
    "unlogged",
    "temp",
    "temporary",
];

/// The first table of a statement, with its schema where that is named.
pub(crate) fn table(statement: &[Token<'_>]) -> Option<String> {
    let announces = |token: &Token<'_>| {
        ["from", "into", "update", "table", "copy", "truncate"].iter().any(|word| token.is(word))
    };
    let verb = verb(statement);
    let plain = [
        "select", "insert", "update", "delete", "merge", "copy", "create", "drop", "alter",
        "truncate", "lock", "replace", "load",
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
        whole.push_str(name.text.trim_matches(['"', '`']));
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

/// Whether a statement only reads.
pub(crate) fn reads(statement: &[Token<'_>], dialect: Dialect) -> bool {
    let verb = verb(statement);
    if !dialect.reading().iter().any(|read| verb.eq_ignore_ascii_case(read)) {
        return false;
    }
    let locks = statement.windows(2).any(|pair| {
        let shares = pair[0].is("lock") && pair[1].is("in") && dialect == Dialect::Mysql;
        let locking = ["update", "share", "no", "key"].iter().any(|word| pair[1].is(word));
        (pair[0].is("for") && locking) || shares
    });
    let writes = |token: &Token<'_>| {
        let changes = ["insert", "update", "delete", "merge", "into", ":="];
        let advisory = token.text.to_ascii_lowercase().contains("advisory");
        changes.iter().chain(dialect.changing()).any(|word| token.is(word)) || advisory
    };
    !locks && !statement.iter().any(writes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_a_transaction_and_what_ends_it() {
        let of = |sql| bracket(sql, Dialect::Postgres);
        for sql in ["BEGIN", "  begin;", "START TRANSACTION READ ONLY", "/* by */ BEGIN; SELECT 1"]
        {
            assert_eq!(of(sql), Some(Bracket::Opens), "{sql}");
        }
        for sql in ["COMMIT", "rollback;", "END", "-- by\nABORT"] {
            assert_eq!(of(sql), Some(Bracket::Ends), "{sql}");
        }
        let both = "BEGIN; SELECT 1; COMMIT";
        for sql in ["SELECT 1", "ROLLBACK TO a", both, "COMMIT PREPARED 'a'", "", "start"] {
            assert_eq!(of(sql), None, "{sql}");
        }
    }

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
            assert_eq!(operation(sql, Dialect::Postgres), expected, "{sql}");
        }
        for (sql, expected) in [
            ("select `id` from `shop`.`Orders`", "SELECT shop.Orders"),
            ("replace into t values (1)", "REPLACE t"),
            ("insert ignore into t values (1)", "INSERT t"),
        ] {
            assert_eq!(operation(sql, Dialect::Mysql), expected, "{sql}");
        }
    }

    #[test]
    fn finds_what_a_text_is_about() {
        let subject = |sql| subject(sql, Dialect::Postgres);
        assert_eq!(subject("BEGIN; UPDATE Orders SET a = 1").as_deref(), Some("orders"));
        assert_eq!(subject("WITH x AS (SELECT 1) DELETE FROM t"), Some("t".to_owned()));
        assert_eq!(subject("COMMIT"), None);
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
            assert!(repeatable(sql, Dialect::Postgres), "{sql}");
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
            assert!(!repeatable(sql, Dialect::Postgres), "{sql}");
        }
    }

    #[test]
    fn mysql_has_its_own_words_for_it() {
        for sql in ["DESC t", "select replace(a, 'b', 'c') from t", "show create table t"] {
            assert!(repeatable(sql, Dialect::Mysql), "{sql}");
        }
        for sql in [
            "select a from t lock in share mode",
            "select @n := @n + 1",
            "select get_lock('a', 1)",
            "select last_insert_id()",
            "call p()",
        ] {
            assert!(!repeatable(sql, Dialect::Mysql), "{sql}");
        }
    }

    #[test]
    fn finds_the_trace_in_a_comment() {
        let sql = "SELECT 1 /*action='x',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/";
        assert_eq!(trace(sql, Dialect::Postgres), ["5bd66ef5095369c7b0d1f8f4bd33716a"]);
    }
}
