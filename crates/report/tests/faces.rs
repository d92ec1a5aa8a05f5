//! One run with everything in it, through every format.

mod sample;

use rehearsal_model::{
    Change, Difference, Finding, Outcome, RunEvent, Summary, TestId, Value, json,
};
use rehearsal_report::{FORMATS, Look, Make};
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
    let Make::Stream(make) = format.make else { unreachable!("it is one text") };
    let mut report = make(Box::new(buffer.clone()), look);
    for event in events {
        report.event(event).unwrap();
    }
    drop(report);
    let bytes = buffer.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

const PLAIN: Look = Look { color: false, width: 80, verbose: false, live: false, github: false };

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
    shard 3 of 8

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
      message: "call 1 of 3 · payments · POST /charges was not made; call 2 of 3 · payments (of team-payments) · POST /charges differs at calls[1].body.amount; payments · POST /charges is a call that no mock answers; payments · POST /charges was called 99 times more than recorded: 100 calls, recorded 1; shop · SELECT items · 100 calls, recorded 1: SELECT name FROM items WHERE id = $1; call 3 of 3 · mail · SEND came before call 2, which it has to follow; response.body.id does not mean what calls[0].params[0] of test 4 does; the app tried to reach 10.0.0.7:5432, which the recording does not know; edge bank:443 is encrypted (TLS) and cannot be replayed"
      file: "rehearsal/checkout/tests/0003-x.yaml"
      duration_ms: 12.340
      cause: "payments · POST /charges · the first call that differs is to payments: body.amount changed"
      owner: "team-payments (edge payments in rehearsal.yaml)"
      quarantine: "by team-payments, ended on 2026-10-31: the bank rounds; it fails the run again"
      since: "2026-09-21 14:13 UTC at commit 8f9b249c0f: 3 failures in 2 runs before this one"
      fingerprint: "4be3a9a4e0fbf3ce"
      findings:
        - {"kind":"call-missing","call":1,"of":3,"edge":"payments","owner":null,"operation":"POST /charges","request":{"http":"POST /charges","body":{"order":17,"amount":"19.90"}}}
        - {"kind":"call-differs","call":2,"of":3,"edge":"payments","owner":"team-payments","operation":"POST /charges","differences":[{"path":"calls[1].body.amount","change":{"kind":"changed","expected":"19.90","actual":"39.80"}}],"answered":false}
        - {"kind":"call-unexpected","edge":"payments","owner":null,"operation":"POST /charges","request":{"http":"POST /charges","body":{"order":17,"amount":"39.80"}},"nearest":{"place":"call 2 of this test","operation":"POST /charges","differences":[{"path":"calls[1].body.amount","change":{"kind":"changed","expected":"19.90","actual":"39.80"}}]}}
        - {"kind":"call-repeated","edge":"payments","owner":null,"operation":"POST /charges","request":{"http":"POST /charges","body":{"order":17,"amount":"19.90"}},"times":99,"recorded":1}
        - {"kind":"call-multiplied","edge":"shop","owner":null,"operation":"SELECT items","statement":"SELECT name FROM items WHERE id = $1","came":100,"recorded":1,"refused":99,"requests":[{"sql":"SELECT name FROM items WHERE id = $1","params":[2]}],"nearest":null}
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
    # checkout 0002 POST /orders: flaky: it failed and passed on rerun 1
    # test 4 · GET /orders is order-dependent: it fails without test 2 before it; `groups` in rehearsal.yaml keeps them together
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
    assert_eq!((report.tests, report.failures, report.errors), (6, 2, 1));
}

/// The elements that the schema of Jenkins' xUnit plugin knows (`junit-10.xsd`) and that are written,
/// with the attributes that each may have; those with a star it must have.
const JENKINS: [(&str, &[&str]); 11] = [
    ("testsuites", &["name", "time", "tests", "failures", "errors"]),
    ("testsuite", &["name*", "tests*", "failures*", "errors*", "skipped", "time", "file"]),
    ("properties", &[]),
    ("property", &["name*", "value*"]),
    ("testcase", &["name*", "time", "classname"]),
    ("failure", &["type", "message"]),
    ("error", &["type", "message"]),
    ("skipped", &["type", "message"]),
    ("rerunFailure", &["type*", "message"]),
    ("flakyFailure", &["type*", "message"]),
    ("system-out", &[]),
];

