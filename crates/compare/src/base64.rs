//! Base64 (RFC 4648, both alphabets) around texts: JSON in a cursor, the parts of a JWT.
//!
//! Only what comes back to the same letters is read.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A text in Base64 and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrapped {
    pub(crate) text: String,
    url: bool,
}

/// The JSON list or map that letters without padding hold, by the look of it; it is not parsed.
pub(crate) fn json_in(letters: &str) -> Option<Wrapped> {
    // `{` and `[` in the first eight bits.
    let mut first = letters.bytes();
    if !matches!(first.next(), Some(b'e' | b'W')) || value(first.next()?)? < 48 {
        return None;
    }
    let wrapped = Wrapped { text: decode(letters)?, url: !letters.contains(['+', '/']) };
    let ends = wrapped.text.trim_end().ends_with(['}', ']']);
    (ends && wrapped.encode() == letters).then_some(wrapped)
}

impl Wrapped {
    /// The letters of another text, written like this one.
    pub(crate) fn around(&self, text: &str) -> String {
        Wrapped { text: text.to_owned(), url: self.url }.encode()
    }

    fn encode(&self) -> String {
        let mut out = String::with_capacity(self.text.len().div_ceil(3) * 4);
        for chunk in self.text.as_bytes().chunks(3) {
            let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
            let word = byte(0) << 16 | byte(1) << 8 | byte(2);
            for place in 0..=chunk.len() {
                let letter = char::from(STANDARD[(word >> (18 - 6 * place) & 63) as usize]);
                out.push(match letter {
                    '+' if self.url => '-',
                    '/' if self.url => '_',
                    letter => letter,
                });
            }
        }
        out
    }
}

fn decode(letters: &str) -> Option<String> {
    let (mut bytes, mut word, mut bits) = (Vec::with_capacity(letters.len()), 0u32, 0);
    for letter in letters.bytes() {
        word = word << 6 | value(letter)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits & 255) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}

fn value(letter: u8) -> Option<u32> {
    Some(u32::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_seen_through_base64() {
        let read = |letters| json_in(letters).map(|wrapped| wrapped.text);
        assert_eq!(read("eyJhIjoxfQ").as_deref(), Some("{\"a\":1}"));
        assert_eq!(read("WzEsMl0").as_deref(), Some("[1,2]"));
        assert_eq!(read("eyJhIjoiw7zDvyJ9").as_deref(), Some("{\"a\":\"üÿ\"}"));
        for not in ["", "e", "eyJhIjoxfR", "eyJhIjox", "everything", "Wonderful", "eyJhIjoxfQ="] {
            assert_eq!(read(not), None, "{not}");
        }
        let wrapped = json_in("eyJhIjoxfQ").unwrap();
        assert_eq!(wrapped.around("{\"a\":2}"), "eyJhIjoyfQ");
    }
}
