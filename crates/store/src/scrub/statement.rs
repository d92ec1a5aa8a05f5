//! Which names the values in a statement of SQL belong to: columns that are set, inserted or compared,
//! settings, and the passwords of roles.

use std::ops::Range;

/// Tokens of a statement that are looked at; one with more inserts a great many rows.
const MOST: usize = 1 << 16;

/// Where a value stands.
#[derive(Debug, PartialEq)]
pub(super) enum Place {
    /// The parameter of this number, from 0.
    Parameter(usize),
    /// What is between the quotes.
    Literal(Range<usize>),
}

#[derive(Debug, PartialEq)]
enum Token<'a> {
    Name(&'a str),
    /// In double quotes: a name or a string, which depends on the dialect.
    Doubled(Range<usize>),
    Value(Place),
    Mark(u8),
}

/// The values that have a name, in the order in which they stand.
pub(super) fn named_values(sql: &str) -> Vec<(String, Place)> {
    let tokens = tokens(sql);
    let mut reading = Reading { columns: inserted(&tokens, sql), ..Reading::default() };
    let mut found = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let sets = matches!(tokens.peek(), Some(Token::Mark(b'=')));
        let at_once = matches!(tokens.peek(), Some(Token::Value(_)));
        let place = match token {
            Token::Value(place) => place,
            Token::Doubled(range) if !sets && reading.wants_value() => Place::Literal(range),
            Token::Doubled(range) => {
                reading.name(&sql[range], sets, at_once);
                continue;
            }
            Token::Name(name) => {
                reading.name(name, sets, at_once);
                continue;
            }
            Token::Mark(mark) => {
                reading.mark(mark);
                continue;
            }
        };
        if let Some(name) = reading.belongs_to() {
            found.push((name.to_owned(), place));
        }
        reading.seen_value();
    }
    found
}

/// What is known while a statement is read.
#[derive(Default)]
struct Reading<'a> {
    /// The columns of an INSERT, until its VALUES are over.
    columns: Vec<&'a str>,
    in_values: bool,
    depth: usize,
    item: usize,
    /// What the next value is for, and how deep that was said.
    current: Option<(String, usize)>,
}

impl Reading<'_> {
    fn wants_value(&self) -> bool {
        self.current.is_some() || (self.in_values && self.depth > 0)
    }

    fn belongs_to(&self) -> Option<&str> {
        if self.in_values && self.depth > 0 {
            return self.columns.get(self.item).copied();
        }
        self.current.as_ref().map(|(name, _)| name.as_str())
    }

    fn name(&mut self, name: &str, sets: bool, at_once: bool) {
        let is = |words: &[&str]| words.iter().any(|word| name.eq_ignore_ascii_case(word));
        if is(&["values", "value"]) && !self.columns.is_empty() {
            (self.in_values, self.depth) = (true, 0);
        } else if self.in_values && self.depth == 0 && is(&["on", "returning", "as"]) {
            self.in_values = false;
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        let parts =
            ["and", "or", "where", "set", "from", "order", "group", "limit", "then", "when"];
        if is(&parts) && !sets {
            self.current = None;
        } else if is(&["identified"]) {
            // A role's password: `IDENTIFIED WITH plugin BY 'x'`.
            self.current = Some(("password".to_owned(), self.depth));
        } else if sets || (at_once && self.current.is_none()) {
            self.current = Some((last.trim_start_matches('@').to_owned(), self.depth));
        }
    }

    fn mark(&mut self, mark: u8) {
        match mark {
            b'(' => {
                self.depth += 1;
                if self.depth == 1 {
                    self.item = 0;
                }
            }
            b')' => {
                self.depth = self.depth.saturating_sub(1);
                self.current.take_if(|(_, depth)| *depth > self.depth);
            }
            b',' => {
                self.item += usize::from(self.depth == 1);
                self.current.take_if(|(_, depth)| *depth == self.depth);
            }
            b';' => *self = Reading::default(),
            _ => {}
        }
    }

    /// A name without `=` is that of one value.
    fn seen_value(&mut self) {
        self.current.take_if(|(_, depth)| *depth == self.depth);
    }
}

/// The columns that an INSERT names.
fn inserted<'a>(tokens: &[Token<'a>], sql: &'a str) -> Vec<&'a str> {
    let is = |token: &Token<'_>, words: &[&str]| match token {
        Token::Name(name) => words.iter().any(|word| name.eq_ignore_ascii_case(word)),
        _ => false,
    };
    let Some(start) = tokens.iter().position(|token| is(token, &["insert", "replace"])) else {
        return Vec::new();
    };
    let rest = &tokens[start..];
    let Some(open) = rest.iter().position(|token| *token == Token::Mark(b'(')) else {
        return Vec::new();
    };
    if rest[..open].iter().any(|token| is(token, &["values", "value", "select", "set"])) {
        return Vec::new();
    }
    let list = rest[open + 1..].iter().take_while(|token| **token != Token::Mark(b')'));
    list.filter_map(|token| match token {
        Token::Name(name) => Some(*name),
        Token::Doubled(range) => Some(&sql[range.clone()]),
        _ => None,
    })
    .collect()
}

