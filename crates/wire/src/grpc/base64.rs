//! Base64 as binary metadata and gRPC-Web in text use it (RFC 4648, section 4).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Without padding, as binary metadata is best sent.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let part = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = part(0) << 16 | part(1) << 8 | part(2);
        for place in 0..=chunk.len() {
            let digit = bits >> (18 - 6 * place) & 63;
            out.push(char::from(ALPHABET[digit as usize]));
        }
    }
    out
}

/// With padding.
pub(super) fn encode_padded(bytes: &[u8]) -> String {
    let mut out = encode(bytes);
    out.extend(std::iter::repeat_n('=', out.len().next_multiple_of(4) - out.len()));
    out
}

/// The bytes of one or more such texts behind each other, the last with or without padding.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.chunks(4) {
        let padding = chunk.iter().rev().take_while(|byte| **byte == b'=').count();
        let digits = &chunk[..chunk.len() - padding];
        let mut bits = 0;
        for byte in digits {
            bits = bits << 6 | digit(*byte)?;
        }
        let bytes = (bits << (6 * (4 - digits.len()))).to_be_bytes();
        match digits.len() {
            count @ 2..=4 => out.extend_from_slice(&bytes[1..count]),
            _ => return None,
        }
    }
    Some(out)
}

fn digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}
