//! The shape of the placeholder that stands where a secret was.
//!
//! Finding secrets and making placeholders is the work of `store`; here is only what everybody must
//! agree on: `secret-<kind>-<16 hex digits>`, characters that survive URLs, headers, JSON and YAML
//! unchanged. The digits are a keyed hash, so equal secrets have equal placeholders for one key.

/// What every placeholder begins with.
pub const PREFIX: &str = "secret-";
/// How many hexadecimal digits end it.
pub const DIGITS: usize = 16;

/// A placeholder from its kind (lowercase letters and digits only) and the keyed hash.
#[must_use]
pub fn placeholder(kind: &str, hash: u64) -> String {
    format!("{PREFIX}{kind}-{hash:016x}")
}

/// The first placeholder in a text as a byte range, if there is one.
#[must_use]
pub fn find(text: &str) -> Option<std::ops::Range<usize>> {
    let mut from = 0;
    while let Some(found) = text[from..].find(PREFIX) {
        let start = from + found;
        if let Some(length) = placeholder_length(&text.as_bytes()[start..]) {
            return Some(start..start + length);
        }
        from = start + PREFIX.len();
    }
    None
}

/// The text with the digits of every placeholder left out: what may be compared between two runs
/// whose secrets, or keys, differ.
#[must_use]
pub fn mask(text: &str) -> std::borrow::Cow<'_, str> {
    let Some(mut found) = find(text) else { return text.into() };
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    loop {
        out.push_str(&rest[..found.end - DIGITS]);
        out.push('*');
        rest = &rest[found.end..];
        match find(rest) {
            Some(next) => found = next,
            None => break,
        }
    }
    out.push_str(rest);
    out.into()
}

fn placeholder_length(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(PREFIX.as_bytes())?;
    let kind =
        rest.iter().take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()).count();
    let hash = rest.get(kind + 1..kind + 1 + DIGITS)?;
    let whole = kind > 0
        && rest[kind] == b'-'
        && hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    whole.then_some(PREFIX.len() + kind + 1 + DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_every_placeholder_and_nothing_else() {
        let (one, two) = (placeholder("cookie", 1), placeholder("bearer", u64::MAX));
        assert_eq!(one, "secret-cookie-0000000000000001");
        let text = format!("sid={one}; x=secret-no; Bearer {two}!");
        assert_eq!(mask(&text), "sid=secret-cookie-*; x=secret-no; Bearer secret-bearer-*!");
        assert_eq!(mask("secret-"), "secret-");
        assert_eq!(find("secret-secret-a-00000000000000ff"), Some(7..32));
    }
}
