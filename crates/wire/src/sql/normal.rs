//! The form of a statement in which everything that says the same is equal.
//!
//! White space, comments and the case of unquoted words go; literals become `?` and are kept beside
//! the text as values; a list in `IN (…)` counts as one value; numbers in the names that drivers
//! make up go.

use super::Dialect;
use super::token::{Kind, Token, statements};
use rehearsal_model::{Map, Number, Value};

/// A text of SQL in normal form.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Normal {
    pub(crate) sql: String,
    /// The literals in order; those of one `IN (…)` are one list.
    pub(crate) literals: Vec<Value>,
    /// What each of them is for, where an INSERT says so.
    names: Vec<Option<String>>,
    /// What each parameter is for, where an INSERT says so, by its number less one.
    pub(crate) columns: Vec<Option<String>>,
}

/// Words that are written in capitals. Others are in lower case; what matters is only that two
/// spellings come out the same.
const CAPITALS: &[&str] = &[
    "ALL",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "BEGIN",
    "BETWEEN",
    "BY",
    "CASE",
    "CLOSE",
    "COMMIT",
    "CONFLICT",
    "COPY",
    "CREATE",
    "CROSS",
    "DECLARE",
    "DELETE",
    "DESC",
    "DISTINCT",
    "DO",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "FALSE",
    "FETCH",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "RELEASE",
    "RETURNING",
    "RIGHT",
    "ROLLBACK",
    "SAVEPOINT",
    "SELECT",
    "SET",
    "START",
    "TABLE",
    "THEN",
    "TO",
    "TRANSACTION",
    "TRUE",
    "UNION",
    "UPDATE",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Statements in which drivers use names that they made up.
const NAMING: &[&str] = &[
    "SAVEPOINT",
    "RELEASE",
    "ROLLBACK",
    "DECLARE",
    "FETCH",
    "MOVE",
    "CLOSE",
    "DEALLOCATE",
    "PREPARE",
    "EXECUTE",
];

/// A text of SQL in normal form.
pub(crate) fn normalise(sql: &str, dialect: Dialect) -> Normal {
    write(sql, dialect, false)
}

/// A text of SQL in a form that is equal when the types of its literals are, which decide what it
/// gives: `1` is `?`, `1.5` is `?.?`, and `'a'` is `'?'`.
pub(crate) fn outline(sql: &str, dialect: Dialect) -> String {
    write(sql, dialect, true).sql
}

fn write(sql: &str, dialect: Dialect, typed: bool) -> Normal {
    let mut normal = Normal::default();
    let mut params = 0;
    for statement in statements(sql, dialect) {
        if !normal.sql.is_empty() {
            normal.sql.push_str("; ");
        }
        let naming = NAMING.iter().any(|word| statement[0].is(word));
        let columns = insert_columns(&statement);
        let writer = Writer { normal: &mut normal, before: None, naming, typed, dialect };
        writer.write(&statement, &columns);
        name_parameters(&statement, &columns, &mut params, &mut normal.columns);
    }
    normal
}

impl Normal {
    /// The literals by number, as `?1`, or `?1 amount` where an INSERT names the column.
    pub(crate) fn values(self) -> Map {
        let named = self.literals.into_iter().zip(self.names).zip(1usize..);
        let key = |name: Option<String>, number| match name {
            Some(name) => format!("?{number} {name}"),
            None => format!("?{number}"),
        };
        named.map(|((value, name), number)| (key(name, number), value)).collect()
    }
}

struct Writer<'a, 'b> {
    normal: &'a mut Normal,
    before: Option<Token<'b>>,
    naming: bool,
    typed: bool,
    dialect: Dialect,
}

impl<'b> Writer<'_, 'b> {
    fn write(mut self, statement: &[Token<'b>], columns: &[Option<&str>]) {
        let mut place = 0;
        while let Some(token) = statement.get(place) {
            let column = columns.get(place).copied().flatten();
            place += 1;
            // What is declared or prepared has the names of the app.
            self.naming &= !(token.is("for") || token.is("as"));
            self.space(*token);
            self.token(*token, column);
            let opens = token.is("(") && place > 1 && statement[place - 2].is("in");
            if opens && let Some(items) = list(&statement[place..]) {
                self.list(items);
                place += items.len();
                self.before = items.last().copied();
            } else {
                self.before = Some(*token);
            }
        }
    }

    /// A canonical space, whatever stood there.
    fn space(&mut self, token: Token<'_>) {
        let Some(before) = self.before else { return };
        let tight = [")", ",", ".", "::", "[", "]", ";"].iter().any(|mark| token.is(mark))
            || ["(", ".", "::", "["].iter().any(|mark| before.is(mark))
            || (token.is("(") && before.is_name() && !is_capital(before));
        if !tight {
            self.normal.sql.push(' ');
        }
    }

    fn token(&mut self, token: Token<'_>, column: Option<&str>) {
        let sql = &mut self.normal.sql;
        match token.kind {
            Kind::String | Kind::Number => {
                sql.push_str(match (token.kind, self.typed) {
                    (Kind::String, true) => "'?'",
                    (Kind::Number, true) if token.text.contains(['.', 'e', 'E']) => "?.?",
                    _ => "?",
                });
                self.normal.literals.push(literal(token, self.dialect));
                self.normal.names.push(column.map(str::to_owned));
            }
            Kind::Word if is_capital(token) => sql.push_str(&token.text.to_ascii_uppercase()),
            Kind::Word | Kind::Quoted if self.naming => sql.push_str(&unnumbered(token)),
            Kind::Word => sql.push_str(&token.text.to_lowercase()),
            Kind::Quoted | Kind::Parameter | Kind::Mark | Kind::Comment => sql.push_str(token.text),
        }
    }

    fn list(&mut self, items: &[Token<'_>]) {
        let (literals, others): (Vec<&Token<'_>>, Vec<&Token<'_>>) = items
            .iter()
            .filter(|item| !item.is(","))
            .partition(|item| matches!(item.kind, Kind::String | Kind::Number));
        if !literals.is_empty() {
            let values: Vec<_> =
                literals.into_iter().map(|token| literal(*token, self.dialect)).collect();
            self.normal.literals.push(Value::List(values));
            self.normal.names.push(None);
        }
        self.normal.sql.push_str(if others.is_empty() { "?" } else { "$" });
    }
}

/// The items of a list up to its closing bracket, when they are literals and parameters only.
fn list<'a, 'b>(tokens: &'a [Token<'b>]) -> Option<&'a [Token<'b>]> {
    let end = tokens.iter().position(|token| token.is(")"))?;
    let plain = |token: &Token<'_>| {
        matches!(token.kind, Kind::String | Kind::Number | Kind::Parameter) || token.is(",")
    };
    (end > 0 && tokens[..end].iter().all(plain)).then_some(&tokens[..end])
}

