//! Field sections: the examples of RFC 7541, appendix C, and what is refused.

use super::super::hpack::{Decoder, encode};
use super::super::{huffman, table};
use crate::WireError;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Sections that follow one another, with a table of this size, and the fields of each.
#[track_caller]
fn check(capacity: usize, sections: &[(&str, &[(&str, &str)])]) {
    let mut decoder = Decoder::default();
    for (place, (hex, expected)) in sections.iter().enumerate() {
        // The examples set their table's size outside of the sections.
        let resize =
            if place == 0 && capacity == 256 { vec![0x3f, 0xe1, 0x01] } else { Vec::new() };
        let section = [resize, bytes(hex)].concat();
        let fields = decoder.decode(&section, capacity, 4096).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let fields: Vec<_> =
            fields.into_iter().map(|(name, value)| (text(name), text(value))).collect();
        let shown: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(shown, *expected);
    }
}

const FIRST: &[(&str, &str)] =
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
const SECOND: &[(&str, &str)] = &[
    (":method", "GET"),
    (":scheme", "http"),
    (":path", "/"),
    (":authority", "www.example.com"),
    ("cache-control", "no-cache"),
];
const THIRD: &[(&str, &str)] = &[
    (":method", "GET"),
    (":scheme", "https"),
    (":path", "/index.html"),
    (":authority", "www.example.com"),
    ("custom-key", "custom-value"),
];

#[test]
fn requests_of_the_rfc_are_read() {
    check(
        4096,
        &[
            ("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", FIRST),
            ("8286 84be 5808 6e6f 2d63 6163 6865", SECOND),
            ("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", THIRD),
        ],
    );
}

#[test]
fn requests_of_the_rfc_in_huffman_code_are_read() {
    check(
        4096,
        &[
            ("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", FIRST),
            ("8286 84be 5886 a8eb 1064 9cbf", SECOND),
            ("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", THIRD),
        ],
    );
}

#[test]
fn responses_of_the_rfc_push_each_other_out_of_a_small_table() {
    let date = "Mon, 21 Oct 2013 20:13:21 GMT";
    let place = ("location", "https://www.example.com");
    check(
        256,
        &[
            (
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 \
                 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                &[(":status", "302"), ("cache-control", "private"), ("date", date), place],
            ),
            (
                "4883 640e ffc1 c0bf",
                &[(":status", "307"), ("cache-control", "private"), ("date", date), place],
            ),
            (
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab \
                 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f \
                 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
                &[
                    (":status", "200"),
                    ("cache-control", "private"),
                    ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
                    place,
                    ("content-encoding", "gzip"),
                    ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
                ],
            ),
        ],
    );
}

#[test]
fn what_is_written_is_read() {
    let long = "x".repeat(40_000);
    let fields = [(":method", "PATCH"), ("accept", "*/*"), ("x-long", &long), ("a", "")];
    let mut section = Vec::new();
    fields.iter().for_each(|(name, value)| encode(name.as_bytes(), value.as_bytes(), &mut section));
    let read = Decoder::default().decode(&section, 0, 1 << 20).unwrap();
    let raw = |(name, value): &(&str, &str)| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    assert_eq!(read, fields.iter().map(raw).collect::<Vec<_>>());
}

#[test]
fn broken_sections_are_refused() {
    for (hex, why) in [
        ("80", "field number 0"),
        ("be", "an empty table"),
        ("ff", "a number that is cut"),
        ("ffffffffffffffffff", "a number without an end"),
        ("0003 61", "a name that is cut"),
        ("0001 61", "no value"),
        ("0081 ff 0161", "padding of a byte"),
        ("0082 ffff 0161", "padding of two bytes"),
        ("0081 fe 0161", "a name that ends in the middle of a code word"),
        ("0084 ffff ffff 0161", "the end of a string in it"),
        ("3fe2 1f", "a table that was not allowed"),
    ] {
        let outcome = Decoder::default().decode(&bytes(hex), 4096, 4096);
        assert!(matches!(outcome, Err(WireError::Malformed { .. })), "{why}: {outcome:?}");
    }
}

