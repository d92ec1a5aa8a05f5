//! Secrets that are known by their own shape, and the quick look that tells whether a text is worth
//! searching at all.

use regex::Regex;
use rehearsal_model::SecretSettings;
use std::ops::Range;
use std::sync::LazyLock;

/// The kind of a secret whose own shape says nothing.
pub(super) const PLAIN: &str = "value";

/// The kinds of secrets that have a shape. Where there is a group, it is the secret.
const SHAPES: [(&str, &str); 8] = [
    // First, for it may seem to have others inside.
    (
        "pem",
        r"(?s)-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----|\z)",
    ),
    // Three parts when signed (RFC 7515), five when encrypted (RFC 7516).
    ("jwt", r"(?-u:\b)eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}"),
    ("aws", r"(?-u:\b)(?:AKIA|ASIA)[A-Z0-9]{16}(?-u:\b)"),
    ("github", r"(?-u:\b)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    ("gitlab", r"(?-u:\b)glpat-[A-Za-z0-9_-]{20,}"),
    ("slack", r"(?-u:\b)xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("stripe", r"(?-u:\b)(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,}"),
    ("google", r"(?-u:\b)AIza[A-Za-z0-9_-]{35}"),
];

/// A password in a URL (RFC 3986, section 3.2.1).
const USERINFO: &str = r#"(?-u:\b)[A-Za-z][A-Za-z0-9+.-]*://[^\s:/?#@"'<>\\]*:([^\s/?#@"'<>\\]+)@"#;

/// Parts of what has a shape, and of names of secrets, without which nothing is found.
const HINTS: &str = concat!(
    r"(?-u)eyJ|AKIA|ASIA|gh[pousr]_|github_pat|glpat-|xox[abeoprs]-|k_live|k_test|whsec_|AIza|PRIVATE KEY|://",
    r"|(?i:pass|pwd|secret|token|api.?key|access.?key|private.?key|auth|sess|cookie|jwt|bearer)",
    r"|(?i:connect.sid|identified|signing|encryption|account.?key|assertion|verifier)",
);

/// Three bytes of each alternative of [`HINTS`], whatever their case. Nearly every text has none of
/// them, and that costs a tenth of asking the expression.
const TRACES: [&[u8; 3]; 33] = [
    b"eyj", b"aki", b"asi", b"ghp", b"gho", b"ghu", b"ghs", b"ghr", b"b_p", b"glp", b"xox", b"k_l",
    b"k_t", b"whs", b"aiz", b"vat", b"://", b"pas", b"pwd", b"sec", b"tok", b"key", b"aut", b"ses",
    b"coo", b"jwt", b"bea", b"sid", b"ied", b"gni", b"ryp", b"sse", b"rif",
];

/// Which three bytes are a trace, five bits of each: those by which letters differ, but not their case.
static TRACED: [u64; 1 << 9] = {
    let mut set = [0; 1 << 9];
    let mut place = 0;
    while place < TRACES.len() {
        let [one, two, three] = *TRACES[place];
        let folded = followed(followed(followed(0, one), two), three);
        set[folded >> 6] |= 1 << (folded & 63);
        place += 1;
    }
    set
};

/// Three bytes, folded, after one more.
const fn followed(folded: usize, byte: u8) -> usize {
    (folded << 5 | (byte & 31) as usize) & 0x7fff
}

/// Whether a text has one of [`TRACES`]; sometimes that is said of one which has not.
fn has_trace(text: &[u8]) -> bool {
    let mut folded = 0;
    // Blocks, so that there is no branch for each byte and a long text is left early all the same.
    text.chunks(64).any(|block| {
        let mut found = 0;
        for byte in block {
            folded = followed(folded, *byte);
            found |= TRACED[folded >> 6] >> (folded & 63);
        }
        found & 1 == 1
    })
}

#[derive(Clone, Debug)]
pub(super) struct Patterns {
    hints: regex::bytes::Regex,
    /// Whether the hints are those that are built in.
    plain: bool,
    extra: Vec<Regex>,
}

struct Shapes {
    each: Vec<(&'static str, Regex)>,
    /// Any of them, or a password in a URL.
    any: Regex,
}

static SHAPES_READY: LazyLock<Option<Shapes>> = LazyLock::new(|| {
    let mut each = Vec::new();
    for (kind, pattern) in SHAPES {
        each.push((kind, Regex::new(pattern).ok()?));
    }
    each.push((PLAIN, Regex::new(USERINFO).ok()?));
    let all: Vec<_> = SHAPES.iter().map(|(_, pattern)| format!("(?:{pattern})")).collect();
    let any = Regex::new(&format!("{}|(?:{USERINFO})", all.join("|"))).ok()?;
    Some(Shapes { each, any })
});

impl Patterns {
    pub(super) fn new(settings: &SecretSettings) -> Result<Self, regex::Error> {
        let (mut hints, mut plain) = (HINTS.to_owned(), true);
        for name in &settings.names {
            // A name is known however it is spelled, so only its letters count.
            let letters = name.chars().filter(char::is_ascii_alphanumeric);
            let letters: Vec<_> = letters.map(String::from).collect();
            if !letters.is_empty() {
                plain = false;
                hints.push_str(&format!("|(?i:{})", letters.join("[^A-Za-z0-9]?")));
            }
        }
        let extra = settings.patterns.iter().map(|pattern| Regex::new(pattern));
        Ok(Patterns {
            hints: regex::bytes::Regex::new(&hints)?,
            plain,
            extra: extra.collect::<Result<_, _>>()?,
        })
    }

    /// Whether a text may hold a secret that is found by name or by shape.
    pub(super) fn hint(&self, text: &str) -> bool {
        (!self.plain || has_trace(text.as_bytes())) && self.hints.is_match(text.as_bytes())
    }

    /// Whether the project has patterns of its own.
    pub(super) fn has_extra(&self) -> bool {
        !self.extra.is_empty()
    }

    /// The kind of a secret that is the whole text.
    pub(super) fn kind(&self, text: &str) -> &'static str {
        let Some(shapes) = &*SHAPES_READY else { return PLAIN };
        let is_whole =
            |regex: &Regex| regex.find(text).is_some_and(|it| it.range() == (0..text.len()));
        if !shapes.any.is_match(text) {
            return PLAIN;
        }
        shapes.each.iter().find(|(_, regex)| is_whole(regex)).map_or(PLAIN, |(kind, _)| kind)
    }

    /// Where secrets are by their shape, with their kind.
    pub(super) fn shapes(&self, text: &str, mut found: impl FnMut(&'static str, Range<usize>)) {
        let Some(shapes) = &*SHAPES_READY else { return };
        if !shapes.any.is_match(text) {
            return;
        }
        for (kind, regex) in &shapes.each {
            each(regex, text, |range| found(kind, range));
        }
    }

    /// Where the project's own patterns match.
    pub(super) fn extra(&self, text: &str, mut found: impl FnMut(Range<usize>)) {
        self.extra.iter().for_each(|regex| each(regex, text, &mut found));
    }
}

/// Every match, or its first group.
fn each(regex: &Regex, text: &str, mut found: impl FnMut(Range<usize>)) {
    for captures in regex.captures_iter(text) {
        if let Some(secret) = captures.get(1).or(captures.get(0)) {
            found(secret.range());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_a_regular_expression_with_a_hint() {
        let shapes = SHAPES_READY.as_ref().unwrap();
        assert_eq!(shapes.each.len(), SHAPES.len() + 1);
        let patterns = Patterns::new(&SecretSettings::default()).unwrap();
        let digits = "0123456789ABCDEF0123456789abcdef0123456789";
        for (kind, text) in [
            ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_".to_owned()),
            ("aws", format!("AKIA{}", &digits[..16])),
            ("github", format!("ghp_{digits}")),
            ("github", format!("github_pat_{digits}")),
            ("gitlab", format!("glpat-{digits}")),
            ("slack", format!("xoxb-{digits}")),
            ("stripe", format!("sk_test_{digits}")),
            ("stripe", format!("whsec_{digits}")),
            ("google", format!("AIza{}", &digits[..35])),
            ("pem", "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----".to_owned()),
            ("pem", "-----BEGIN RSA PRIVATE KEY-----\nMC4C".to_owned()),
            (PLAIN, "hunter2".to_owned()),
        ] {
            assert_eq!(patterns.kind(&text), kind, "{text}");
            assert_eq!(patterns.hint(&text), kind != PLAIN, "{text}");
        }
    }
    #[test]
    fn every_alternative_of_the_hints_has_a_trace() {
        let tokens = "eyJ AKIA ASIA ghp_ gho_ ghu_ ghs_ ghr_ github_pat glpat- xoxa- xoxb- xoxe- xoxo- xoxp- \
                      xoxr- xoxs- k_live k_test whsec_ AIza ://";
        let names = "pass pwd secret token apikey api-key accesskey access_key privatekey private.key auth \
                     sess cookie jwt bearer connect.sid identified signing encryption accountkey \
                     account-key assertion verifier";
        let patterns = Patterns::new(&SecretSettings::default()).unwrap();
        let upper = names.to_ascii_uppercase();
        let all = [tokens, names, &upper].into_iter().flat_map(str::split_whitespace);
        let all: Vec<_> = all.chain(["PRIVATE KEY"]).collect();
        assert_eq!(all.len(), 22 + 2 * 23 + 1);
        let alternatives = HINTS.matches('|').count() + 3;
        assert!(all.len() > alternatives, "{alternatives}");
        for text in all {
            assert!(patterns.hint(text), "{text}");
            for before in [1, 61, 62, 63, 64, 200] {
                assert!(patterns.hint(&("~".repeat(before) + text)), "{text} after {before} bytes");
            }
        }
        assert!(!has_trace(b"application/json, Sun, 22 Nov 2026 03:07:00 GMT"));
    }

    #[test]
    fn names_of_the_project_need_no_trace() {
        let names = vec!["x-shop-seal".to_owned()];
        let settings = SecretSettings { names, ..SecretSettings::default() };
        assert!(Patterns::new(&settings).unwrap().hint("the XShop_Seal is"));
    }
}
