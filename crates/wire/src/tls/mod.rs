//! How TLS begins: with a client's hello (RFC 8446, section 4.1.2), which is sent in the clear.
//!
//! What lies below is another protocol's; who lays TLS over the sides is the driver. Nothing is
//! decrypted here.

use crate::Verdict;

/// The first bytes of a handshake: a record of that type, and the major version, which never changes.
pub(crate) const HANDSHAKE: [u8; 2] = [0x16, 0x03];
/// The largest record, which is what the length of one may say at most (RFC 8446, section 5.1, with
/// what encryption may add).
const LARGEST: usize = (1 << 14) + 256;
/// The type of the message.
const HELLO: u8 = 1;
/// The extension that names application protocols (RFC 7301).
const PROTOCOLS: u16 = 16;
/// Those that nobody here reads.
const UNREADABLE: [&[u8]; 1] = [b"h3"];

/// Whether a client begins with TLS that can be read. It cannot when the client offers to speak only
/// what nobody here reads; whoever asks leaves the connection as it is then.
#[must_use]
pub fn begins_tls(client: &[u8]) -> Verdict {
    let known = client.len().min(HANDSHAKE.len());
    if client[..known] != HANDSHAKE[..known] {
        return Verdict::No;
    }
    let Some((head, message)) = client.split_at_checked(5) else { return Verdict::NeedMore };
    let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
    if head[2] > 4 || !(4..=LARGEST).contains(&length) {
        return Verdict::No;
    }
    match message.first() {
        None => Verdict::NeedMore,
        Some(&HELLO) => match offered(&message[..length.min(message.len())]) {
            Some(names) if offers_nothing(names) => Verdict::No,
            // What is not there yet, or in another record, is for the handshake itself to read.
            _ => Verdict::Yes,
        },
        Some(_) => Verdict::No,
    }
}

/// What a connection speaks of which nothing is known but that it is TLS.
pub const TLS: &str = "tls";

/// Whether a server says farewell in TLS to a client that has said nothing: it got no hello. That is
/// how connections end that were made only to see whether somebody listens.
#[must_use]
pub fn misses_hello(server: &[u8]) -> bool {
    matches!(server, [0x15, 3, 0..=4, 0, 2, _, _])
}

/// Whether there are names, and all are of the unreadable.
fn offers_nothing(mut names: &[u8]) -> bool {
    let mut any = false;
    while let Some(name) = counted(&mut names, 1) {
        if !UNREADABLE.contains(&name) {
            return false;
        }
        any = true;
    }
    any
}

/// The list of application protocols in a hello, if it has one and is whole.
fn offered(message: &[u8]) -> Option<&[u8]> {
    let (_kind, mut rest) = message.split_at_checked(1)?;
    let mut body = counted(&mut rest, 3)?;
    // The version and the random number, then the session, the ciphers and the compressions.
    body = body.split_at_checked(34)?.1;
    counted(&mut body, 1)?;
    counted(&mut body, 2)?;
    counted(&mut body, 1)?;
    let mut extensions = counted(&mut body, 2)?;
    while let Some((kind, rest)) = extensions.split_at_checked(2) {
        extensions = rest;
        let mut content = counted(&mut extensions, 2)?;
        if kind == PROTOCOLS.to_be_bytes() {
            return counted(&mut content, 2);
        }
    }
    None
}

/// Takes off as many bytes as a length of `width` bytes in front of them says.
fn counted<'a>(bytes: &mut &'a [u8], width: usize) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_at_checked(width)?;
    let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let (taken, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Puts a length before bytes.
    fn with_length(width: usize, bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[4 - width..], bytes].concat()
    }

    fn hello(protocols: &[&str]) -> Vec<u8> {
        let names: Vec<u8> =
            protocols.iter().flat_map(|name| with_length(1, name.as_bytes())).collect();
        let mut extensions = [vec![0, 0], with_length(2, b"a server's name")].concat();
        if !protocols.is_empty() {
            extensions.extend([0, 16]);
            extensions.extend(with_length(2, &with_length(2, &names)));
        }
        let session = with_length(1, &[7; 32]);
        let body = [
            vec![3, 3],
            vec![9; 32],
            session,
            with_length(2, &[0x13, 1]),
            with_length(1, &[0]),
            with_length(2, &extensions),
        ]
        .concat();
        let message = [vec![1], with_length(3, &body)].concat();
        [vec![0x16, 3, 1], with_length(2, &message)].concat()
    }

    #[test]
    fn a_hello_is_recognised_as_soon_as_its_type_is_there() {
        let hello = hello(&["h2", "http/1.1"]);
        for end in 0..=5 {
            assert_eq!(begins_tls(&hello[..end]), Verdict::NeedMore, "{end} bytes");
        }
        for end in 6..=hello.len() {
            assert_eq!(begins_tls(&hello[..end]), Verdict::Yes, "{end} bytes");
        }
        assert_eq!(begins_tls(&super::tests::hello(&[])), Verdict::Yes);
    }

    #[test]
    fn clients_of_http_3_alone_are_left_alone() {
        assert_eq!(begins_tls(&hello(&["h3"])), Verdict::No);
        assert_eq!(begins_tls(&hello(&["h3", "h2"])), Verdict::Yes);
    }

    #[test]
    fn what_is_no_hello_is_not_taken_for_one() {
        for other in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"\x16\x04\x01\x00\x10\x01",
            b"\x16\x03\x09\x00\x10\x01",
            b"\x16\x03\x01\x00\x02\x01",
            b"\x16\x03\x01\xff\xff\x01",
            b"\x16\x03\x01\x00\x10\x02",
            b"\x17\x03\x03",
        ] {
            assert_eq!(begins_tls(other), Verdict::No, "{other:?}");
        }
    }

    #[test]
    fn an_alert_is_what_a_server_says_without_a_hello() {
        assert!(misses_hello(&[0x15, 3, 3, 0, 2, 2, 50]));
        assert!(!misses_hello(&[0x15, 3, 3, 0, 2, 2]));
        assert!(!misses_hello(b"220 mail"));
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_surprise(bytes in prop::collection::vec(any::<u8>(), 0..300), end in 0_usize..200) {
            let taken = begins_tls(&bytes);
            prop_assert!(taken != Verdict::Yes || bytes.starts_with(&HANDSHAKE));
            let mut damaged = hello(&["h2"]);
            let place = end.min(damaged.len() - 1);
            damaged[place] = bytes.first().copied().unwrap_or_default();
            let whole = begins_tls(&damaged);
            prop_assert_ne!(whole, Verdict::NeedMore);
        }
    }
}