#[test]
fn junit_has_what_jenkins_knows_and_nothing_else() {
    let text = face("junit", PLAIN, &run());
    let mut seen = 0;
    for tag in text.split('<').skip(1).filter(|tag| !tag.starts_with(['/', '?'])) {
        let tag = tag.split('>').next().unwrap().trim_end_matches('/');
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let (_, known) = JENKINS.iter().find(|(known, _)| *known == name).expect(name);
        let mut said: Vec<&str> = attributes.split('"').step_by(2).map(str::trim).collect();
        said.retain(|name| !name.is_empty());
        let said: Vec<&str> = said.iter().map(|name| name.trim_end_matches('=')).collect();
        for name in &said {
            assert!(
                known.iter().any(|known| known.trim_end_matches('*') == *name),
                "{name}: {tag}"
            );
        }
        for must in known.iter().filter_map(|known| known.strip_suffix('*')) {
            assert!(said.contains(&must), "{must}: {tag}");
        }
        seen += 1;
    }
    assert!(seen > 10, "{seen} tags");
    let parents = text.matches("<testsuite ").count();
    assert_eq!(text.matches("<properties>").count(), parents, "only suites have properties");
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

/// What every machine-read format says of the run, as JSON.
fn read(format: &str) -> Value {
    json::parse(face(format, PLAIN, &run()).trim()).unwrap()
}

fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().fold(value, |value, step| match step.parse::<usize>() {
        Ok(place) => &value.as_list().unwrap()[place],
        Err(_) => value.as_map().unwrap().get(step).unwrap(),
    })
}

#[test]
fn dashboards_get_the_counts_and_the_flaky_test_apart() {
    let ctrf = read("ctrf");
    let count = |name: &str| json::to_string(at(&ctrf, &["results", "summary", name]));
    let counts = ["tests", "passed", "failed", "skipped", "flaky"].map(count);
    assert_eq!(counts, ["5", "2", "2", "1", "1"]);
    let status = |test: &str| json::to_string(at(&ctrf, &["results", "tests", test, "status"]));
    let statuses = ["0", "1", "2", "3", "4"].map(status);
    assert_eq!(
        statuses,
        ["passed", "passed", "failed", "failed", "skipped"].map(|it| format!("\"{it}\""))
    );
    let owner = at(&ctrf, &["results", "tests", "2", "extra", "ownership", "owners", "0"]);
    assert_eq!(owner.as_text(), Some("team-payments"));
}

#[test]
fn findings_stand_at_the_files_of_their_tests() {
    let results = read("sarif");
    let results = at(&results, &["runs", "0", "results"]);
    assert_eq!(results.as_list().unwrap().len(), calls_and_ends());
    let uri = ["0", "locations", "0", "physicalLocation", "artifactLocation", "uri"];
    assert_eq!(at(results, &uri).as_text(), Some("rehearsal/checkout/tests/0003-x.yaml"));
    let issues = read("gitlab");
    assert_eq!(issues.as_list().unwrap().len(), 2);
    let print = at(&issues, &["0", "fingerprint"]).as_text().unwrap();
    assert_eq!(print, "4be3a9a4e0fbf3ce-checkout/3");
}

/// How many findings the tests have that are broken.
fn calls_and_ends() -> usize {
    let of = |event: &RunEvent| match event {
        RunEvent::TestFinished { number: TestId(3 | 4), findings, .. } => findings.len(),
        _ => 0,
    };
    run().iter().map(of).sum()
}

#[test]
fn recorded_text_is_no_markup_in_a_summary() {
    let evil =
        "<img src=x onerror=alert(1)> ![a](http://evil) @team `code` **bold** \n\n# head | x";
    let findings = vec![Finding::NoAnswer { what: evil.into() }];
    let mut events = test(2, evil, Outcome::Failed, findings).to_vec();
    events.push(RunEvent::RunFinished { summary: Summary { failed: 1, ..Summary::default() } });
    let page = face("github", PLAIN, &events);
    for sign in ["<img", "![a]", "@team", "`", "**", "\n# head", "| x"] {
        assert!(!page.contains(sign), "{sign}: {page}");
    }
    assert!(page.contains("<details><summary>❌ checkout&#47;2"), "{page}");
}
