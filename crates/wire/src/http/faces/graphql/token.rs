//! Cuts a GraphQL document into tokens (GraphQL specification, September 2025, section 2.1).
//!
//! White space, commas and comments are left out: they say nothing.

/// The longest document that is read, in bytes.
const MAX_DOCUMENT: usize = 256 << 10;

/// A piece of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Name(&'a str),
    /// A punctuation mark, `...` included.
    Mark(&'a str),
    /// A number as it is spelled.
    Number(&'a str),
    /// What a string or block string says.
    Text(String),
}

impl Token<'_> {
    /// Whether it is this punctuation mark.
    pub(super) fn is(&self, mark: &str) -> bool {
        matches!(self, Token::Mark(text) if *text == mark)
    }
}

/// The tokens of a document, or `None` when it is not one.
pub(super) fn tokens(document: &str) -> Option<Vec<Token<'_>>> {
    if document.len() > MAX_DOCUMENT {
        return None;
    }
    let mut rest = document;
    let mut out = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',', '\u{feff}']);
        let first = match rest.bytes().next() {
            None => return Some(out),
            Some(b'#') => {
                rest = &rest[rest.find(['\r', '\n']).unwrap_or(rest.len())..];
                continue;
            }
            Some(first) => first,
        };
        let (token, length) = match first {
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => name(rest),
            b'-' | b'0'..=b'9' => number(rest)?,
            b'"' if rest.starts_with("\"\"\"") => block(rest)?,
            b'"' => string(rest)?,
            b'.' if rest.starts_with("...") => (Token::Mark(&rest[..3]), 3),
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|'
            | b'}' => (Token::Mark(&rest[..1]), 1),
            _ => return None,
        };
        out.push(token);
        rest = &rest[length..];
    }
}

fn name(rest: &str) -> (Token<'_>, usize) {
    let end = rest.bytes().position(|byte| byte != b'_' && !byte.is_ascii_alphanumeric());
    let end = end.unwrap_or(rest.len());
    (Token::Name(&rest[..end]), end)
}

/// A number may not be followed by a digit, a point or the beginning of a name (section 2.9.1).
fn number(rest: &str) -> Option<(Token<'_>, usize)> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|it| it.is_ascii_digit()).count();
    let mut end = usize::from(bytes[0] == b'-');
    let whole = digits(end);
    if whole == 0 || (whole > 1 && bytes[end] == b'0') {
        return None;
    }
    end += whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        end += if fraction > 0 { 1 + fraction } else { return None };
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        end += if exponent > 0 { 1 + sign + exponent } else { return None };
    }
    let follows = bytes.get(end);
    let glued = follows.is_some_and(|it| *it == b'.' || *it == b'_' || it.is_ascii_alphanumeric());
    (!glued).then_some((Token::Number(&rest[..end]), end))
}

/// A string between two quotes, and its length with them.
fn string(rest: &str) -> Option<(Token<'_>, usize)> {
    let mut out = String::new();
    let mut chars = rest.char_indices().skip(1);
    loop {
        match chars.next()? {
            (end, '"') => return Some((Token::Text(out), end + 1)),
            (_, '\n' | '\r') => return None,
            (_, '\\') => {
                let (place, escape) = chars.next()?;
                out.push(match escape {
                    '"' | '\\' | '/' => escape,
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let (char, length) = unicode(&rest[place + 1..])?;
                        // What is skipped is ASCII.
                        (0..length).for_each(|_| _ = chars.next());
                        char
                    }
                    _ => return None,
                });
            }
            (_, char) => out.push(char),
        }
    }
}

