//! What is replaced in a text that stands beside the name of a secret: the secret, but not the
//! scheme of an `Authorization` nor the attributes of a `Set-Cookie`.

use super::names::Rule;
use super::{Run, is_scrubbed};

/// How a secret stands in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// It is the text.
    Whole,
    /// It is the text, or a number.
    Password,
    /// After a scheme: `Bearer x` (RFC 9110, section 11.6.2).
    Authorization,
    /// As the values of `a=x; b=y` (RFC 6265, section 4.2).
    Cookie,
    /// As the value of `a=x; Path=/` (RFC 6265, section 4.1).
    SetCookie,
}

impl Run<'_> {
    /// The text without the secret; `None` when there is nothing to replace.
    pub(super) fn named_text(&mut self, named: Named, text: &str) -> Option<String> {
        match named {
            Named::Whole | Named::Password => self.whole(text),
            Named::Authorization => self.authorization(text),
            Named::Cookie => {
                let mut cookies: Vec<_> = text.split(';').map(str::to_owned).collect();
                let changes =
                    cookies.iter_mut().map(|cookie| self.cookie(cookie)).collect::<Vec<_>>();
                changes.contains(&true).then(|| cookies.join(";"))
            }
            Named::SetCookie => {
                let (cookie, attributes) = text.split_at(text.find(';').unwrap_or(text.len()));
                let mut cookie = cookie.to_owned();
                self.cookie(&mut cookie).then(|| cookie + attributes)
            }
        }
    }

    fn whole(&mut self, text: &str) -> Option<String> {
        if text.trim_ascii().is_empty() || is_scrubbed(text) {
            return None;
        }
        let kind = self.scrubber.patterns.kind(text);
        Some(self.placeholder(kind, text))
    }

    fn authorization(&mut self, text: &str) -> Option<String> {
        let scheme = |word: &str| {
            word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        match text.split_once(' ') {
            Some((word, rest)) if scheme(word) => {
                let credentials = rest.trim_start_matches(' ');
                let kept = text.len() - credentials.len();
                self.whole(credentials).map(|secret| text[..kept].to_owned() + &secret)
            }
            _ => self.whole(text),
        }
    }

    /// Replaces the value of `name=value`; whether it did.
    fn cookie(&mut self, cookie: &mut String) -> bool {
        let Some((name, value)) = cookie.split_once('=') else { return false };
        if self.scrubber.names.rule(name) == Rule::Keep {
            return false;
        }
        let plain = value.trim_ascii();
        let plain = plain.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(plain);
        let Some(secret) = self.whole(plain) else { return false };
        let start = plain.as_ptr() as usize - cookie.as_ptr() as usize;
        let range = start..start + plain.len();
        cookie.replace_range(range, &secret);
        true
    }
}
