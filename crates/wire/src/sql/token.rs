//! Cuts SQL into tokens (PostgreSQL documentation, "Lexical Structure"; MySQL Reference Manual,
//! "Language Structure").
//!
//! Whatever is not closed (a string, a comment) ends with the text.

use super::Dialect;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A key word or a name.
    Word,
    /// A name in quotes.
    Quoted,
    /// A string in any of its forms.
    String,
    /// A number.
    Number,
    /// `$1` or `?`.
    Parameter,
    /// An operator or a punctuation mark.
    Mark,
    /// A comment.
    Comment,
}

/// A piece of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    /// Whether it is this word, in whatever case.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it can be the name of something.
    pub(crate) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }
}

/// The tokens of a text, comments included and white space left out.
pub(crate) fn tokens(sql: &str, dialect: Dialect) -> impl Iterator<Item = Token<'_>> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|char: char| char.is_whitespace() || char == '\0');
        let (kind, length) = match dialect {
            Dialect::Postgres => postgres(rest)?,
            Dialect::Mysql => mysql(rest)?,
        };
        let (text, behind) = rest.split_at(length);
        rest = behind;
        Some(Token { kind, text })
    })
}

/// The statements of a text, each as its tokens without comments; empty ones are left out.
pub(crate) fn statements(sql: &str, dialect: Dialect) -> Vec<Vec<Token<'_>>> {
    let mut all = vec![Vec::new()];
    for token in tokens(sql, dialect).filter(|token| token.kind != Kind::Comment) {
        match (token.is(";"), all.last_mut()) {
            (false, Some(last)) => last.push(token),
            _ => all.push(Vec::new()),
        }
    }
    all.retain(|statement| !statement.is_empty());
    all
}

fn postgres(text: &str) -> Option<(Kind, usize)> {
    let first = text.chars().next()?;
    let behind = &text[first.len_utf8()..];
    let follows = |mark: char| behind.starts_with(mark);
    Some(match first {
        '-' if follows('-') => (Kind::Comment, text.find('\n').unwrap_or(text.len())),
        '/' if follows('*') => (Kind::Comment, comment(text)),
        '\'' => (Kind::String, quoted(text, '\'', false)),
        'e' | 'E' if follows('\'') => (Kind::String, 1 + quoted(behind, '\'', true)),
        'b' | 'B' | 'x' | 'X' | 'n' | 'N' if follows('\'') => {
            (Kind::String, 1 + quoted(behind, '\'', false))
        }
        '"' => (Kind::Quoted, quoted(text, '"', false)),
        '$' => dollar(text),
        '0'..='9' => (Kind::Number, number(text)),
        '.' if behind.starts_with(|char: char| char.is_ascii_digit()) => {
            (Kind::Number, number(text))
        }
        _ if is_word(first) => (Kind::Word, text.find(|char| !is_word(char)).unwrap_or(text.len())),
        ':' if follows(':') => (Kind::Mark, 2),
        '<' | '>' | '=' | '!' | '|' | '&' | '@' | '#' | '~' | '^' | '%' | '?' | '+' | '*' | '-'
        | '/' => (Kind::Mark, operator(text)),
        _ => (Kind::Mark, first.len_utf8()),
    })
}

fn mysql(text: &str) -> Option<(Kind, usize)> {
    let first = text.chars().next()?;
    let behind = &text[first.len_utf8()..];
    let follows = |mark: char| behind.starts_with(mark);
    let line = || text.find('\n').unwrap_or(text.len());
    Some(match first {
        '#' => (Kind::Comment, line()),
        '-' if follows('-') && !behind[1..].starts_with(|char: char| char.is_ascii_graphic()) => {
            (Kind::Comment, line())
        }
        '/' if follows('*') => (Kind::Comment, mysql_comment(text)),
        // The end of a comment whose content is executed.
        '*' if follows('/') => (Kind::Comment, 2),
        '\'' | '"' => (Kind::String, quoted(text, first, true)),
        'b' | 'B' | 'x' | 'X' | 'n' | 'N' if follows('\'') => {
            (Kind::String, 1 + quoted(behind, '\'', true))
        }
        '`' => (Kind::Quoted, quoted(text, '`', false)),
        '?' => (Kind::Parameter, 1),
        '@' => (Kind::Word, variable(text)),
        '0'..='9' => (Kind::Number, number(text)),
        '.' if behind.starts_with(|char: char| char.is_ascii_digit()) => {
            (Kind::Number, number(text))
        }
        _ if is_word(first) => (Kind::Word, text.find(|char| !is_word(char)).unwrap_or(text.len())),
        '<' | '>' | '=' | '!' | '|' | '&' | '~' | '^' | '%' | '+' | '*' | '-' | '/' | ':' => {
            (Kind::Mark, mysql_operator(text))
        }
        _ => (Kind::Mark, first.len_utf8()),
    })
}

/// A comment, or the beginning of one whose content is executed: `/*!40101`.
fn mysql_comment(text: &str) -> usize {
    let executed = text.strip_prefix("/*!").or_else(|| text.strip_prefix("/*M!"));
    match executed {
        Some(content) => {
            let digits = content.bytes().take_while(u8::is_ascii_digit).count();
            text.len() - content.len() + digits
        }
        None => text[2..].find("*/").map_or(text.len(), |end| end + 4),
    }
}

