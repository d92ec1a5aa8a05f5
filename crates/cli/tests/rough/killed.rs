//! Recordings that end badly: Rehearsal is killed, the port is taken. Nothing is lost but what was in
//! flight, and nothing stays behind.

use crate::stage::Shop;
use rehearsal_testkit::{Client, alive, processes_mentioning};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn a_killed_recording_leaves_nothing_behind_and_loses_nothing_that_was_over() {
    let shop = Shop::new("go");
    let services = shop.services();
    // The text by which every process of this recording is known.
    let mark = shop.mark();
    let recording = shop.record(&[]);
    let mut client = Client::connect(shop.port).expect("the shop listens");
    for sku in ["globe", "apple", "candle", "desk"] {
        let answer = client.request("GET", &format!("/products/{sku}"), &[], b"").unwrap();
        assert_eq!(answer.status, 200);
    }
    let before = processes_mentioning(&mark);
    assert!(before.len() >= 2, "the shop and Rehearsal at least: {before:?}");
    // One test is in flight: its request has begun and does not end.
    client.send(b"POST /orders HTTP/1.1\r\nhost: shop\r\ncontent-length: 100\r\n\r\n{").unwrap();
    recording.signal(libc::SIGKILL);
    assert_eq!(recording.wait(Duration::from_secs(10)).code, 137);
    let began = Instant::now();
    while before.iter().any(|id| alive(*id)) || !processes_mentioning(&mark).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", processes_mentioning(&mark));
        std::thread::yield_now();
    }
    TcpListener::bind(("127.0.0.1", shop.port)).expect("the port is free again");
    let left: Vec<_> = std::fs::read_dir(shop.project.temporary()).unwrap().flatten().collect();
    assert!(left.is_empty(), "temporary files stay behind: {left:?}");
    drop(services);
    // The next command finds what was recorded. An answer may have reached us in the very moment of
    // the kill, so the last one counts as in flight too.
    let none = BTreeMap::new();
    let again = shop.record(&["--append"]);
    let ended = shop.project.interrupt(again);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let saved = [3, 4].into_iter().find(|count| {
        ended.stdout.contains(&format!("An earlier recording had been cut off: {count} tests"))
    });
    let saved = saved.unwrap_or_else(|| panic!("{}", ended.stdout));
    let tested = shop.project.run(["test"], &none);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    let passed = format!("{saved} tests: {saved} passed");
    assert!(tested.stdout.contains(&passed), "{}", tested.stdout);
}

#[test]
fn tests_run_right_after_a_recording_was_killed() {
    let shop = Shop::new("rust");
    let services = shop.services();
    let recording = shop.record(&[]);
    let mut client = Client::connect(shop.port).expect("the shop listens");
    let body = br#"{"sku":"candle","quantity":3}"#;
    for _ in 0..5 {
        assert_eq!(client.request("POST", "/orders", &[], body).unwrap().status, 201);
    }
    recording.signal(libc::SIGKILL);
    let _ = recording.wait(Duration::from_secs(10));
    drop(services);
    let none = BTreeMap::new();
    let shown = shop.project.run(["show", "shop"], &none);
    let all_shown = shop.project.run(["show"], &none);
    let tested = shop.project.run(["test", "shop"], &none);
    assert!(all_shown.stdout.contains("inventory"), "{}", all_shown.stdout);
    assert_eq!(shown.code, 0, "{}{}", shown.stdout, shown.stderr);
    // The last answer may have reached us in the very moment of the kill.
    let saved = shown.stdout.matches("POST /orders").count();
    assert!(saved == 4 || saved == 5, "{}", shown.stdout);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    let passed = format!("{saved} tests: {saved} passed");
    assert!(tested.stdout.contains(&passed), "{}", tested.stdout);
}

#[test]
fn the_apps_own_error_is_shown_when_its_port_is_taken() {
    let shop = Shop::new("go");
    let _holder = TcpListener::bind(("0.0.0.0", shop.port)).unwrap();
    let ended = shop.start_record(&[]).wait(Duration::from_secs(30));
    assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
    let said = format!("{}{}", ended.stdout, ended.stderr).to_lowercase();
    assert!(said.contains("address already in use"), "{said}");
}

#[test]
fn a_run_that_is_interrupted_or_killed_leaves_no_app_behind() {
    let shop = Shop::new("rust");
    let services = shop.services();
    let recording = shop.record(&[]);
    let mut client = Client::connect(shop.port).expect("the shop listens");
    let body = br#"{"sku":"candle","quantity":3}"#;
    assert_eq!(client.request("GET", "/health", &[], b"").unwrap().status, 200);
    assert_eq!(client.request("POST", "/orders", &[], body).unwrap().status, 201);
    recording.signal(libc::SIGTERM);
    assert_eq!(recording.wait(Duration::from_secs(30)).code, 0, "SIGTERM ends a recording");
    drop(services);
    let slow = BTreeMap::from([("BUG".to_owned(), "slow".to_owned())]);
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGKILL, 137)] {
        let run = shop.project.start(["test", "--verbose"], &slow);
        run.until("the first test to pass", Duration::from_secs(30), || {
            run.stdout().contains("GET /health").then_some(())
        });
        let before = processes_mentioning(&shop.mark());
        assert!(before.len() >= 2, "the shop and Rehearsal at least: {before:?}");
        run.signal(signal);
        assert_eq!(run.wait(Duration::from_secs(20)).code, code);
        let began = Instant::now();
        while !processes_mentioning(&shop.mark()).is_empty() {
            assert!(began.elapsed() < Duration::from_secs(10), "the app lives on");
            std::thread::yield_now();
        }
        let left: Vec<_> = std::fs::read_dir(shop.project.temporary()).unwrap().flatten().collect();
        assert!(left.is_empty(), "temporary files stay behind: {left:?}");
    }
}
