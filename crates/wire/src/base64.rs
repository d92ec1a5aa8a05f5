//! Base64 (RFC 4648, section 4), hexadecimal and UUIDs, as protocols write bytes into text.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * place) & 63) as usize];
            out.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

fn digit(letter: u8) -> Option<u32> {
    let digit = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(digit))
}

/// The bytes, or nothing when it is not base64 in its one canonical spelling.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in text.as_bytes().chunks(4) {
        let &[_, _, _, _] = chunk else { return None };
        let kept = 4 - chunk.iter().rev().take_while(|letter| **letter == b'=').count();
        let mut word = 0;
        for letter in chunk.iter().take(kept) {
            word = word << 6 | digit(*letter)?;
        }
        word <<= 6 * (4 - kept);
        let [_, bytes @ ..] = word.to_be_bytes();
        out.extend_from_slice(bytes.get(..kept.checked_sub(1)?)?);
    }
    (encode(&out) == text).then_some(out)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// So many bytes of hexadecimal digits.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks(2)) {
        let digit = |place: usize| char::from(pair[place]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(out)
}

/// A UUID as RFC 9562 writes it.
pub(crate) fn uuid(bytes: &[u8]) -> Option<String> {
    let text = hex(bytes.first_chunk::<16>().filter(|_| bytes.len() == 16)?);
    let part = |from, to| &text[from..to];
    Some([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

pub(crate) fn from_uuid(text: &str) -> Option<[u8; 16]> {
    let bytes = from_hex::<16>(&text.replace('-', ""))?;
    let canonical = uuid(&bytes)?;
    canonical.eq_ignore_ascii_case(text).then_some(bytes)
}