/// A variable of the user or of the system, as far as its name is not quoted.
fn variable(text: &str) -> usize {
    let marks = text.bytes().take(2).take_while(|byte| *byte == b'@').count();
    let name = &text[marks..];
    marks + name.find(|char| !is_word(char) && char != '.').unwrap_or(name.len())
}

/// An operator; signs that follow it are not part of it.
fn mysql_operator(text: &str) -> usize {
    for operator in ["<=>", "<=", ">=", "<>", "!=", ":=", "||", "&&", "<<", ">>", "->>", "->"] {
        if text.starts_with(operator) {
            return operator.len();
        }
    }
    1
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '$') || !char.is_ascii()
}

/// An operator ends where a comment begins.
fn operator(text: &str) -> usize {
    let is_operator = |char: char| "<>=!|&@#~^%?+*-/".contains(char);
    let end = text.find(|char| !is_operator(char)).unwrap_or(text.len());
    let comment = ["--", "/*"].iter().filter_map(|mark| text[..end].find(mark)).min();
    comment.unwrap_or(end).max(1)
}

/// A comment, which may have others in it.
fn comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut place) = (0usize, 0);
    while place + 1 < bytes.len() {
        match &bytes[place..place + 2] {
            b"/*" => depth += 1,
            b"*/" if depth == 1 => return place + 2,
            b"*/" => depth -= 1,
            _ => {
                place += 1;
                continue;
            }
        }
        place += 2;
    }
    text.len()
}

/// Quoted text; a doubled quote stands for itself, and so does an escaped one where that counts.
fn quoted(text: &str, quote: char, escapes: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((place, char)) = chars.next() {
        if char == '\\' && escapes {
            chars.next();
        } else if char == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => _ = chars.next(),
                _ => return place + 1,
            }
        }
    }
    text.len()
}

/// A parameter, or a string between `$tag$` and `$tag$`.
fn dollar(text: &str) -> (Kind, usize) {
    let behind = &text[1..];
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        return (Kind::Parameter, 1 + digits);
    }
    let tag = behind.find(|char: char| !char.is_alphanumeric() && char != '_');
    match tag.filter(|tag| behind[*tag..].starts_with('$')) {
        Some(tag) => {
            let (mark, body) = text.split_at(tag + 2);
            let end = body.find(mark).map_or(text.len(), |end| 2 * mark.len() + end);
            (Kind::String, end)
        }
        None => (Kind::Mark, 1),
    }
}

fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    while let Some(byte) = bytes.get(end) {
        let sign = matches!(byte, b'+' | b'-')
            && end > 0
            && matches!(bytes[end - 1], b'e' | b'E')
            && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || sign) {
            break;
        }
        // `1..10` is two numbers and a mark between them.
        if *byte == b'.' && bytes.get(end + 1) == Some(&b'.') {
            break;
        }
        end += 1;
    }
    end.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        assert_eq!(
            tokens(sql, Dialect::Postgres).map(|token| token.text).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn cuts_what_must_stay_whole() {
        check("a/*x/*y*/z*/b--c\nd", &["a", "/*x/*y*/z*/", "b", "--c", "d"]);
        check(
            "'it''s' E'a\\'b' $$x'y$$ $t$ $$ $t$",
            &["'it''s'", "E'a\\'b'", "$$x'y$$", "$t$ $$ $t$"],
        );
        check("a.b=$1::int4[]", &["a", ".", "b", "=", "$1", "::", "int4", "[", "]"]);
        check("1.5e-3+2 \"A\"\"b\"", &["1.5e-3", "+", "2", "\"A\"\"b\""]);
        check("x<=-1", &["x", "<=-", "1"]);
        check("'open", &["'open"]);
        check("ü='é'", &["ü", "=", "'é'"]);
    }

    #[test]
    fn mysql_quotes_and_comments_in_its_own_way() {
        let check = |sql: &str, expected: &[&str]| {
            let all: Vec<_> = tokens(sql, Dialect::Mysql).map(|token| token.text).collect();
            assert_eq!(all, expected);
        };
        check("a--1 -- c\nb#d\n`e``f`", &["a", "-", "-", "1", "-- c", "b", "#d", "`e``f`"]);
        check("'it\\'s' \"a\"\"b\" x'0f'", &["'it\\'s'", "\"a\"\"b\"", "x'0f'"]);
        check("/*!40101 SET */@@a.b:=@c", &["/*!40101", "SET", "*/", "@@a.b", ":=", "@c"]);
        check("/*a/*b*/c->>?", &["/*a/*b*/", "c", "->>", "?"]);
        check("a<=-1*2", &["a", "<=", "-", "1", "*", "2"]);
        check("'open \\", &["'open \\"]);
    }

    #[test]
    fn statements_end_at_semicolons_outside_of_strings() {
        let all = statements("; BEGIN; SELECT ';' -- x;\n;;COMMIT", Dialect::Postgres);
        let words: Vec<_> = all.iter().map(|one| one[0].text).collect();
        assert_eq!(words, ["BEGIN", "SELECT", "COMMIT"]);
    }
}
