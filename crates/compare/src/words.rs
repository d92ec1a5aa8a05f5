//! Words that look invented, such as UUIDs and random tokens: where they stand in a text.
//!
//! A word is known by its form alone, and always whole: never a part of a longer one. Short words and
//! ordinary numbers are none, however they came about. Whether two of them stand for each other is the
//! work of [`crate::Renaming`].

use crate::base64::{Wrapped, json_in};
use crate::letters::read_as_words;
use rehearsal_model::secret;
use std::ops::Range;

/// The longest word that somebody invents; what is longer is content.
const LONGEST: usize = 512;
/// The shortest word of letters in both cases and digits that may be random.
const SHORTEST: usize = 16;
/// The shortest word of digits and letters in one case that may be random.
const SHORTEST_PLAIN: usize = 20;
/// From which ports systems choose when they are asked for any.
const ANY_PORT: std::ops::RangeInclusive<u32> = 32768..=60999;

/// What form a word has. Words of different forms never stand for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// 8-4-4-4-12 hexadecimal digits.
    Uuid,
    /// So many hexadecimal digits: an ObjectId, a UUID without hyphens, a token.
    Hex(usize),
    /// So many letters and digits: a ULID, a KSUID, a nano id, Base64.
    Token(usize),
    /// So many digits: what is too long for a number that counts something.
    Digits(usize),
    /// A port that the system chose, of this machine.
    Port,
    /// JSON in Base64.
    Wrapped(Wrapped),
    /// What ends a JWT.
    Signature,
}

/// A word that looks invented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) range: Range<usize>,
    pub(crate) form: Form,
    /// Whether it looks so by itself, or only beside one that does.
    pub(crate) strong: bool,
}

impl Word {
    /// What it stands for, whatever its case and hyphens.
    pub(crate) fn key(&self, text: &str) -> String {
        let word = &text[self.range.clone()];
        match self.form {
            Form::Uuid => word.replace('-', "").to_ascii_lowercase(),
            Form::Hex(_) => word.to_ascii_lowercase(),
            _ => word.to_owned(),
        }
    }

    /// What a key is, written like this word.
    pub(crate) fn write(&self, text: &str, key: &str) -> String {
        let upper = text[self.range.clone()].bytes().any(|byte| byte.is_ascii_uppercase());
        let cased = |key: &str| if upper { key.to_ascii_uppercase() } else { key.to_owned() };
        match self.form {
            Form::Uuid if key.len() == 32 && key.is_ascii() => cased(&format!(
                "{}-{}-{}-{}-{}",
                &key[..8],
                &key[8..12],
                &key[12..16],
                &key[16..20],
                &key[20..]
            )),
            Form::Hex(_) => cased(key),
            _ => key.to_owned(),
        }
    }
}

/// Whether two words may stand for each other.
pub(crate) fn are_alike(one: (&Word, &str), other: (&Word, &str)) -> bool {
    let prefix = |(word, text): (&Word, &str)| {
        let word = text[word.range.clone()].to_owned();
        let letters = word.bytes().take_while(u8::is_ascii_lowercase).count();
        let ends = matches!(word.as_bytes().get(letters), Some(b'_' | b'-'));
        (ends && (2..=12).contains(&letters)).then(|| word[..letters].to_owned())
    };
    let same_kind = match (prefix(one), prefix(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    one.0.form == other.0.form && (one.0.strong || other.0.strong) && same_kind
}

/// The words in a text that look invented, in order.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    if let Some(word) = whole_base64(text) {
        found.push(word);
        return found;
    }
    let mut at = 0;
    while at < bytes.len() {
        if !is_part(bytes[at]) {
            at += separator(bytes, at);
            if let Some(port) = port(text, at) {
                at = port.range.end;
                found.push(port);
            }
            continue;
        }
        let length = bytes[at..].iter().take_while(|byte| is_part(**byte)).count();
        let run = at..at + length;
        at = run.end;
        let glued = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii());
        let foreign = glued(bytes.get(at)) || run.start > 0 && glued(bytes.get(run.start - 1));
        if length >= SHORTEST && !foreign {
            at = in_run(text, run, &mut found);
        }
    }
    found
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// How long what stands between words is here: a byte, or one that is escaped as in URLs.
fn separator(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..at + 3) {
        Some([b'%', one, other]) if one.is_ascii_hexdigit() && other.is_ascii_hexdigit() => 3,
        _ => 1,
    }
}

