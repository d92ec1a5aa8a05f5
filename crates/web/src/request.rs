//! What was asked for, taken apart: the parts of the path, the query and the form.
//!
//! Whoever asks may write anything. What is not well formed is refused, and no part of a path can name
//! another folder. How bytes come and which headers there are is hyper's and the server's matter.

/// The most pairs of a query or a form that are read.
const MAX_PAIRS: usize = 64;

/// A request that was let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Whether something is to be done; else it is to be shown.
    pub(crate) is_post: bool,
    /// The parts of the path, decoded.
    pub(crate) path: Vec<String>,
    /// The query.
    pub(crate) query: Pairs,
    /// The form, of a `POST`.
    pub(crate) form: Pairs,
}

/// Names with values, as forms send them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Takes a query or the body of a form apart (URL standard, section 5.1); none if it is malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == MAX_PAIRS {
                return None;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| decode(&text.replace('+', " "));
            pairs.push((plain(name)?, plain(value)?));
        }
        Some(Pairs(pairs))
    }

    /// The first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The parts of a path; none if one is malformed or could lead out of a folder.
pub(crate) fn path(text: &str) -> Option<Vec<String>> {
    let rest = text.strip_prefix('/')?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    rest.split('/').map(|part| decode(part).filter(|part| is_name(part))).collect()
}

/// Whether a part of a path names one thing and nothing elsewhere.
fn is_name(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && !part.contains(['/', '\\', '\0'])
}

/// Takes percent-encoding away (RFC 3986, section 2.1); none if it is broken, or is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, more) = rest.split_at_checked(2)?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let value = digit(digits[0])? * 16 + digit(digits[1])?;
        bytes.push(u8::try_from(value).ok()?);
        rest = more;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::segment;
    use proptest::prelude::*;

    #[test]
    fn nothing_leads_out_of_a_folder() {
        assert_eq!(path("/"), Some(vec![]));
        assert_eq!(path("/runs/a%20b"), Some(vec!["runs".to_owned(), "a b".to_owned()]));
        for text in [
            "",
            "x",
            "/../../etc/passwd",
            "/runs/..",
            "/runs/.",
            "//",
            "/runs/",
            "/a/%2e%2e/b",
            "/%2E%2E",
            "/a%2fb",
            "/a%5cb",
            "/a%00",
            "/%",
            "/%2",
            "/%zz",
            "/%ff",
        ] {
            assert_eq!(path(text), None, "{text}");
        }
    }

    #[test]
    fn pairs_are_bounded() {
        let pairs = Pairs::parse("a=1+2&b=%26&&c&a=3").unwrap();
        assert_eq!(
            (pairs.get("a"), pairs.get("b"), pairs.get("c")),
            (Some("1 2"), Some("&"), Some(""))
        );
        assert_eq!(Pairs::parse(&"a=1&".repeat(MAX_PAIRS + 1)), None);
        assert_eq!(Pairs::parse("a=%"), None);
    }

    proptest! {
        #[test]
        fn what_we_write_is_read_back(names in proptest::collection::vec("[^/\\\\\0]{1,12}", 1..5)) {
            let text: String = names.iter().map(|name| format!("/{}", segment(name))).collect();
            let fine = names.iter().all(|name| name != "." && name != "..");
            prop_assert_eq!(path(&text), fine.then_some(names));
        }

        #[test]
        fn anything_is_read_or_refused(text in ".{0,80}", bytes in "[%0-9a-f/.&=+]{0,60}") {
            for text in [&text, &bytes, &format!("/{bytes}")] {
                if let Some(parts) = path(text) {
                    prop_assert!(parts.iter().all(|part| is_name(part)));
                }
                if let Some(Pairs(pairs)) = Pairs::parse(text) {
                    prop_assert!(pairs.len() <= MAX_PAIRS);
                }
            }
        }
    }
}
