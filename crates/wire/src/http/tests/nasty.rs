//! Input that means harm: errors, never a panic or unbounded memory.

use super::*;
use proptest::prelude::*;

fn request(bytes: &[u8]) -> Result<Seen, WireError> {
    run(&[Client(bytes)], SMALL)
}

#[test]
fn ambiguous_and_malformed_requests_are_refused() {
    let post = |headers: &str| format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n").into_bytes();
    let chunked = |body: &str| {
        format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes()
    };
    let cases = [
        post("Content-Length: 1\r\nTransfer-Encoding: chunked"),
        post("Transfer-Encoding: chunked\r\nContent-Length: 1"),
        post("Content-Length: 1\r\nContent-Length: 2"),
        post("Content-Length: 1, 2"),
        post("Content-Length: -1"),
        post("Content-Length: +1"),
        post("Content-Length: 0x1"),
        post("Content-Length:"),
        post("Content-Length: 99999999999999999999"),
        post("Transfer-Encoding: gzip"),
        post("Transfer-Encoding: chunked, identity"),
        post("Transfer-Encoding: xchunked"),
        post("Transfer-Encoding: chunked, chunked"),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip"),
        post("Transfer-Encoding:"),
        post("A : b"),
        post(": b"),
        post("A"),
        post("A: \0"),
        post("A: b\rc"),
        post(" A: b"),
        chunked("-1\r\n"),
        chunked("g\r\n"),
        chunked("\r\n"),
        chunked(";a\r\n"),
        chunked("11111111111111111\r\n"),
        chunked("1\nab\r\n"),
        chunked("1\r\nab\r\n"),
        chunked("1;\0\r\na"),
        chunked("0\r\nA\r\n\r\n"),
        chunked("0\r\n\n"),
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\n\n".to_vec(),
        b"GET / HTTP/1.1\r\nA: b\n\r\n".to_vec(),
        b"GET / HTTP/2.0\r\n\r\n".to_vec(),
        b"GET /a b HTTP/1.1\r\n\r\n".to_vec(),
        b"GET  HTTP/1.1\r\n\r\n".to_vec(),
        b"G\0T / HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /\0 HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /\r\n\r\n".to_vec(),
    ];
    for case in cases {
        let text = String::from_utf8_lossy(&case).into_owned();
        assert!(matches!(request(&case), Err(WireError::Malformed { .. })), "{text:?}");
        let bytes: Vec<Step<'_>> = case.chunks(1).map(Client).collect();
        assert!(matches!(run(&bytes, SMALL), Err(WireError::Malformed { .. })), "{text:?}");
    }
}

#[test]
fn malformed_responses_are_refused() {
    for bytes in [
        b"HTTP/1.1 20 OK\r\n\r\n".as_slice(),
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 \0\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ] {
        let steps = [Client(b"GET / HTTP/1.1\r\n\r\n"), Server(bytes)];
        assert!(run(&steps, SMALL).is_err(), "{:?}", String::from_utf8_lossy(bytes));
    }
    assert!(run(&[Server(b"HTTP/1.1 408 Request Timeout\r\n\r\n")], SMALL).is_err());
}