fn is_capital(token: Token<'_>) -> bool {
    token.kind == Kind::Word && CAPITALS.iter().any(|word| token.is(word))
}

/// A name with `#` for each part that has a digit in it or is a hexadecimal number.
fn unnumbered(token: Token<'_>) -> String {
    let mut out = String::new();
    let lower = token.text.to_lowercase();
    for part in lower.split_inclusive(|char: char| !char.is_alphanumeric()) {
        let word = part.trim_end_matches(|char: char| !char.is_alphanumeric());
        let made_up = word.contains(|char: char| char.is_ascii_digit())
            || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match made_up {
            true => {
                out.push('#');
                out.push_str(&part[word.len()..]);
            }
            false => out.push_str(part),
        }
    }
    out
}

/// A literal as a value: a number, or the text between plain quotes.
fn literal(token: Token<'_>, dialect: Dialect) -> Value {
    if token.kind == Kind::Number {
        return Number::parse(token.text).map_or_else(|| token.text.into(), Value::Number);
    }
    let inner = match dialect {
        Dialect::Postgres => {
            let inner = token.text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            inner.map(|inner| inner.replace("''", "'"))
        }
        Dialect::Mysql => unquoted(token.text),
    };
    inner.map_or_else(|| token.text.into(), Value::from)
}

/// What a string of MySQL means; `None` for one that has a letter before its quotes.
pub(crate) fn unquoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|char| matches!(char, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(unescaped(inner, quote))
}

/// What stands between quotes for MySQL (Reference Manual, "String Literals").
fn unescaped(inner: &str, quote: char) -> String {
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('0') => out.push('\0'),
                Some('b') => out.push('\u{8}'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('Z') => out.push('\u{1a}'),
                // These keep their backslash, for patterns.
                Some(wild @ ('%' | '_')) => out.extend(['\\', wild]),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            _ if char == quote => {
                out.push(quote);
                chars.next();
            }
            _ => out.push(char),
        }
    }
    out
}

/// For each token of `INSERT INTO t (a, b) VALUES ($1, 'x')` the column that it is for; empty when
/// the statement names none.
fn insert_columns<'a>(statement: &[Token<'a>]) -> Vec<Option<&'a str>> {
    let is_insert = statement[0].is("insert") || statement[0].is("replace");
    let open = statement.iter().position(|token| token.is("("));
    let values = statement.iter().position(|token| token.is("values"));
    let (true, Some(open), Some(values)) = (is_insert, open, values) else { return Vec::new() };
    if open > values {
        return Vec::new();
    }
    let names: Vec<_> = statement[open..values].iter().filter(|token| token.is_name()).collect();
    let mut columns = vec![None; values + 1];
    let (mut depth, mut column) = (0, 0);
    for token in &statement[values + 1..] {
        match token.text {
            "(" => {
                depth += 1;
                if depth == 1 {
                    column = 0;
                }
            }
            ")" => depth -= 1,
            "," if depth == 1 => column += 1,
            _ if depth == 0 && token.kind == Kind::Word => break,
            _ => {}
        }
        let name = names.get(column).filter(|_| depth > 0);
        columns.push(name.map(|name| name.text.trim_matches(['"', '`'])));
    }
    columns
}

