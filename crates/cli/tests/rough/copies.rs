//! Several copies of an app that are interrupted, killed or do not come up: each of them ends, and its
//! folder goes.

use crate::stage::Shop;
use rehearsal_testkit::{Client, Process, processes_mentioning};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Answers, but never while it is tested: whoever asks waits.
const APP: &str = r#"
import http.server, os, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if "REHEARSAL_WORKER" in os.environ:
            threading.Event().wait()
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"#;

fn shop() -> Shop {
    let shop = Shop::of(["python3", "-c", APP].map(str::to_owned).to_vec());
    let recording = shop.record(&[]);
    for path in ["/a", "/b", "/c"] {
        let mut client = Client::connect(shop.port).expect("the app listens");
        assert_eq!(client.request("GET", path, &[], b"").expect("an answer").status, 200);
    }
    let ended = shop.project.interrupt(recording);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    shop
}

/// Starts a test and waits until every copy is there.
fn tested(shop: &Shop) -> Process {
    let words = ["test", "-j3", "--timeout", "100s"];
    let process = shop.project.start(words, &BTreeMap::new());
    let folder = |copy| format!("{}/rehearsal-{}-{copy}", shop.mark(), process.id());
    let there = || (1..=3).all(|copy| !processes_mentioning(&folder(copy)).is_empty());
    process.until("all copies", Duration::from_secs(60), || there().then_some(()));
    process
}

/// Nothing of the test is there any more, soon.
fn nothing_is_left(shop: &Shop) {
    let began = Instant::now();
    loop {
        let running = processes_mentioning(&shop.mark());
        let files: Vec<_> =
            std::fs::read_dir(shop.project.temporary()).unwrap().flatten().collect();
        if running.is_empty() && files.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{running:?} {files:?}");
        std::thread::yield_now();
    }
}

#[test]
fn an_interrupt_ends_every_copy() {
    let shop = shop();
    let process = tested(&shop);
    process.signal(libc::SIGINT);
    assert_eq!(process.wait(Duration::from_secs(60)).code, 130);
    nothing_is_left(&shop);
}

#[test]
fn a_kill_ends_every_copy() {
    let shop = shop();
    let process = tested(&shop);
    process.signal(libc::SIGKILL);
    assert_eq!(process.wait(Duration::from_secs(60)).code, 137);
    nothing_is_left(&shop);
}

#[test]
fn copies_that_do_not_come_up_leave_no_folder() {
    let shop = shop();
    for (app, code) in [("./nobody", 2), ("false", 3)] {
        let ended = shop.project.run(["test", "-j3", "--", app], &BTreeMap::new());
        assert_eq!(ended.code, code, "{}{}", ended.stdout, ended.stderr);
        nothing_is_left(&shop);
    }
}
