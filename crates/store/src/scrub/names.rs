//! Which names of keys, headers and parameters announce a secret.
//!
//! Names are compared without case, `-`, `_` and other punctuation. The list is made of what is a
//! credential wherever it occurs; a page token or an idempotency key is none.

use super::named::Named;
use std::collections::HashSet;

/// A longer name is no name of a secret.
const LONGEST: usize = 64;

/// Names that count as a whole.
const WHOLE: [(&str, Named); 36] = [
    ("authorization", Named::Authorization),
    ("proxyauthorization", Named::Authorization),
    ("cookie", Named::Cookie),
    ("setcookie", Named::SetCookie),
    ("pwd", Named::Password),
    ("passcode", Named::Password),
    ("passphrase", Named::Password),
    ("passwordconfirm", Named::Password),
    ("passwordconfirmation", Named::Password),
    ("pass", Named::Password),
    ("xauthtoken", Named::Whole),
    ("xaccesstoken", Named::Whole),
    ("xamzsecuritytoken", Named::Whole),
    ("xgoogapikey", Named::Whole),
    ("xvaulttoken", Named::Whole),
    ("privatetoken", Named::Whole),
    ("token", Named::Whole),
    ("jwt", Named::Whole),
    ("bearer", Named::Whole),
    ("bearertoken", Named::Whole),
    ("idtoken", Named::Whole),
    ("devicetoken", Named::Whole),
    ("resettoken", Named::Whole),
    ("verificationtoken", Named::Whole),
    ("csrftoken", Named::Whole),
    ("xcsrftoken", Named::Whole),
    ("xxsrftoken", Named::Whole),
    ("sessionkey", Named::Whole),
    ("phpsessid", Named::Whole),
    ("jsessionid", Named::Whole),
    ("connectsid", Named::Whole),
    ("clientassertion", Named::Whole),
    ("codeverifier", Named::Whole),
    ("signingkey", Named::Whole),
    ("encryptionkey", Named::Whole),
    ("accountkey", Named::Whole),
];

/// Endings of names: `new_password`, `clientSecret`, `X-Api-Key`.
const ENDINGS: [(&str, Named); 14] = [
    ("password", Named::Password),
    ("passwd", Named::Password),
    ("secret", Named::Whole),
    ("secretkey", Named::Whole),
    ("apikey", Named::Whole),
    ("privatekey", Named::Whole),
    ("accesskey", Named::Whole),
    ("accesstoken", Named::Whole),
    ("refreshtoken", Named::Whole),
    ("authtoken", Named::Whole),
    ("apitoken", Named::Whole),
    ("sessiontoken", Named::Whole),
    ("sessionid", Named::Whole),
    ("secrettoken", Named::Whole),
];

/// Which lengths the names that count as a whole have, by their first letter: nearly every other name
/// is told apart by that.
const LENGTHS: [u64; 256] = {
    let mut lengths = [0; 256];
    let mut place = 0;
    while place < WHOLE.len() {
        let name = WHOLE[place].0.as_bytes();
        lengths[name[0] as usize] |= 1 << name.len();
        place += 1;
    }
    lengths
};

/// With which letters the names that count as a whole end, by their first one.
const LAST: [u32; 256] = {
    let mut last = [0; 256];
    let mut place = 0;
    while place < WHOLE.len() {
        let name = WHOLE[place].0.as_bytes();
        last[name[0] as usize] |= 1 << (name[name.len() - 1] & 31);
        place += 1;
    }
    last
};

/// What a name says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing.
    None,
    /// That it is kept, whatever it looks like.
    Keep,
    /// That it is a secret.
    Secret(Named),
}

#[derive(Clone, Debug)]
pub(super) struct Names {
    extra: HashSet<Vec<u8>>,
    keep: HashSet<Vec<u8>>,
}

impl Names {
    pub(super) fn new(extra: &[String], keep: &[String]) -> Self {
        let set = |names: &[String]| {
            names.iter().map(|name| plain(name, &mut [0; LONGEST]).to_owned()).collect()
        };
        let mut names = Names { extra: set(extra), keep: set(keep) };
        names.extra.remove(&b""[..]);
        names.keep.remove(&b""[..]);
        names
    }

    pub(super) fn kept(&self, name: &str) -> bool {
        !self.keep.is_empty() && self.keep.contains(plain(name, &mut [0; LONGEST]))
    }

