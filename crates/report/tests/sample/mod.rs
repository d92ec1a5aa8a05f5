//! A run in which everything happens that can happen, as events.

use rehearsal_model::{
    Binding, CallName, CallTime, Cause, Change, Difference, Evidence, Finding, Latency, Ledger,
    LedgerLine, Map, Measured, Message, MovedColumn, NearestMock, Outcome, Ownership, Past,
    Quarantine, RetryCause, RunEvent, Shard, Summary, TestId, Triage, Value, json,
};

fn value(text: &str) -> Value {
    json::parse(text).unwrap()
}

fn map(text: &str) -> Map {
    value(text).as_map().unwrap().clone()
}

fn changed(path: &str, expected: impl Into<Value>, actual: impl Into<Value>) -> Difference {
    let (expected, actual) = (expected.into(), actual.into());
    Difference { path: path.into(), change: Change::Changed { expected, actual } }
}

pub(crate) fn response() -> Finding {
    Finding::Response {
        differences: vec![
            changed("response.status", 201, 500),
            changed("response.body.created_at", "2026-11-20T10:00:00Z", "2026-11-20T10:00:07Z"),
            Difference {
                path: "response.body.id".into(),
                change: Change::Retyped { expected: 17.into(), actual: "17".into() },
            },
            Difference {
                path: "response.body.paid".into(),
                change: Change::Missing { expected: true.into() },
            },
            Difference {
                path: "response.body.error".into(),
                change: Change::Added {
                    actual: "relation \"orders\"\x1b[2J\u{202e} # gone".into(),
                },
            },
            changed(
                "response.body.page",
                "<h1>Order 17</h1>\n<p>paid</p>\n<p>Thank you.</p>",
                "<h1>Order 17</h1>\n<p>open</p>\n<p>Thank you.</p>\n<p>Pay!</p>",
            ),
        ],
    }
}