/// Notes which column each parameter is for. Parameters without a number count on from those of the
/// statements before.
fn name_parameters(
    statement: &[Token<'_>],
    columns: &[Option<&str>],
    count: &mut usize,
    named: &mut Vec<Option<String>>,
) {
    let columns = columns.iter().copied().chain(std::iter::repeat(None));
    let params = statement.iter().zip(columns).filter(|(token, _)| token.kind == Kind::Parameter);
    for (token, column) in params {
        *count += 1;
        let number = match token.text {
            "?" => *count,
            text => text[1..].parse::<usize>().unwrap_or(0),
        };
        // A server takes at most 65,535 parameters.
        if let (Some(column), 1..=65_535) = (column, number) {
            if named.len() < number {
                named.resize(number, None);
            }
            named[number - 1] = Some(column.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, expected: &str) {
        for sql in [one, other] {
            assert_eq!(normalise(sql, Dialect::Postgres).sql, expected);
        }
    }

    #[test]
    fn spellings_of_one_statement_are_equal() {
        check(
            "select count(*) FROM Orders o where o.id=$1 -- x",
            "/* a */ SELECT count (*)\nfrom orders  o WHERE o . id = $1 ;",
            "SELECT count(*) FROM orders o WHERE o.id = $1",
        );
        check("select 'a', 2", "SELECT 'b',3.5", "SELECT ?, ?");
        check("select 1 where a in (1,2)", "select 1 where a IN ( 3 )", "SELECT ? WHERE a IN (?)");
        check(
            "delete from t where a in($1,$2)",
            "DELETE FROM t WHERE a IN ($1)",
            "DELETE FROM t WHERE a IN ($)",
        );
        check("SAVEPOINT s1_x2", "savepoint s44_x10", "SAVEPOINT #_#");
        check("MOVE 1 __p_3c__", "move 2 __p_f__", "move ? __p_#__");
        check(
            "DECLARE c1 CURSOR FOR SELECT a1",
            "DECLARE c2 CURSOR FOR SELECT a1",
            "DECLARE # cursor FOR SELECT a1",
        );
        let form = |sql| normalise(sql, Dialect::Postgres).sql;
        assert_ne!(form("SELECT \"A\""), form("SELECT a"));
    }

    #[test]
    fn literals_are_values() {
        let sql = "UPDATE t SET a = 'it''s', b = 2 WHERE c IN ('x', 'y')";
        let normal = normalise(sql, Dialect::Postgres);
        let list = Value::from(vec!["x", "y"]);
        assert_eq!(normal.literals, ["it's".into(), Value::from(2), list]);
    }

    #[test]
    fn mysql_has_escapes_and_other_names() {
        let normal = normalise("/*! select */ `a`,'it\\'s\\n',\"x\"\"y\" # z", Dialect::Mysql);
        assert_eq!(normal.sql, "SELECT `a`, ?, ?");
        assert_eq!(normal.literals, ["it's\n".into(), Value::from("x\"y")]);
    }

    #[test]
    fn an_insert_names_the_columns_of_its_literals() {
        let values = |sql| normalise(sql, Dialect::Postgres).values();
        let expected: [(&str, Value); 4] =
            [("?1 a", 1.into()), ("?2 b", "x".into()), ("?3 b", 2.into()), ("?4", 7.into())];
        let sql = "INSERT INTO t (a, b) VALUES (1, f('x')), ($1, 2) RETURNING 7";
        assert_eq!(values(sql), Map::from(expected));
        assert_eq!(values("INSERT INTO t VALUES (1)"), Map::from([("?1", 1)]));
    }

    #[test]
    fn an_insert_names_the_columns_of_its_parameters() {
        let sql = "INSERT INTO t (id, \"when\") VALUES ($1, now()), ($2, f($3, 1))";
        let normal = normalise(sql, Dialect::Postgres);
        let sql = "SELECT ?; REPLACE INTO t (id, `when`) VALUES (?, now()), (?, f(?, 1))";
        let mysql = normalise(sql, Dialect::Mysql);
        assert_eq!(mysql.columns[1..], normal.columns);
        let expected = [Some("id"), Some("id"), Some("when")];
        assert_eq!(normal.columns, expected.map(|name| name.map(str::to_owned)));
    }
}
