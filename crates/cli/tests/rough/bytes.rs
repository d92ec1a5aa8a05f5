//! Bytes that nobody should send: garbage, huge heads and bodies, one byte at a time. Rehearsal carries
//! them as they are, and what is understood replays.

use crate::stage::Shop;
use rehearsal_testkit::{Answer, Client};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::Path;

/// An app that answers what it was sent: the size and a sum of the body, and the size of a header.
fn echo() -> Shop {
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rough/echo.py");
    Shop::of(vec!["python3".to_owned(), app.display().to_string()])
}

/// Ends the recording, replays it without the services, and expects so many tests to pass.
fn replays(shop: &Shop, recording: rehearsal_testkit::Process, tests: usize) {
    let ended = shop.project.interrupt(recording);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let tested = shop.project.run(["test"], &BTreeMap::new());
    assert_eq!(tested.code, 0, "{}{}\n{}", tested.stdout, tested.stderr, ended.stdout);
    let passed = format!(": {tests} passed");
    assert!(tested.stdout.contains(&passed), "{}\n{}", tested.stdout, ended.stdout);
}

#[test]
fn garbage_is_carried_to_the_app_and_breaks_nothing() {
    let shop = Shop::new("go");
    let recording = shop.record(&[]);
    let zeros = vec![0u8; 100_000];
    let tls = [&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3][..], &[7; 500]].concat();
    let many_lines = b"GET / HTTP/1.1\r\n".repeat(1000);
    for garbage in [
        &b"\r\n\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"GET /health HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /orders HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        &zeros,
        &tls,
        &many_lines,
    ] {
        let client = Client::connect(shop.port).expect("the shop listens");
        let mut socket = client.socket();
        // The app may close in the middle; that is its right.
        let _ = socket.write_all(garbage);
        let _ = socket.shutdown(Shutdown::Write);
        let _ = socket.read_to_end(&mut Vec::new());
    }
    let mut client = Client::connect(shop.port).expect("the shop still listens");
    assert_eq!(client.request("GET", "/health", &[], b"").unwrap().status, 200);
    let ended = shop.project.interrupt(recording);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let tested = shop.project.run(["test", "--test", "GET /health"], &BTreeMap::new());
    assert!(tested.code == 0 || tested.code == 1, "{}{}", tested.stdout, tested.stderr);
    let said = format!("{}{}{}{}", ended.stdout, ended.stderr, tested.stdout, tested.stderr);
    assert!(!said.contains("panicked"), "{said}");
    assert!(tested.stdout.contains("passed"), "{said}");
}

#[test]
fn a_header_of_a_mebibyte_is_carried_and_replayed() {
    let shop = echo();
    let recording = shop.record(&[]);
    let mut client = Client::connect(shop.port).expect("the app listens");
    let headers = [("x-long".to_owned(), "v".repeat(1 << 20))];
    let answer = client.request("GET", "/header", &headers, b"").unwrap();
    assert_eq!((answer.status, answer.text()), (200, "1048576"));
    replays(&shop, recording, 1);
}

#[test]
fn a_body_of_64_mebibytes_is_carried_both_ways() {
    const SIZE: usize = 64 << 20;
    let shop = echo();
    let recording = shop.record(&[]);
    let mut client = Client::connect(shop.port).expect("the app listens");
    let body: Vec<u8> = (0..SIZE).map(|at| (at % 251) as u8).collect();
    let answer = client.request("POST", "/length", &[], &body).unwrap();
    assert_eq!((answer.status, answer.text()), (200, "67108864"));
    let answer = client.request("GET", "/large", &[], b"").unwrap();
    assert_eq!(answer.body.len(), SIZE);
    assert!(answer.body.iter().all(|byte| *byte == b'x'));
    let ended = shop.project.interrupt(recording);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let files = std::fs::read_dir(shop.project.folder().join("rehearsal/shop/tests")).unwrap();
    assert_eq!(files.count(), 2, "{}", ended.stdout);
}

#[test]
fn one_byte_at_a_time_is_as_good_as_all_at_once() {
    let shop = Shop::new("go");
    let services = shop.services();
    let recording = shop.record(&[]);
    let mut client = Client::connect(shop.port).expect("the shop listens");
    let request = "POST /orders HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5;a=b\r\n{\"sku\r\n18\r\n\":\"candle\",\"quantity\":3}\r\n0\r\nX-Late: yes\r\n\r\n";
    for byte in request.bytes() {
        client.send(&[byte]).unwrap();
    }
    let slow: Answer = client.answer(false).unwrap();
    assert_eq!(slow.status, 201, "{}", slow.text());
    let body = br#"{"sku":"candle","quantity":3}"#;
    let quick = client.request("POST", "/orders", &[], body).unwrap();
    assert_eq!((quick.status, quick.body), (201, slow.body));
    // Three requests in one packet are three tests.
    client.send(&b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3)).unwrap();
    for _ in 0..3 {
        assert_eq!(client.answer(false).unwrap().status, 200);
    }
    drop(services);
    replays(&shop, recording, 5);
}