/// Finds the words in a run of letters, digits and hyphens; where to go on.
fn in_run(text: &str, run: Range<usize>, found: &mut Vec<Word>) -> usize {
    let word = &text[run.clone()];
    if let Some(wrapped) = json_in(word) {
        let is_jwt = word.starts_with("eyJ") && wrapped.text.contains("\"alg\"");
        found.push(Word { range: run.clone(), form: Form::Wrapped(wrapped), strong: true });
        return if is_jwt { rest_of_jwt(text, run.end, found) } else { run.end };
    }
    if secret::find(word).is_some() {
        return run.end;
    }
    let mut from = run.start;
    for uuid in uuids(word) {
        let uuid = run.start + uuid.start..run.start + uuid.end;
        segment(text, from..uuid.start, found);
        from = uuid.end;
        found.push(Word { range: uuid, form: Form::Uuid, strong: true });
    }
    segment(text, from..run.end, found);
    run.end
}

/// The claims and the signature after the head of a JWT.
fn rest_of_jwt(text: &str, head_ends: usize, found: &mut Vec<Word>) -> usize {
    let part = |from: usize| {
        let rest = text.get(from..)?.strip_prefix('.')?;
        let length = rest.bytes().take_while(|byte| is_part(*byte)).count();
        Some(from + 1..from + 1 + length)
    };
    let Some(claims) = part(head_ends) else { return head_ends };
    let Some(wrapped) = json_in(&text[claims.clone()]) else { return head_ends };
    let end = claims.end;
    found.push(Word { range: claims, form: Form::Wrapped(wrapped), strong: true });
    let Some(signature) = part(end) else { return end };
    let end = signature.end;
    found.push(Word { range: signature, form: Form::Signature, strong: true });
    end
}

/// Finds words in what has no UUID: one as a whole, or some between hyphens.
fn segment(text: &str, range: Range<usize>, found: &mut Vec<Word>) {
    let word = &text[range.clone()];
    if let Some((form, strong)) = form_of(word) {
        found.push(Word { range, form, strong });
        return;
    }
    let (mut from, known) = (range.start, found.len());
    for piece in word.split(['-', '_']) {
        let place = from..from + piece.len();
        from = place.end + 1;
        if piece.len() < word.len()
            && let Some((form, strong)) = form_of(piece)
        {
            found.push(Word { range: place, form, strong });
        }
    }
    if found.len() == known && may_be_token(word) {
        found.push(Word { range, form: Form::Token(word.len()), strong: false });
    }
}

/// The form of a word, if it looks invented, and whether it does so by itself.
fn form_of(word: &str) -> Option<(Form, bool)> {
    let length = word.len();
    if !(SHORTEST..=LONGEST).contains(&length) || !is_varied(word) {
        return None;
    }
    let shape = Shape::of(word);
    let [upper, lower, digits, symbols] = shape.counts;
    let hex = word.bytes().all(|byte| byte.is_ascii_hexdigit()) && (upper == 0 || lower == 0);
    if symbols == 0 && upper + lower == 0 {
        // Nanoseconds since 1970 are times.
        let time = length == 19 && ("14".."22").contains(&&word[..2]);
        return ((17..=20).contains(&length) && !time).then_some((Form::Digits(length), true));
    }
    if hex && length.is_multiple_of(2) {
        return Some((Form::Hex(length), digits > 0));
    }
    if symbols == 0 && (upper == 0 || lower == 0) {
        let strong = digits >= 2 && upper + lower >= 3 && shape.changes >= 3;
        return (length >= SHORTEST_PLAIN && digits > 0).then_some((Form::Token(length), strong));
    }
    if symbols > length / 6 + 1 || upper == 0 || lower == 0 {
        return None;
    }
    // One of thirty random words of this length has no digit.
    let random = digits > 0 || !read_as_words(word);
    let strong = random && shape.changes * 3 >= length;
    (strong || shape.changes * 5 >= length).then_some((Form::Token(length), strong))
}