#[test]
fn a_small_section_cannot_become_a_large_list() {
    // A field of 4000 bytes is remembered and said again in one byte each.
    let mut section = vec![0x40, 1, b'a', 0x7f, 0xa1, 0x1e];
    section.extend(vec![b'x'; 4000]);
    section.extend(vec![0xbe; 1000]);
    let outcome = Decoder::default().decode(&section, 4096, 64 << 10);
    assert!(matches!(outcome, Err(WireError::TooLarge { limit: 65536, .. })), "{outcome:?}");
}

#[test]
fn a_table_may_be_resized_amid_the_fields() {
    let mut decoder = Decoder::default();
    let section = [0x40, 1, b'a', 1, b'b', 0x3f, 0xe1, 0x1f, 0xbe];
    let field = (b"a".to_vec(), b"b".to_vec());
    assert_eq!(decoder.decode(&section, 4096, 4096).unwrap(), [field.clone(), field]);
}

#[test]
fn a_table_that_shrinks_forgets() {
    let mut decoder = Decoder::default();
    decoder.decode(&[0x40, 1, b'a', 1, b'b'], 4096, 4096).unwrap();
    assert_eq!(decoder.decode(&[0xbe], 4096, 4096).unwrap(), [(b"a".to_vec(), b"b".to_vec())]);
    assert!(decoder.decode(&[0x20, 0xbe], 4096, 4096).is_err());
    let mut table = table::Dynamic::default();
    table.insert((vec![b'n'; 5000], Vec::new()));
    assert_eq!(table.get(62), None);
}

#[test]
fn every_byte_has_a_code_word() {
    // From RFC 7541, appendix C.4 to C.6, and the longest words of appendix B.
    for (hex, text) in [
        ("f1e3 c2e5 f23a 6ba0 ab90 f4ff", b"www.example.com".as_slice()),
        ("ae c3 77 1a 4b", b"private"),
        ("ffff fff3", b"\n"),
        ("ffff fff7", b"\r"),
        ("ffff fffb", b"\x16"),
        ("ffc7", b"\0"),
    ] {
        assert_eq!(huffman::decode(&bytes(hex), 100).as_deref(), Some(text), "{hex}");
    }
    assert_eq!(huffman::decode(&bytes("aec3771a4b"), 6), None);
}

/// The words of all bytes and of the end, as text of zeros and ones: the shorter come first, and of one
/// length the lower symbols (RFC 7541, appendix B).
fn words() -> Vec<String> {
    let mut symbols: Vec<usize> = (0..huffman::LENGTHS.len()).collect();
    symbols.sort_by_key(|symbol| huffman::LENGTHS[*symbol]);
    let mut words = vec![String::new(); symbols.len()];
    let (mut next, mut before) = (0u32, 0);
    for symbol in symbols {
        let length = huffman::LENGTHS[symbol];
        next <<= length - before;
        words[symbol] = format!("{next:0width$b}", width = length.into());
        (next, before) = (next + 1, length);
    }
    words
}

/// Bits as bytes, with ones behind them as padding.
fn padded(bits: &str) -> Vec<u8> {
    let digits: Vec<u8> = bits.bytes().collect();
    let byte = |digits: &[u8]| {
        (0..8).fold(0, |byte, place| byte << 1 | u8::from(digits.get(place) != Some(&b'0')))
    };
    digits.chunks(8).map(byte).collect()
}

#[test]
fn every_byte_is_read_in_huffman_code_behind_every_other() {
    let words = words();
    for (first, second) in (0..=255u8).flat_map(|first| (0..=255u8).map(move |it| (first, it))) {
        let text = [first, second, first, b'e', second];
        let bits: String = text.iter().map(|byte| words[usize::from(*byte)].as_str()).collect();
        assert_eq!(huffman::decode(&padded(&bits), 5).as_deref(), Some(&text[..]), "{text:?}");
    }
}

#[test]
fn the_end_in_huffman_code_and_padding_of_eight_bits_are_refused() {
    let words = words();
    for byte in 0..=255u8 {
        let whole = &words[usize::from(byte)];
        let ended = format!("{whole}{}", words[256]);
        assert_eq!(huffman::decode(&padded(&ended), 100), None, "the end behind {byte}");
        let long = format!("{whole}{}", "1".repeat(8 + (8 - whole.len() % 8) % 8));
        assert_eq!(huffman::decode(&padded(&long), 100), None, "long padding behind {byte}");
    }
}
