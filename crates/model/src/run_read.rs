//! The events of a run, read back from lines of JSON.
//!
//! Only what [`RunEvent::to_json`] writes: a key that is missing or of another kind is an error. Keys
//! that are not known are passed over, for a later release may have written them.

use crate::{
    Binding, CallName, CallTime, Cause, Change, Difference, Evidence, Finding, Latency, Ledger,
    LedgerLine, Map, Measured, Message, MovedColumn, NearestMock, Outcome, Ownership, Past,
    Quarantine, RetryCause, RunEvent, Shard, Summary, TestId, Triage, Value, base64, json,
};

impl RunEvent {
    /// The event of a line of JSON.
    ///
    /// # Errors
    /// When the line is none, in words.
    pub fn from_json(line: &str) -> Result<Self, String> {
        let value = json::parse(line).map_err(|error| error.to_string())?;
        Self::read(&value)
    }
}

trait Read: Sized {
    fn read(value: &Value) -> Result<Self, String>;

    /// What it is when there is no such key.
    fn absent() -> Option<Self> {
        None
    }
}

fn map(value: &Value) -> Result<&Map, String> {
    value.as_map().ok_or_else(|| format!("expected an object, found {}", value.kind()))
}

fn field<T: Read>(map: &Map, name: &str) -> Result<T, String> {
    match map.get(name) {
        Some(value) => T::read(value).map_err(|problem| format!("{name}: {problem}")),
        None => T::absent().ok_or_else(|| format!("{name} is missing")),
    }
}

/// A value as it was before it became JSON, which spells bytes as a map.
impl Read for Value {
    fn read(value: &Value) -> Result<Self, String> {
        Ok(match value {
            Value::Map(map) => match (map.len(), map.text("$base64").and_then(base64::decode)) {
                (1, Some(bytes)) => Value::Bytes(bytes),
                _ => Value::Map(Map::read(value)?),
            },
            Value::List(list) => {
                Value::List(list.iter().map(Value::read).collect::<Result<_, _>>()?)
            }
            value => value.clone(),
        })
    }
}

impl Read for Map {
    fn read(value: &Value) -> Result<Self, String> {
        let mut read = Map::new();
        for (key, value) in map(value)?.iter() {
            read.push_new(key, Value::read(value)?);
        }
        Ok(read)
    }
}

impl Read for String {
    fn read(value: &Value) -> Result<Self, String> {
        let text = value.as_text().map(str::to_owned);
        text.ok_or_else(|| format!("expected text, found {}", value.kind()))
    }
}

impl Read for bool {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(truth) => Ok(*truth),
            other => Err(format!("expected true or false, found {}", other.kind())),
        }
    }
}

macro_rules! number {
    ($($kind:ty),*) => {$(
        impl Read for $kind {
            fn read(value: &Value) -> Result<Self, String> {
                let number = match value {
                    Value::Number(number) => number.as_str().parse().ok(),
                    _ => None,
                };
                number.ok_or_else(|| format!("expected a number, found {}", value.kind()))
            }
        }
    )*};
}

number!(usize, u32, u64, i64, f64);