/// Whether a word with more hyphens than most tokens of its length, of which one in a thousand has so
/// many, may stand for one that looks random by itself.
fn may_be_token(word: &str) -> bool {
    let Shape { counts: [upper, lower, digits, symbols], changes } = Shape::of(word);
    let fits = (SHORTEST..=LONGEST).contains(&word.len()) && symbols <= word.len() / 3;
    let mixed = upper > 0 && lower > 0 && digits > 0;
    fits && mixed && changes * 3 >= word.len() && is_varied(word)
}

/// Whether a word is of more than a few letters: what is not was chosen, such as zeros for nothing.
fn is_varied(word: &str) -> bool {
    let mut seen = [false; 128];
    word.bytes().for_each(|byte| seen[usize::from(byte & 127)] = true);
    seen.iter().filter(|seen| **seen).count() >= 5
}

struct Shape {
    /// Upper case, lower case, digits, others.
    counts: [usize; 4],
    /// How often one of these is followed by another.
    changes: usize,
}

impl Shape {
    fn of(word: &str) -> Self {
        let class = |byte: u8| match byte {
            b'A'..=b'Z' => 0,
            b'a'..=b'z' => 1,
            b'0'..=b'9' => 2,
            _ => 3,
        };
        let mut shape = Shape { counts: [0; 4], changes: 0 };
        let mut before = None;
        for class in word.bytes().map(class) {
            shape.counts[class] += 1;
            shape.changes += usize::from(before.is_some_and(|before| before != class));
            before = Some(class);
        }
        shape
    }
}

/// A whole text that is a token in the usual Base64, with letters that no other token has.
fn whole_base64(text: &str) -> Option<Word> {
    let letters = text.trim_end_matches('=');
    let padding = text.len() - letters.len();
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let form = text.len().is_multiple_of(4) && padding <= 2 && letters.len() <= LONGEST;
    let usual = letters.len() >= SHORTEST && letters.contains(['+', '/']);
    if !form || !usual || !letters.bytes().all(is_letter) {
        return None;
    }
    let shape = Shape::of(letters);
    let [upper, lower, digits, others] = shape.counts;
    let random = upper > 0 && lower > 0 && digits > 0 && others <= letters.len() / 10;
    let strong = shape.changes * 3 >= letters.len();
    (random && strong).then_some(Word {
        range: 0..text.len(),
        form: Form::Token(text.len()),
        strong,
    })
}

/// The port that stands here after a name of this machine and a colon.
fn port(text: &str, at: usize) -> Option<Word> {
    const HERE: [&str; 4] = ["localhost:", "127.0.0.1:", "[::1]:", "0.0.0.0:"];
    let before = text.get(..at)?;
    HERE.iter().find(|name| before.ends_with(**name))?;
    let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
    let ends = text.as_bytes().get(at + digits).is_none_or(|byte| !is_part(*byte));
    let number = text[at..at + digits].parse().ok()?;
    let random = digits == 5 && ends && ANY_PORT.contains(&number);
    random.then_some(Word { range: at..at + digits, form: Form::Port, strong: true })
}

