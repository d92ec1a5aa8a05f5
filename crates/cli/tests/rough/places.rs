//! Where and as whom it runs: several copies at once on one port, and a user without privileges.

use crate::stage::Shop;
use rehearsal_testkit::Client;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

#[test]
fn four_copies_of_an_app_with_a_fixed_port_replay_at_once() {
    let shop = Shop::new("go");
    let services = shop.services();
    let recording = shop.record(&[]);
    let mut client = Client::connect(shop.port).expect("the shop listens");
    let body = br#"{"sku":"candle","quantity":3}"#;
    for _ in 0..10 {
        assert_eq!(client.request("POST", "/orders", &[], body).unwrap().status, 201);
    }
    assert_eq!(shop.project.interrupt(recording).code, 0);
    drop(services);
    // Even somebody else on the very port is not in the way.
    let _holder = TcpListener::bind(("127.0.0.1", shop.port)).unwrap();
    let none = BTreeMap::new();
    let runs: Vec<_> = (0..4).map(|_| shop.project.start(["test"], &none)).collect();
    for run in runs {
        let ended = run.wait(Duration::from_secs(60));
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("10 tests: 10 passed"), "{}", ended.stdout);
    }
}

#[test]
fn a_user_without_any_privilege_records_and_tests() {
    let mut shop = Shop::new("go");
    shop.become_nobody();
    let services = shop.services();
    let recording = shop.record(&[]);
    let mut client = Client::connect(shop.port).expect("the shop listens");
    let body = br#"{"sku":"candle","quantity":3}"#;
    assert_eq!(client.request("GET", "/products/globe", &[], b"").unwrap().status, 200);
    assert_eq!(client.request("POST", "/orders", &[], body).unwrap().status, 201);
    let status = std::fs::read_to_string(format!("/proc/{}/status", recording.id())).unwrap();
    for line in ["CapEff:\t0000000000000000", "CapPrm:\t0000000000000000"] {
        assert!(status.contains(line), "{status}");
    }
    assert!(!status.contains("Uid:\t0\t"), "{status}");
    let ended = shop.project.interrupt(recording);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    drop(services);
    let tested = shop.project.run(["test"], &BTreeMap::new());
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains("2 tests: 2 passed"), "{}", tested.stdout);
    let bug = BTreeMap::from([("BUG".to_owned(), "wrong_total".to_owned())]);
    let tested = shop.project.run(["test"], &bug);
    assert_eq!(tested.code, 1, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains("calls[1].body.amount"), "{}", tested.stdout);
}

#[test]
fn two_recordings_of_one_name_do_not_mix() {
    let shop = Shop::new("go");
    let first = shop.record(&[]);
    let mut client = Client::connect(shop.port).expect("the shop listens");
    assert_eq!(client.request("GET", "/health", &[], b"").unwrap().status, 200);
    for options in [&[][..], &["--append"]] {
        let second = shop.start_record(options).wait(Duration::from_secs(30));
        assert_eq!(second.code, 2, "{}{}", second.stdout, second.stderr);
        assert!(second.stderr.contains("shop"), "{}", second.stderr);
    }
    assert_eq!(client.request("GET", "/health", &[], b"").unwrap().status, 200);
    assert_eq!(shop.project.interrupt(first).code, 0);
    let tested = shop.project.run(["test"], &BTreeMap::new());
    assert!(tested.stdout.contains("2 tests: 2 passed"), "{}{}", tested.stdout, tested.stderr);
}