impl Read for TestId {
    fn read(value: &Value) -> Result<Self, String> {
        u32::read(value).map(TestId)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &Value) -> Result<Self, String> {
        let list = value.as_list();
        let list = list.ok_or_else(|| format!("expected a list, found {}", value.kind()))?;
        list.iter().map(T::read).collect()
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(None),
            value => T::read(value).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Box<T> {
    fn read(value: &Value) -> Result<Self, String> {
        T::read(value).map(Box::new)
    }
}

/// An object: each field is a key.
macro_rules! object {
    ($($kind:ident { $($field:ident),* })*) => {$(
        impl Read for $kind {
            fn read(value: &Value) -> Result<Self, String> {
                let map = map(value)?;
                Ok($kind { $($field: field(map, stringify!($field))?),* })
            }
        }
    )*};
}

/// An object that says by a key what it is.
macro_rules! tagged {
    ($kind:ident by $tag:literal { $($word:literal => $variant:ident { $($field:ident),* })* }) => {
        impl Read for $kind {
            fn read(value: &Value) -> Result<Self, String> {
                let map = map(value)?;
                let word: String = field(map, $tag)?;
                match word.as_str() {
                    $($word => Ok($kind::$variant { $($field: field(map, stringify!($field))?),* }),)*
                    other => Err(format!("{} {other:?} is not known to this release", $tag)),
                }
            }
        }
    };
}

/// One of several words.
macro_rules! word {
    ($kind:ident { $($word:literal => $variant:ident),* }) => {
        impl Read for $kind {
            fn read(value: &Value) -> Result<Self, String> {
                match String::read(value)?.as_str() {
                    $($word => Ok($kind::$variant),)*
                    other => Err(format!("{other:?} is not known to this release")),
                }
            }
        }
    };
}

object! {
    Shard { index, of }
    MovedColumn { table, column, recorded, seen }
    CallName { edge, operation }
    Binding { recorded, live, at }
    NearestMock { place, operation, differences }
    Difference { path, change }
    Summary { passed, failed, flaky, quarantined, not_run, took_ms, aborted }
    Ledger { lines }
    LedgerLine { party, treatment, why, connections, bytes_sent, bytes_received }
    Cause { fingerprint, edge, operation, finding, changes, reason }
    Ownership { owners, source }
    Quarantine { owner, until, reason, expired }
    Past { failures, runs, first_ms, first_commit }
    Triage { cause, ownership, quarantine, past }
    Evidence { command, recorded_ms, steps, messages, log, log_lines }
    CallTime {
        call, edge, operation, came_ms, took_ms, recorded_came_ms, recorded_took_ms
    }
    Latency { calls, p50_us, p95_us }
    Message { place, title, recorded, actual, cut }
}

word!(Outcome { "passed" => Passed, "failed" => Failed, "not-run" => NotRun });
word!(Measured { "app" => App, "real" => Real, "mock" => Mock });
word!(RetryCause {
    "order-dependent" => OrderDependent, "flaky" => Flaky, "unexplained" => Unexplained
});

tagged!(Change by "kind" {
    "missing" => Missing { expected }
    "added" => Added { actual }
    "changed" => Changed { expected, actual }
    "retyped" => Retyped { expected, actual }
});

tagged!(Finding by "kind" {
    "response" => Response { differences }
    "no-answer" => NoAnswer { what }
    "timed-out" => TimedOut { limit_ms }
    "call-missing" => CallMissing { call, of, edge, owner, operation, request }
    "call-differs" => CallDiffers { call, of, edge, owner, operation, differences, answered }
    "call-unexpected" => CallUnexpected { edge, owner, operation, request, nearest }
    "call-repeated" => CallRepeated { edge, owner, operation, request, times, recorded }
    "call-multiplied" => CallMultiplied {
        edge, owner, operation, statement, came, recorded, refused, requests, nearest
    }
    "call-order" => CallOrder { call, before, of, edge, owner, operation }
    "contradiction" => Contradiction { recorded, live, since, at, expected, actual }
    "unknown-edge" => UnknownEdge { address }
    "not-replayable" => NotReplayable { edge, owner, obstacle }
    "app-exited" => AppExited { how }
});

tagged!(RunEvent by "event" {
    "run-started" => RunStarted { tool, tests, recordings, fingerprint, shard }
    "recording-started" => RecordingStarted { recording, command, tests }
    "app-ready" => AppReady { recording, took_ms }
    "test-started" => TestStarted { recording, number, name }
    "bindings" => Bindings { recording, number, bindings }
    "test-finished" => TestFinished {
        recording, number, name, file, outcome, took_ms, calls, findings, triage, evidence
    }
    "test-rerun" => TestRerun { recording, number, name, attempt, outcome, took_ms, findings }
    "retried" => Retried { recording, number, name, cause, depends_on, findings }
    "app-exited" => AppExited { recording, how, during, output }
    "warning" => Warning { recording, message }
    "schema-moved" => SchemaMoved { recording, edge, columns }
    "edge-latency" => EdgeLatency { recording, edge, of, recorded, measured }
    "recording-finished" => RecordingFinished { recording, ledger }
    "run-finished" => RunFinished { summary }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = Value::Bytes(vec![0, 255, 3]);
        let change =
            Change::Changed { expected: Map::from([("a", bytes)]).into(), actual: 7.into() };
        let differences = vec![Difference { path: "response.body".into(), change }];
        let request = Map::from([("http", "GET /x")]);
        let (edge, operation) = ("pay".to_owned(), "GET /x".to_owned());
        let nearest = Some(NearestMock {
            place: "call 1 of this test".into(),
            operation: operation.clone(),
            differences: differences.clone(),
        });
        let event = RunEvent::TestFinished {
            recording: "r".into(),
            number: TestId(3),
            name: "GET /".into(),
            file: "rehearsal/r/tests/0003.yaml".into(),
            outcome: Outcome::Failed,
            took_ms: 2.5,
            calls: vec![CallName { edge: edge.clone(), operation: operation.clone() }],
            findings: vec![
                Finding::Response { differences },
                Finding::CallUnexpected { edge, owner: None, operation, request, nearest },
            ],
            triage: None,
            evidence: None,
        };
        assert_eq!(RunEvent::from_json(&event.to_json()), Ok(event));
    }

    #[test]
    fn what_is_no_event_is_said() {
        let check = |line: &str, problem: &str| {
            let said = RunEvent::from_json(line).unwrap_err();
            assert!(said.contains(problem), "{said}");
        };
        check("{", "");
        check("7", "expected an object");
        check(r#"{"event":"app-read"}"#, "\"app-read\" is not known");
        check(r#"{"event":"app-ready","recording":"a"}"#, "took_ms is missing");
        check(r#"{"event":"app-ready","recording":1,"took_ms":2}"#, "recording: expected text");
        let later = r#"{"event":"app-ready","recording":"a","took_ms":2.5,"later":1}"#;
        let known = RunEvent::AppReady { recording: "a".to_owned(), took_ms: 2.5 };
        assert_eq!(RunEvent::from_json(later), Ok(known));
    }
}