/// Where UUIDs stand in a run of letters, digits and hyphens, but for those that are all one digit.
fn uuids(run: &str) -> Vec<Range<usize>> {
    let bytes = run.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at + 36 <= bytes.len() {
        let before = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let after = bytes.get(at + 36).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let is_nothing = |word: &str| {
            let mut digits = word.bytes().filter(|byte| *byte != b'-');
            let first = digits.next();
            digits.all(|digit| Some(digit) == first)
        };
        if before && after && is_uuid(&bytes[at..at + 36]) && !is_nothing(&run[at..at + 36]) {
            found.push(at..at + 36);
            at += 36;
        } else {
            at += 1;
        }
    }
    found
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = "65e0a1b2c3d4e5f601020304";
    const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = words(text).into_iter().map(|word| &text[word.range]).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_is_random_looks_invented() {
        for word in [
            UUID,
            OBJECT,
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "0ujtsYcgvSTl8PAuAdqWYSMnLOv",
            "V1StGXR8_Z5jdHi6B-myT",
            "tcdvZPV_TImjGOBTrCETf",
            "9f86d081884c7d65",
            "9F86D081884C7D659A2FEAA0C55AD015",
            "ch_1NXWPnCNtdfYVQ2eZvKYlo2C",
            "ckopqwooh000001la8mbi2im9",
            "dGhpcyBpcyBhIHRlc3QhMTIz",
            "tGb+4x/Wq0Xz8sPLmNvR3A==",
            "175928847299117063",
        ] {
            check(word, &[word]);
            check(
                &format!("/x/{word}?"),
                if word.contains('+') { &[] } else { std::slice::from_ref(&word) },
            );
        }
        check(&format!("paid-{OBJECT}-{UUID}, {OBJECT}"), &[OBJECT, UUID, OBJECT]);
        check(&format!("urn%3Auuid%3A{UUID}%22"), &[UUID]);
        check("at http://127.0.0.1:43817/x, not 127.0.0.1:8080", &["43817"]);
    }

    /// Of many random tokens, each is known as a whole, and nearly all by themselves: two that are not
    /// would have to meet for a replay to fail.
    #[test]
    fn hardly_a_random_token_is_missed() {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        const MANY: usize = 20_000;
        let mut state = 1_u64;
        let mut letter = || {
            // Knuth's generator of 64 bits: the same tokens each time.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            char::from(LETTERS[(state >> 58) as usize])
        };
        for (prefix, length) in [("", 21), ("ord_", 24), ("", 32), ("", 43)] {
            let (mut missed, mut weak) = (0, 0);
            for _ in 0..MANY {
                let token: String = prefix.chars().chain((0..length).map(|_| letter())).collect();
                match &words(&token)[..] {
                    [word] if word.range == (0..token.len()) => weak += usize::from(!word.strong),
                    _ => missed += 1,
                }
            }
            assert!(missed <= MANY / 5_000 && weak <= MANY / 50, "{length}: {missed}, {weak} weak");
        }
    }

    #[test]
    fn what_people_write_does_not() {
        for text in [
            "",
            "order-confirmation-mail-2026-11",
            "GET /api/v1/customers/orders",
            "2026-11-20T10:00:00.123456Z",
            "1732180000123456789",
            "4111111111111111",
            "00000000-0000-0000-0000-000000000000",
            "ffffffffffffffffffffffff",
            "OrderConfirmationRequested",
            "application/vnd.example.order+json",
            "content-security-policy-report-only",
            "secret-cookie-0123456789abcdef",
            "X-Forwarded-For-Original-Client",
            "ORDER_STATE_WAITING_FOR_PAYMENT",
            "db.example.com:43817",
        ] {
            assert!(words(text).iter().all(|word| !word.strong), "{text}");
        }
    }

    #[test]
    fn a_jwt_is_its_parts() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlX3doYXRldmVy";
        let forms: Vec<_> = words(&format!("Bearer {jwt}")).into_iter().map(|it| it.form).collect();
        assert!(
            matches!(&forms[..], [Form::Wrapped(head), Form::Wrapped(claims), Form::Signature]
                if head.text == "{\"alg\":\"HS256\"}" && claims.text == "{\"sub\":\"1\"}"),
            "{forms:?}"
        );
    }

    #[test]
    fn words_are_written_as_they_were() {
        let text = UUID.to_ascii_uppercase();
        let word = &words(&text)[0];
        let key = word.key(&text);
        assert_eq!(key, UUID.replace('-', ""));
        assert_eq!(word.write(&text, &key), text);
        let plain = UUID.replace('-', "");
        assert_eq!(words(&plain)[0].key(&plain), key);
    }
}