#[test]
fn heads_and_trailers_and_queues_have_limits() {
    let endless = [b"GET /".as_slice(), &[b'a'; 5000]].concat();
    assert!(matches!(request(&endless), Err(WireError::TooLarge { limit: 4096, .. })));
    let complete = [b"GET /".as_slice(), &[b'a'; 5000], b" HTTP/1.1\r\n\r\n"].concat();
    assert!(matches!(request(&complete), Err(WireError::TooLarge { .. })));
    let dribble: Vec<Step<'_>> = endless.chunks(1).map(Client).collect();
    assert!(matches!(run(&dribble, SMALL), Err(WireError::TooLarge { .. })));
    let trailers = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    let trailers = [trailers.as_slice(), &b"A: b\r\n".repeat(1000)].concat();
    assert!(matches!(request(&trailers), Err(WireError::TooLarge { .. })));
    let extensions = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let extensions = [extensions.as_slice(), &b"1;aaaaaaaaaa\r\na\r\n".repeat(9000)].concat();
    assert!(request(&extensions).is_err());
    assert!(request(&b"GET / HTTP/1.1\r\n\r\n".repeat(4)).is_ok());
    assert!(request(&b"GET / HTTP/1.1\r\n\r\n".repeat(5)).is_err());
    let fields = b"A: b\r\n".repeat(5000);
    let many = [b"GET / HTTP/1.1\r\n".as_slice(), &fields, b"\r\n"].concat();
    assert!(run(&[Client(&many)], Limits::default()).is_err());
    let upgrade = b"GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n";
    assert!(request(&[upgrade.as_slice(), &[b'x'; 5000]].concat()).is_err());
}

#[test]
fn requests_that_wait_have_a_size_limit_together() {
    let limits = Limits { head: 100, body: 50, in_flight: 100, schemas: None };
    let put = [b"PUT / HTTP/1.1\r\nContent-Length: 50\r\n\r\n".as_slice(), &[b'x'; 50]].concat();
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".as_slice();
    assert!(run(&[Client(&put.repeat(4))], limits).is_ok());
    assert!(run(&[Client(&put.repeat(5))], limits).is_err());
    assert!(run(&[Client(&put), Server(ok)].repeat(50), limits).is_ok());
    let mut responder = Http.responder(limits);
    let many = put.repeat(5);
    assert!(responder.handle(event(&Client(&many)), &mut Vec::new()).is_err());
}

#[test]
fn a_length_allocates_nothing() {
    let head = b"PUT / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\nabc";
    assert_eq!(request(head).map(|seen| seen.begun), Ok(1));
    let chunk = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc";
    assert_eq!(request(chunk).map(|seen| seen.begun), Ok(1));
}

#[test]
fn a_long_line_in_single_bytes_takes_linear_time() {
    let line = [b"GET /".as_slice(), &vec![b'a'; 1 << 20]].concat();
    let limits = Limits { head: 2 << 20, ..SMALL };
    let mut observer = Http.observer(limits);
    for byte in line.chunks(1) {
        give(&mut observer, event(&Client(byte)));
    }
}

/// Exchanges of every framing, to be damaged.
const CLIENTS: [&[u8]; 4] = [
    b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.0\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n{\"a\": [1.0]}",
    b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
];
const SERVERS: [&[u8]; 4] = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 304 Not Modified\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n\r\nuntil the end",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n0\r\nA: b\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x81\x00",
];

fn damage(bytes: &[u8], edits: &[(usize, u8, u8)]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for (at, kind, byte) in edits {
        let at = at % out.len().max(1);
        match kind % 4 {
            _ if out.is_empty() => {}
            0 => out[at] = *byte,
            1 => out.insert(at, b"\r\n: ,;019aF"[usize::from(*byte) % 11]),
            2 => drop(out.remove(at)),
            _ => out.truncate(at),
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn damaged_exchanges_read_the_same_at_any_split(
        which in (0usize..4, 0usize..4),
        edits in proptest::collection::vec((0usize..200, any::<u8>(), any::<u8>()), 0..3),
        server_edits in proptest::collection::vec((0usize..200, any::<u8>(), any::<u8>()), 0..3),
        sizes in (1usize..40, 1usize..40),
    ) {
        let client = damage(CLIENTS[which.0], &edits);
        let server = damage(SERVERS[which.1], &server_edits);
        let end = ServerCloses(Ending::Finished);
        let whole = run(&[Client(&client), Server(&server), end], SMALL);
        let mut steps: Vec<Step<'_>> = client.chunks(sizes.0).map(Client).collect();
        steps.extend(server.chunks(sizes.1).map(Server));
        steps.push(end);
        prop_assert_eq!(run(&steps, SMALL).ok(), whole.ok());
    }
}
