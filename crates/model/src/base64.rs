//! Base64 (RFC 4648, section 4) back to bytes; writing it is in `json`.

/// The bytes, or `None` when it is not Base64 with its padding. White space is skipped, so that
/// people may break lines.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held, mut padding) = (0u32, 0u32, 0usize);
    for byte in text.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b' ' | b'\n' => continue,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    let padded = matches!((held, padding), (0, 0) | (4, 2) | (2, 1));
    (padded && bits == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::decode;
    use crate::json::base64;

    #[test]
    fn reads_what_is_written_and_nothing_else() {
        for length in 0..70u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(251)).collect();
            assert_eq!(decode(&base64(&bytes)), Some(bytes));
        }
        assert_eq!(decode("Zm9v\n YmFy"), Some(b"foobar".to_vec()));
        for bad in ["Zg", "Zg=", "Zh==", "Z", "Zg==Zg==", "Zm9v=", "Z_8="] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