    pub(super) fn rule(&self, name: &str) -> Rule {
        if self.keep.is_empty() && self.extra.is_empty() && !may_be_built_in(name) {
            return Rule::None;
        }
        let buffer = &mut [0; LONGEST];
        let name = plain(name, buffer);
        if !self.keep.is_empty() && self.keep.contains(name) {
            return Rule::Keep;
        }
        if !self.extra.is_empty() && self.extra.contains(name) {
            return Rule::Secret(Named::Whole);
        }
        built_in(name).map_or(Rule::None, Rule::Secret)
    }
}

/// Whether a name begins and ends as one of those that are built in, which most do not.
fn may_be_built_in(name: &str) -> bool {
    // Most names begin and end with letters.
    if let [first, .., before, last] = name.as_bytes()
        && [first, before, last].iter().all(|byte| byte.is_ascii_lowercase())
    {
        return may_begin_and_end(*first, Some(*before), Some(*last));
    }
    let mut letters =
        name.bytes().filter(u8::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase());
    let Some(first) = letters.next() else { return false };
    let (last, before) = (letters.next_back(), letters.next_back());
    may_begin_and_end(first, before, last)
}

/// Whether one of the names that are built in begins with a letter, or ends with these.
fn may_begin_and_end(first: u8, before: Option<u8>, last: Option<u8>) -> bool {
    match (before, last) {
        // An ending, or what may stand behind one.
        (Some(b'r' | b'w' | b'i'), Some(b'd')) | (Some(b'e'), Some(b't' | b'y' | b'n')) => true,
        (Some(b'i'), Some(b'n')) => true,
        _ => LAST[usize::from(first)] & (1 << (last.unwrap_or(first) & 31)) != 0,
    }
}

fn built_in(name: &[u8]) -> Option<Named> {
    // What gRPC calls metadata that is sent in base64 (HTTP/2 protocol of gRPC, "Custom-Metadata").
    let name = name.strip_suffix(b"bin").unwrap_or(name);
    // All endings end in one of these, and most names in others.
    if let [.., b'r' | b'w' | b'i', b'd'] | [.., b'e', b't' | b'y' | b'n'] = name
        && let Some((_, named)) =
            ENDINGS.iter().find(|(ending, _)| name.ends_with(ending.as_bytes()))
    {
        return Some(*named);
    }
    if name.len() >= LONGEST || LENGTHS[usize::from(*name.first()?)] & (1 << name.len()) == 0 {
        return None;
    }
    WHOLE.iter().find(|(whole, _)| whole.as_bytes() == name).map(|(_, named)| *named)
}

/// The letters and digits of a name in lower case; empty when it is too long or not ASCII.
fn plain<'a>(name: &str, buffer: &'a mut [u8; LONGEST]) -> &'a [u8] {
    let mut length = 0;
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() {
            let Some(place) = buffer.get_mut(length) else { return b"" };
            *place = byte.to_ascii_lowercase();
            length += 1;
        } else if !byte.is_ascii() {
            return b"";
        }
    }
    &buffer[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_and_each_ending_is_known() {
        let names = Names::new(&[], &[]);
        let endings = ENDINGS.map(|(ending, named)| (format!("Shop-{ending}"), named));
        let whole = WHOLE.map(|(whole, named)| (whole.to_owned(), named));
        for (name, named) in whole.into_iter().chain(endings) {
            assert_eq!(names.rule(&name), Rule::Secret(named), "{name}");
            assert_eq!(names.rule(&format!("{name}-bin")), Rule::Secret(named), "{name}");
        }
    }

    #[test]
    fn spelling_does_not_matter_and_other_names_do() {
        let names = Names::new(&["X-Shop_Seal".into()], &["csrf-token".into()]);
        for secret in [
            "Authorization",
            "X-API-Key",
            "apiKey",
            "client_secret",
            "new-password",
            "refresh_token",
            "sessionId",
            "x-shop-seal",
            "connect.sid",
            "TOKEN",
            "auth-token-bin",
        ] {
            assert!(matches!(names.rule(secret), Rule::Secret(_)), "{secret}");
        }
        for other in
            ["next_page_token", "tokens", "secretary", "key", "name", "", "idempotency-key", "ключ"]
        {
            assert_eq!(names.rule(other), Rule::None, "{other}");
        }
        assert_eq!(names.rule("CSRF_Token"), Rule::Keep);
        assert_eq!(names.rule(&"password".repeat(9)), Rule::None);
    }
}
