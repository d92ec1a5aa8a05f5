//! One run with everything in it, through every format.

mod sample;

use rehearsal_model::{Change, Difference, Finding, Outcome, RunEvent, Summary, json};
use rehearsal_report::{FORMATS, Look};
use sample::{calls, response, run, test};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn face(name: &str, look: Look, events: &[RunEvent]) -> String {
    let format = FORMATS.iter().find(|format| format.name == name).unwrap();
    let buffer = Buffer::default();
    let mut report = (format.make)(Box::new(buffer.clone()), look);
    for event in events {
        report.event(event).unwrap();
    }
    drop(report);
    let bytes = buffer.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

const PLAIN: Look = Look { color: false, width: 80, verbose: false, live: false };

#[test]
fn human_narrow() {
    insta::assert_snapshot!(face("human", PLAIN, &run()));
}

#[test]
fn human_wide_and_verbose() {
    let look = Look { width: 120, verbose: true, ..PLAIN };
    insta::assert_snapshot!(face("human", look, &run()));
}

#[test]
fn an_answer_is_told_shortly_when_a_call_explains_it() {
    let told = |verbose, calls: Vec<Finding>| {
        let findings = calls.into_iter().chain([response()]).collect();
        let events = test(2, "POST /orders", Outcome::Failed, findings);
        let text = face("human", Look { verbose, ..PLAIN }, &events);
        text.split_once("~ the response").unwrap().1.to_owned()
    };
    let missed = |number| calls().into_iter().skip(1).take(number).collect();
    insta::assert_snapshot!(told(false, missed(1)).split("\n\n").next().unwrap(), @r#"
    differs in 6 places, probably because of the call above
         ~ response.status     expected 201           got 500
         ~ response.body.created_at
             - "2026-11-20T10:00:00Z"
             + "2026-11-20T10:00:07Z"
         ~ response.body.id    expected 17 (integer)  got "17" (text)
         - response.body.paid  expected true          got nothing
         … and 2 more
    "#);
    assert!(told(false, missed(2)).contains("probably because of the calls above"));
    let whole = told(false, Vec::new());
    assert!(whole.contains("body.page") && !whole.contains("probably"));
    assert!(told(true, missed(1)).contains("body.page"));
}

#[test]
fn what_looks_invented_is_proposed_as_noise() {
    let changed = |path: &str, expected: &str, actual: &str| Difference {
        path: path.into(),
        change: Change::Changed { expected: expected.into(), actual: actual.into() },
    };
    let id = |path: &str| changed(path, "ord_00000001", "ord_00000002");
    let proposed = |differences: Vec<Difference>| {
        let findings = vec![Finding::Response { differences }];
        let mut events = test(2, "GET /", Outcome::Failed, findings).to_vec();
        let summary = Summary { failed: 1, ..Summary::default() };
        events.push(RunEvent::RunFinished { summary });
        let text = face("human", PLAIN, &events);
        text.split_once("noise: ").map(|(_, paths)| paths.trim().to_owned())
    };
    let word = changed("response.body.state", "paid", "open");
    let several = vec![id("response.a"), word.clone(), id("response.b[0]"), id("response.c")];
    assert_eq!(proposed(several).unwrap(), "[response.a, 'response.b[0]', response.c]");
    assert_eq!(
        proposed("abcde".chars().map(|c| id(&c.to_string())).collect()).unwrap(),
        "[a, b, c]"
    );
    assert_eq!(proposed(vec![word]), None);
}

#[test]
fn human_when_all_pass() {
    let mut events = run()[..4].to_vec();
    events.extend(test(1, "GET /health", Outcome::Passed, vec![]));
    let summary = Summary { passed: 1, took_ms: 42.0, ..Summary::default() };
    events.push(RunEvent::RunFinished { summary });
    insta::assert_snapshot!(face("human", PLAIN, &events), @r#"
    checkout · 5 tests · ./shop --port 8080
      app ready in 34 ms

    1 test: 1 passed in 0.04 s
    "#);
}

/// What a terminal shows of a text with carriage returns.
fn terminal(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let mut cells: Vec<char> = Vec::new();
        for part in line.split('\r') {
            for (place, char) in part.chars().enumerate() {
                match cells.get_mut(place) {
                    Some(cell) => *cell = char,
                    None => cells.push(char),
                }
            }
        }
        lines.push(cells.into_iter().collect::<String>().trim_end().to_owned());
    }
    lines.join("\n")
}

#[test]
fn progress_comes_and_goes() {
    let live = face("human", Look { live: true, ..PLAIN }, &run());
    assert!(live.contains("\n  1/5 · 1 · GET /health\r"), "{live:?}");
    assert_eq!(terminal(&live), face("human", PLAIN, &run()));
    // What is dropped in the middle leaves no half a line.
    let half = face("human", Look { live: true, width: 20, ..PLAIN }, &run()[..4]);
    assert!(half.ends_with(&format!("  1/5 · 1 · GET /h…\r{:19}\r", "")), "{half:?}");
}

#[test]
fn colour_only_adds_and_recorded_data_cannot() {
    let plain = face("human", PLAIN, &run());
    let mut coloured = face("human", Look { color: true, ..PLAIN }, &run());
    assert_ne!(plain, coloured);
    for code in ["0", "1", "2", "31", "32", "33", "1;31", "1;7;31", "1;7;32"] {
        coloured = coloured.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(plain, coloured);
    for format in ["human", "junit", "tap"] {
        let text = face(format, Look { verbose: true, ..PLAIN }, &run());
        let acts = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
        assert!(!text.contains(acts), "{format}: {text}");
    }
}

#[test]
fn tap() {
    insta::assert_snapshot!(face("tap", PLAIN, &run()), @r#"
    TAP version 14
    1..5
    ok 1 - checkout 0001 GET /health
    not ok 2 - checkout 0002 POST /orders
      ---
      message: "the response differs at response.status and 5 other places"
      file: "rehearsal/checkout/tests/0002-x.yaml"
      duration_ms: 12.340
      findings:
        - {"kind":"response","differences":[{"path":"response.status","change":{"kind":"changed","expected":201,"actual":500}},{"path":"response.body.created_at","change":{"kind":"changed","expected":"2026-11-20T10:00:00Z","actual":"2026-11-20T10:00:07Z"}},{"path":"response.body.id","change":{"kind":"retyped","expected":17,"actual":"17"}},{"path":"response.body.paid","change":{"kind":"missing","expected":true}},{"path":"response.body.error","change":{"kind":"added","actual":"relation \"orders\"\u001b[2J\u202e # gone"}},{"path":"response.body.page","change":{"kind":"changed","expected":"<h1>Order 17</h1>\n<p>paid</p>\n<p>Thank you.</p>","actual":"<h1>Order 17</h1>\n<p>open</p>\n<p>Thank you.</p>\n<p>Pay!</p>"}}]}
      ...
    not ok 3 - checkout 0003 POST /refunds
      ---
      message: "call 1 of 3 · payments · POST /charges was not made; call 2 of 3 · payments (of team-payments) · POST /charges differs at calls[1].body.amount; payments · POST /charges is a call that no mock answers; payments · POST /charges was called 99 times more than recorded; call 3 of 3 · mail · SEND came before call 2, which it has to follow; response.body.id does not mean what calls[0].params[0] of test 4 does; the app tried to reach 10.0.0.7:5432, which the recording does not know; edge bank:443 is encrypted (TLS) and cannot be replayed"
      file: "rehearsal/checkout/tests/0003-x.yaml"
      duration_ms: 12.340
      findings:
        - {"kind":"call-missing","call":1,"of":3,"edge":"payments","owner":null,"operation":"POST /charges","request":{"http":"POST /charges","body":{"order":17,"amount":"19.90"}}}
        - {"kind":"call-differs","call":2,"of":3,"edge":"payments","owner":"team-payments","operation":"POST /charges","differences":[{"path":"calls[1].body.amount","change":{"kind":"changed","expected":"19.90","actual":"39.80"}}]}
        - {"kind":"call-unexpected","edge":"payments","owner":null,"operation":"POST /charges","request":{"http":"POST /charges","body":{"order":17,"amount":"39.80"}},"nearest":{"place":"call 2 of this test","operation":"POST /charges","differences":[{"path":"calls[1].body.amount","change":{"kind":"changed","expected":"19.90","actual":"39.80"}}]}}
        - {"kind":"call-repeated","edge":"payments","owner":null,"operation":"POST /charges","request":{"http":"POST /charges","body":{"order":17,"amount":"19.90"}},"times":99}
        - {"kind":"call-order","call":3,"before":2,"of":3,"edge":"mail","owner":null,"operation":"SEND"}
        - {"kind":"contradiction","recorded":"65e0a1b2c3d4e5f601020304","live":"65e0a1b2c3d4e5f6010203ff","since":"calls[0].params[0] of test 4","at":"response.body.id","expected":"65e0a1b2c3d4e5f601020304","actual":"65e0a1b2c3d4e5f6010203aa"}
        - {"kind":"unknown-edge","address":"10.0.0.7:5432"}
        - {"kind":"not-replayable","edge":"bank:443","owner":null,"obstacle":"encrypted (TLS)"}
      ...
    # warning: an edge is \x07opaque
    # the app ended: signal 9 (SIGKILL)
    #   panic: \x1b[31mno memory
    #   \tat main
    not ok 4 - checkout 0004 GET /orders/17 \# all
      ---
      message: "the app gave no complete answer: it closed the connection; the app did not answer within 10 s; the app ended during the test: signal 9 (SIGKILL)"
      file: "rehearsal/checkout/tests/0004-x.yaml"
      duration_ms: 12.340
      findings:
        - {"kind":"no-answer","what":"it closed the connection"}
        - {"kind":"timed-out","limit_ms":10000}
        - {"kind":"app-exited","how":"signal 9 (SIGKILL)"}
      ...
    ok 5 - checkout 0005 GET /rates # SKIP an earlier failure ended the run
    # warning: shop-db: the schema is not the one that was recorded: orders.amount was numeric(10,2) and is numeric(12,2)
    Bail out! the app ended
    "#);
}

#[test]
fn junit() {
    insta::assert_snapshot!(face("junit", PLAIN, &run()));
}

#[test]
fn junit_is_read_back_with_its_counts() {
    let report = quick_junit::Report::deserialize_from_str(&face("junit", PLAIN, &run())).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (6, 3, 1));
}

#[test]
fn json_is_a_line_for_each_event() {
    let text = face("json", PLAIN, &run());
    assert_eq!(text.lines().count(), run().len());
    for (line, event) in text.lines().zip(run()) {
        assert_eq!(line, event.to_json());
        json::parse(line).unwrap();
    }
}