pub(crate) fn calls() -> Vec<Finding> {
    let charge = |amount: &str| {
        map(&format!(r#"{{"http":"POST /charges","body":{{"order":17,"amount":"{amount}"}}}}"#))
    };
    let amount = |path: &str| changed(path, "19.90", "39.80");
    let (edge, operation) = (|| "payments".to_owned(), || "POST /charges".to_owned());
    vec![
        Finding::CallMissing {
            call: 1,
            of: 3,
            edge: edge(),
            owner: None,
            operation: operation(),
            request: charge("19.90"),
        },
        Finding::CallDiffers {
            call: 2,
            of: 3,
            edge: edge(),
            owner: Some("team-payments".into()),
            operation: operation(),
            differences: vec![amount("calls[1].body.amount")],
            answered: false,
        },
        Finding::CallUnexpected {
            edge: edge(),
            owner: None,
            operation: operation(),
            request: charge("39.80"),
            nearest: Some(NearestMock {
                place: "call 2 of this test".into(),
                operation: operation(),
                differences: vec![amount("calls[1].body.amount")],
            }),
        },
        Finding::CallRepeated {
            edge: edge(),
            owner: None,
            operation: operation(),
            request: charge("19.90"),
            times: 99,
            recorded: Some(1),
        },
        Finding::CallMultiplied {
            edge: "shop".into(),
            owner: None,
            operation: "SELECT items".into(),
            statement: "SELECT name FROM items WHERE id = $1".into(),
            came: 100,
            recorded: 1,
            refused: 99,
            requests: vec![map(r#"{"sql":"SELECT name FROM items WHERE id = $1","params":[2]}"#)],
            nearest: None,
        },
        Finding::CallOrder {
            call: 3,
            of: 3,
            before: 2,
            edge: "mail".into(),
            owner: None,
            operation: "SEND".into(),
        },
        Finding::Contradiction {
            recorded: "65e0a1b2c3d4e5f601020304".into(),
            live: "65e0a1b2c3d4e5f6010203ff".into(),
            since: "calls[0].params[0] of test 4".into(),
            at: "response.body.id".into(),
            expected: "65e0a1b2c3d4e5f601020304".into(),
            actual: "65e0a1b2c3d4e5f6010203aa".into(),
        },
        Finding::UnknownEdge { address: "10.0.0.7:5432".into() },
        Finding::NotReplayable {
            edge: "bank:443".into(),
            owner: None,
            obstacle: "encrypted (TLS)".into(),
        },
    ]
}

fn ends() -> Vec<Finding> {
    vec![
        Finding::NoAnswer { what: "it closed the connection".into() },
        Finding::TimedOut { limit_ms: 10_000 },
        Finding::AppExited { how: "signal 9 (SIGKILL)".into() },
    ]
}

/// What is known of a failure.
fn triage() -> Triage {
    Triage {
        cause: Cause {
            fingerprint: "4be3a9a4e0fbf3ce".into(),
            edge: "payments".into(),
            operation: "POST /charges".into(),
            finding: "call-differs".into(),
            changes: vec!["body.amount changed".into()],
            reason: "the first call that differs is to payments: body.amount changed".into(),
        },
        ownership: Some(Ownership {
            owners: vec!["team-payments".into()],
            source: "edge payments in rehearsal.yaml".into(),
        }),
        quarantine: Some(Quarantine {
            owner: "team-payments".into(),
            until: "2026-10-31".into(),
            reason: Some("the bank rounds".into()),
            expired: true,
        }),
        past: Some(Past {
            failures: 3,
            runs: 2,
            first_ms: Some(1_790_000_000_000),
            first_commit: Some("8f9b249c0ffee".into()),
        }),
    }
}

/// What was seen of a test; all that was recorded or came says the same.
pub(crate) fn evidence(said: &str) -> Evidence {
    let step = |call: Option<usize>, came_ms: Option<f64>| CallTime {
        call,
        edge: said.into(),
        operation: said.into(),
        came_ms,
        took_ms: came_ms.map(|_| 0.25),
        recorded_came_ms: Some(3.5),
        recorded_took_ms: Some(7.0),
    };
    let request = |body: &str| Value::Map(Map::from([("http", said), ("body", body)]));
    let message = |place: &str, recorded, actual| Message {
        place: place.into(),
        title: said.into(),
        recorded,
        actual,
        cut: true,
    };
    Evidence {
        command: Some(format!("curl '{said}'")),
        recorded_ms: Some(20.5),
        steps: vec![step(Some(1), Some(1.5)), step(Some(2), None), step(None, Some(4.0))],
        messages: vec![
            message("request", request(said), Value::Null),
            message("calls[1].request", request("19.90"), request(said)),
            message("call", Value::Null, request(said)),
        ],
        log: vec![said.into(), format!("{said}\t\x1b[2J")],
        log_lines: 100,
    }
}

/// A test from its beginning to its end.
pub(crate) fn test(
    number: u32,
    name: &str,
    outcome: Outcome,
    findings: Vec<Finding>,
) -> [RunEvent; 2] {
    let (recording, number, name) = ("checkout".to_owned(), TestId(number), name.to_owned());
    let file = format!("rehearsal/checkout/tests/{number}-x.yaml");
    let call = |edge: &str, operation: &str| CallName {
        edge: edge.to_owned(),
        operation: operation.to_owned(),
    };
    let calls = vec![
        call("shop-db", "INSERT orders"),
        call("payments", "POST /charges"),
        call("mail", "SEND"),
    ];
    [
        RunEvent::TestStarted { recording: recording.clone(), number, name: name.clone() },
        RunEvent::TestFinished {
            recording,
            number,
            name,
            file,
            outcome,
            took_ms: 12.34,
            calls,
            findings,
            triage: None,
            evidence: None,
        },
    ]
}

fn retried() -> RunEvent {
    RunEvent::Retried {
        recording: "checkout".to_owned(),
        number: TestId(4),
        name: "GET /orders".into(),
        cause: RetryCause::OrderDependent,
        depends_on: Some(TestId(2)),
        findings: vec![Finding::TimedOut { limit_ms: 10_000 }],
    }
}

fn schema_moved() -> RunEvent {
    RunEvent::SchemaMoved {
        recording: "checkout".to_owned(),
        edge: "shop-db".into(),
        columns: vec![MovedColumn {
            table: "orders".into(),
            column: "amount".into(),
            recorded: Some("numeric(10,2)".into()),
            seen: Some("numeric(12,2)".into()),
        }],
    }
}

fn latencies() -> [RunEvent; 3] {
    let latency = |calls, p50_us, p95_us| Latency { calls, p50_us, p95_us };
    let event = |edge: &str, of, recorded, measured| RunEvent::EdgeLatency {
        recording: "checkout".to_owned(),
        edge: edge.into(),
        of,
        recorded,
        measured,
    };
    [
        event("inbound", Measured::App, latency(5, 2_100, 8_000), Some(latency(4, 4_200, 9_100))),
        event("payments", Measured::Mock, latency(412, 1_230, 3_400), None),
        event("shop-db", Measured::Real, latency(90, 850, 2_000), Some(latency(88, 900, 2_100))),
    ]
}

/// The run.
pub(crate) fn run() -> Vec<RunEvent> {
    let recording = || "checkout".to_owned();
    let line = |party: &str, treatment: &str, why: Option<&str>| LedgerLine {
        party: party.into(),
        treatment: treatment.into(),
        why: why.map(str::to_owned),
        connections: 3,
        bytes_sent: 1234,
        bytes_received: 56789,
    };
    let words = ["./shop", "--port", "8080"].map(str::to_owned).to_vec();
    let mut events = vec![
        RunEvent::RunStarted {
            tool: "0.1.0".into(),
            tests: 5,
            recordings: vec![recording()],
            fingerprint: "9f86d081884c7d65".into(),
            shard: Some(Shard { index: 3, of: 8 }),
        },
        RunEvent::RecordingStarted { recording: recording(), command: words, tests: 5 },
        RunEvent::AppReady { recording: recording(), took_ms: 34.2 },
    ];
    events.extend(test(1, "GET /health", Outcome::Passed, vec![]));
    events.extend(test(2, "POST /orders", Outcome::Failed, vec![response()]));
    let mut refunds = test(3, "POST /refunds", Outcome::Failed, calls());
    if let RunEvent::TestFinished { triage: known, evidence: seen, .. } = &mut refunds[1] {
        *known = Some(Box::new(triage()));
        *seen = Some(Box::new(evidence("POST /charges")));
    }
    events.extend(refunds);
    events.push(RunEvent::Bindings {
        recording: recording(),
        number: TestId(4),
        bindings: vec![Binding {
            recorded: "65e0a1b2c3d4e5f601020304".into(),
            live: "65e0a1b2c3d4e5f6010203ff".into(),
            at: "calls[0].params[0] of test 4".into(),
        }],
    });
    events.push(RunEvent::Warning { recording: None, message: "an edge is \x07opaque".into() });
    events.push(RunEvent::AppExited {
        recording: recording(),
        how: "signal 9 (SIGKILL)".into(),
        during: Some(TestId(4)),
        output: vec!["panic: \x1b[31mno memory".into(), "\tat main".into()],
    });
    events.extend(test(4, "GET /orders/17 # all", Outcome::Failed, ends()));
    events.extend(test(5, "GET /rates", Outcome::NotRun, vec![]));
    events.push(RunEvent::TestRerun {
        recording: recording(),
        number: TestId(2),
        name: "POST /orders".into(),
        attempt: 1,
        outcome: Outcome::Passed,
        took_ms: 11.5,
        findings: Vec::new(),
    });
    events.push(retried());
    events.push(schema_moved());
    events.extend(latencies());
    events.push(RunEvent::RecordingFinished {
        recording: recording(),
        ledger: Ledger {
            lines: vec![
                line("shop-db", "understood", None),
                line("10.0.0.7:5432", "refused", Some("not in the recording")),
            ],
        },
    });
    let aborted = Some("the app ended".into());
    let (passed, failed, flaky, quarantined, not_run) = (1, 2, 1, 0, 1);
    let summary = Summary { passed, failed, flaky, quarantined, not_run, took_ms: 420.0, aborted };
    events.push(RunEvent::RunFinished { summary });
    events
}
