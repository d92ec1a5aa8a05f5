//! What a statement says of the schema of its database: the one table that it is about, the columns
//! that it writes, the names that it makes up.
//!
//! It is read from words. What these leave open, such as a second table, is answered by nothing
//! rather than by a guess.

use super::token::{Kind, Token};
use super::{Dialect, verb};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Things remembered of one connection; what comes after that many is not looked at.
const MOST: usize = 8192;

/// What a connection has told already.
#[derive(Debug, Default)]
pub(crate) struct Lessons(HashSet<u64>);

impl Lessons {
    /// Whether something is new, once for each thing.
    pub(crate) fn is_new(&mut self, thing: impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        thing.hash(&mut hasher);
        self.0.len() < MOST && self.0.insert(hasher.finish())
    }
}

/// A column that a statement writes.
#[derive(Debug, PartialEq)]
pub(crate) struct Written {
    pub(crate) column: String,
    /// The number of the parameter that it gets just as it is, from 1.
    pub(crate) parameter: Option<usize>,
}

/// The table of a statement that is about one alone, as its database spells the name.
pub(crate) fn only_table(statement: &[Token<'_>], dialect: Dialect) -> Option<String> {
    let copies = statement.first().is_some_and(|first| first.is("copy"));
    let mut announced = usize::from(copies);
    for (place, token) in statement.iter().enumerate() {
        let before = |word: &str| place > 0 && statement[place - 1].is(word);
        let locks = before("for") || before("do") || before("key");
        let names = (token.is("from") && !copies) || token.is("into");
        announced += usize::from(names);
        announced += usize::from(token.is("update") && !locks);
        if ["join", "using", "union", "intersect", "except"].iter().any(|word| token.is(word)) {
            return None;
        }
    }
    let lists = statement.iter().skip_while(|token| !token.is("from"));
    let mut lists = lists.take_while(|token| {
        !["where", "group", "order", "limit", "returning"].iter().any(|word| token.is(word))
    });
    if announced != 1 || lists.any(|token| token.is(",") || token.is("(")) {
        return None;
    }
    verb::table(statement).map(|table| spelled(&table, statement, dialect))
}

/// A name as the database has it: PostgreSQL folds what stands without quotes, and its tables are
/// in `public` unless something else is said.
fn spelled(table: &str, statement: &[Token<'_>], dialect: Dialect) -> String {
    if dialect == Dialect::Mysql {
        return table.to_owned();
    }
    let parts = table.split('.').map(|part| {
        let quoted =
            |token: &Token<'_>| token.kind == Kind::Quoted && token.text.trim_matches('"') == part;
        if statement.iter().any(quoted) { part.to_owned() } else { part.to_lowercase() }
    });
    let whole = parts.collect::<Vec<_>>().join(".");
    whole.strip_prefix("public.").map_or_else(|| whole.clone(), str::to_owned)
}

/// Whether a statement may give a column that name itself: `total AS sum`, `total sum`.
pub(crate) fn is_alias(statement: &[Token<'_>], name: &str) -> bool {
    let mut gives = false;
    let leads = ["select", "returning", "distinct", "all", "case", "when", "then", "else", "and"];
    let also = ["or", "not", "is", "in", "like", "between"];
    statement.windows(2).any(|pair| {
        let [before, token] = pair else { return false };
        gives |= before.is("select") || before.is("returning");
        gives &= !before.is("from");
        let value = matches!(before.kind, Kind::String | Kind::Number | Kind::Parameter);
        let joined = before.is(")") || before.is("]") || value || before.is_name();
        let leads = leads.iter().chain(&also).any(|word| before.is(word));
        let named = token.is_name() && unquoted(*token).eq_ignore_ascii_case(name);
        gives && named && joined && !leads
    })
}

/// The columns that an INSERT or a COPY names or an UPDATE sets.
pub(crate) fn written(statement: &[Token<'_>], dialect: Dialect) -> Vec<Written> {
    match statement.first() {
        Some(first) if ["insert", "replace", "copy"].iter().any(|word| first.is(word)) => {
            inserted(statement, dialect)
        }
        Some(first) if first.is("update") => updated(statement, dialect),
        _ => Vec::new(),
    }
}

fn inserted(statement: &[Token<'_>], dialect: Dialect) -> Vec<Written> {
    let ends = |token: &Token<'_>| {
        let ends = ["values", "value", "select", "default", "with", "set", "from", "to"];
        ends.iter().any(|word| token.is(word))
    };
    let Some(end) = statement.iter().position(ends) else { return Vec::new() };
    let Some(open) = statement[..end].iter().position(|token| token.is("(")) else {
        return Vec::new();
    };
    let names = statement[open..end].iter().filter(|token| token.is_name());
    let plain = |column| Written { column, parameter: None };
    let mut columns: Vec<_> = names.map(|token| plain(folded(*token, dialect))).collect();
    if !statement[end].is("values") {
        return columns;
    }
    let (mut depth, mut column) = (0usize, 0);
    for place in end + 1..statement.len() {
        match statement[place].text {
            "(" if depth == 0 => (depth, column) = (1, 0),
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 1 => column += 1,
            _ if depth == 1 => {
                let parameter = direct(statement, place, &["(", ","], &[")", ","]);
                if let Some(column) = columns.get_mut(column) {
                    column.parameter = column.parameter.or(parameter);
                }
            }
            _ => {}
        }
    }
    columns
}

fn updated(statement: &[Token<'_>], dialect: Dialect) -> Vec<Written> {
    let Some(set) = statement.iter().position(|token| token.is("set")) else { return Vec::new() };
    let ends =
        |token: &&Token<'_>| !["where", "from", "returning"].iter().any(|word| token.is(word));
    let end = set + statement[set..].iter().take_while(ends).count();
    let (mut columns, mut depth) = (Vec::new(), 0usize);
    for place in set + 1..end {
        match statement[place].text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let begins = statement[place - 1].is("set") || statement[place - 1].is(",");
        let is_set = statement.get(place + 1).is_some_and(|next| next.is("="));
        if depth == 0 && begins && is_set && statement[place].is_name() {
            let behind = &[",", "where", "from", "returning"];
            let parameter = direct(statement, place + 2, &["="], behind);
            columns.push(Written { column: folded(statement[place], dialect), parameter });
        }
    }
    columns
}

/// The number of the parameter at a place, when nothing is done with it.
fn direct(
    statement: &[Token<'_>],
    place: usize,
    before: &[&str],
    behind: &[&str],
) -> Option<usize> {
    let token = statement.get(place).filter(|token| token.kind == Kind::Parameter)?;
    let follows = match statement.get(place + 1) {
        Some(next) => behind.iter().any(|word| next.is(word)),
        None => true,
    };
    let is_direct = follows && before.iter().any(|word| statement[place - 1].is(word));
    token.text.strip_prefix('$').filter(|_| is_direct)?.parse().ok()
}

fn unquoted(token: Token<'_>) -> &str {
    token.text.trim_matches(['"', '`'])
}

fn folded(token: Token<'_>, dialect: Dialect) -> String {
    match (dialect, token.kind) {
        (Dialect::Postgres, Kind::Word) => token.text.to_lowercase(),
        _ => unquoted(token).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::statements;

    fn table(sql: &str) -> Option<String> {
        only_table(&statements(sql, Dialect::Postgres)[0], Dialect::Postgres)
    }

    #[test]
    fn a_table_is_named_when_it_is_alone() {
        for sql in [
            "SELECT id FROM Orders o WHERE a = ANY($1)",
            "select * from public.orders for update",
            "INSERT INTO orders (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1",
            "UPDATE orders SET a = 1",
            "COPY orders (a) FROM STDIN",
            "COPY orders TO STDOUT",
            "delete from \"orders\" where a = f(1, 2)",
        ] {
            assert_eq!(table(sql).as_deref(), Some("orders"), "{sql}");
        }
        for sql in [
            "SELECT 1",
            "SELECT * FROM a, b",
            "SELECT * FROM a JOIN b ON true",
            "SELECT * FROM (SELECT * FROM a) x",
            "SELECT (SELECT count(*) FROM b) FROM a",
            "INSERT INTO a (x) SELECT x FROM b",
            "SELECT * FROM generate_series(1, 2)",
        ] {
            assert_eq!(table(sql), None, "{sql}");
        }
        assert_eq!(table("SELECT 1 FROM \"Orders\"").as_deref(), Some("Orders"));
    }

    #[test]
    fn names_that_a_statement_makes_up_are_told_apart() {
        let statement = "SELECT o.id, sku AS name, total sum, 1 one FROM t ORDER BY id";
        let statement = &statements(statement, Dialect::Postgres)[0];
        let made_up: Vec<_> =
            ["id", "name", "sum", "one", "sku"].map(|name| is_alias(statement, name)).into();
        assert_eq!(made_up, [false, true, true, true, false]);
        let statement = "UPDATE t SET id = $1 WHERE a = 2 RETURNING id";
        assert!(!is_alias(&statements(statement, Dialect::Postgres)[0], "id"));
    }

    #[test]
    fn columns_are_written_by_insert_and_update() {
        let check = |sql: &str, expected: &[(&str, Option<usize>)]| {
            let all = written(&statements(sql, Dialect::Postgres)[0], Dialect::Postgres);
            let all: Vec<_> = all.iter().map(|one| (one.column.as_str(), one.parameter)).collect();
            assert_eq!(all, expected, "{sql}");
        };
        let sql = "INSERT INTO t (Id, \"When\", c) VALUES ($1, $2::date, f($3, 1)), ($4, $5, $6)";
        check(sql, &[("id", Some(1)), ("When", Some(5)), ("c", Some(6))]);
        check("INSERT INTO t VALUES ($1)", &[]);
        check("COPY t (a, B) FROM STDIN (FORMAT text)", &[("a", None), ("b", None)]);
        check("COPY t FROM STDIN (FORMAT text)", &[]);
        check("INSERT INTO t (a) SELECT b FROM u", &[("a", None)]);
        check(
            "UPDATE t SET a = $2, b = b + $1, c = f(x, y = $3) WHERE d = $4",
            &[("a", Some(2)), ("b", None), ("c", None)],
        );
        check("DELETE FROM t", &[]);
    }
}