/// What follows `\u`: four digits, two times four for what UTF-16 needs a pair for, or digits in
/// braces; and how many bytes that are.
fn unicode(rest: &str) -> Option<(char, usize)> {
    let hex = |digits: Option<&str>| {
        let digits = digits.filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    if let Some(braced) = rest.strip_prefix('{') {
        let end = braced.find('}')?;
        return Some((char::from_u32(hex(braced.get(..end))?)?, end + 2));
    }
    let first = hex(rest.get(..4))?;
    if let Some(char) = char::from_u32(first) {
        return Some((char, 4));
    }
    let second = rest.get(4..).and_then(|rest| rest.strip_prefix("\\u"));
    let second = hex(second?.get(..4))?;
    let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let char = char::decode_utf16(pair).next()?.ok()?;
    Some((char, 10))
}

/// A string between three quotes twice, and its length with them (section 2.9.4): the indentation
/// that its lines have in common, and blank lines at both ends, do not count.
fn block(rest: &str) -> Option<(Token<'_>, usize)> {
    const QUOTES: &str = "\"\"\"";
    let mut raw = String::new();
    let mut at = QUOTES.len();
    loop {
        let behind = &rest[at..];
        let stop = behind.find(['"', '\\'])?;
        raw.push_str(&behind[..stop]);
        let special = &behind[stop..];
        let length = if special.starts_with(QUOTES) {
            return Some((Token::Text(dedent(&raw)), at + stop + QUOTES.len()));
        } else if special.starts_with("\\\"\"\"") {
            raw.push_str(QUOTES);
            4
        } else {
            raw.push_str(&special[..1]);
            1
        };
        at += stop + length;
    }
}

fn dedent(raw: &str) -> String {
    let raw = raw.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = raw.split('\n').collect();
    let white = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let is_blank = |line: &&str| white(line) == line.len();
    let common = lines.iter().skip(1).filter(|line| !is_blank(line)).map(|line| white(line)).min();
    let cut = |(place, line): (usize, &&str)| {
        let from = if place == 0 { 0 } else { common.unwrap_or(0) };
        line.get(from..).unwrap_or_default().to_owned()
    };
    let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !is_blank(line)).map_or(first, |last| last + 1);
    let kept: Vec<String> = lines.iter().enumerate().map(cut).collect();
    kept[first..last].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn text(document: &str, expected: &str) {
        assert_eq!(tokens(document), Some(vec![Token::Text(expected.to_owned())]), "{document}");
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let expected =
            vec![Token::Mark("{"), Token::Name("a"), Token::Name("b2"), Token::Mark("}")];
        assert_eq!(tokens("\u{feff}{ a,,\r\n\t# a } comment\n b2 }# end"), Some(expected));
        assert_eq!(tokens(" ,# nothing"), Some(Vec::new()));
        assert_eq!(tokens("...on"), Some(vec![Token::Mark("..."), Token::Name("on")]));
    }

    #[test]
    fn strings_say_what_they_say() {
        text(r#""""#, "");
        text(r#""a\"\\\/\b\f\n\r\té""#, "a\"\\/\u{8}\u{c}\n\r\té");
        text(r#""\u00e9\u{1F600}\uD83D\uDE00x""#, "é😀😀x");
        text("\"\"\"a \"quote\" \\\"\"\" \\n\"\"\"", "a \"quote\" \"\"\" \\n");
        text(
            "\"\"\"\n    Hello,\n      World!\r\n\n    Yours,\n  \n\"\"\"",
            "Hello,\n  World!\n\nYours,",
        );
        text("\"\"\"\n \n\"\"\"", "");
    }

    #[test]
    fn numbers_keep_their_spelling() {
        for number in ["0", "-0", "17", "1.50", "6.02e23", "-1E-3", "1e+9"] {
            assert_eq!(tokens(number), Some(vec![Token::Number(number)]));
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let bad = [
            "1.",
            "01",
            "-",
            "1x",
            "1.2.3",
            "1e",
            "\"",
            "\"a\nb\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud83d\"",
            "\"\\u{110000}\"",
            "\"\"\"a\"\"",
            "..",
            "é",
            "%",
            ";",
            "a~b",
        ];
        for document in bad {
            assert_eq!(tokens(document), None, "{document}");
        }
        assert_eq!(tokens(&" ".repeat(MAX_DOCUMENT + 1)), None);
    }
}