fn tokens(sql: &str) -> Vec<Token<'_>> {
    let (bytes, mut at, mut asked) = (sql.as_bytes(), 0, 0);
    let numbered = sql.contains("$1");
    let mut out = Vec::new();
    while let Some(&byte) = bytes.get(at) {
        if out.len() == MOST {
            break;
        }
        let start = at;
        at += 1;
        match byte {
            b'\'' | b'"' | b'`' => {
                let end = closing(bytes, at, byte);
                out.push(match byte {
                    b'\'' => Token::Value(Place::Literal(at..end)),
                    b'"' => Token::Doubled(at..end),
                    _ => Token::Name(&sql[at..end]),
                });
                at = (end + 1).min(bytes.len());
            }
            b'$' if bytes.get(at).is_some_and(u8::is_ascii_digit) => {
                at = run(bytes, at, |byte| byte.is_ascii_digit());
                if let Some(number) =
                    sql[start + 1..at].parse().ok().and_then(|it: usize| it.checked_sub(1))
                {
                    out.push(Token::Value(Place::Parameter(number)));
                }
            }
            b'?' if !numbered => {
                out.push(Token::Value(Place::Parameter(asked)));
                asked += 1;
            }
            b'-' if bytes.get(at) == Some(&b'-') => at = run(bytes, at, |byte| byte != b'\n'),
            b'/' if bytes.get(at) == Some(&b'*') => {
                at = sql[at..].find("*/").map_or(bytes.len(), |end| at + end + 2);
            }
            b':' if bytes.get(at) == Some(&b'=') => {
                at += 1;
                out.push(Token::Mark(b'='));
            }
            b'<' | b'>' | b'!' => at = run(bytes, at, |byte| matches!(byte, b'=' | b'>' | b'<')),
            b'(' | b')' | b',' | b';' | b'=' => out.push(Token::Mark(byte)),
            _ if is_word(byte) => {
                at = run(bytes, at, |byte| is_word(byte) || byte == b'.');
                let word = &sql[start..at];
                // `E'x'` and the like are strings.
                if !(word.len() == 1 && bytes.get(at) == Some(&b'\'')) {
                    out.push(Token::Name(word));
                }
            }
            _ => {}
        }
    }
    out
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
        || byte == b'_'
        || byte == b'@'
        || !byte.is_ascii()
        || byte.is_ascii_digit()
}

fn run(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |end| from + end)
}

/// Where quoted text ends: not at a quote that is doubled or escaped.
fn closing(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(next)) if *next == quote || *next == b'\\' => at += 2,
            (byte, Some(next)) if byte == quote && *next == quote => at += 2,
            (byte, _) if byte == quote => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        let found: Vec<_> = named_values(sql)
            .into_iter()
            .map(|(name, place)| match place {
                Place::Parameter(number) => format!("{name} {number}"),
                Place::Literal(range) => format!("{name} '{}'", &sql[range]),
            })
            .collect();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn an_insert_names_its_columns() {
        check(
            "INSERT INTO users (name, password) VALUES ($1, crypt($2, 'x')), ('bob', 'it''s')",
            &["name 0", "password 1", "password 'x'", "name 'bob'", "password 'it''s'"],
        );
        check("insert into `users` (`name`, `pwd`) value (?, ?)", &["name 0", "pwd 1"]);
        check(
            r#"INSERT INTO u ("Token") VALUES ("x") ON CONFLICT DO UPDATE SET a = 'b'"#,
            &["Token 'x'", "a 'b'"],
        );
        check("INSERT INTO users VALUES ('a', 'b')", &[]);
    }

    #[test]
    fn what_is_set_or_asked_for_has_a_name() {
        check(
            "UPDATE users SET password = lower($2), \"api_key\"=E'x' WHERE u.token = $1 AND $3 > n",
            &["password 1", "api_key 'x'", "token 0"],
        );
        check("SELECT 1 FROM t WHERE a = 'b' AND 'c' < d OR e IN ('f')", &["a 'b'"]);
        check("SET @password := 'x', b = 2", &["password 'x'"]);
        check("-- a = 'b'\n/* c = 'd' */ UPDATE t SET e = 'f\\'g'", &["e 'f\\'g'"]);
    }

    #[test]
    fn roles_have_passwords() {
        check("CREATE ROLE a LOGIN PASSWORD 'x' VALID UNTIL 'y'", &["PASSWORD 'x'", "UNTIL 'y'"]);
        check(
            "CREATE USER 'a'@'h' IDENTIFIED WITH sha256 BY 'x'; SELECT 'y'",
            &["USER 'a'", "password 'x'", "SELECT 'y'"],
        );
    }

    proptest! {
        #[test]
        fn no_text_is_a_surprise(sql in "[a-c='\"`(),;$?0-9 \\\\é-]{0,60}") {
            for (_, place) in named_values(&sql) {
                if let Place::Literal(range) = place {
                    prop_assert!(sql.get(range).is_some());
                }
            }
        }
    }
}
