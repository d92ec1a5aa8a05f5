//! What a run found as SARIF 2.1.0 (OASIS), for code scanning: a result for each finding of a test that
//! failed, at the test's file.

use crate::Report;
use crate::collect::{Collected, Done};
use crate::escape::visible;
use crate::finding::sentence;
use rehearsal_model::{Finding, Map, RunEvent, Value, json, to_value};
use std::io::{self, Write};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Each kind of finding, with what it means.
const RULES: [(&str, &str); 12] = [
    ("response", "The app's answer differs from the recorded one"),
    ("no-answer", "The app gave no complete answer"),
    ("timed-out", "The app took longer than a test may take"),
    ("call-missing", "A recorded call to a dependency was not made"),
    ("call-differs", "A call to a dependency has other values than recorded"),
    ("call-unexpected", "A call to a dependency was made that is not recorded"),
    ("call-repeated", "A call to a dependency was made more often than recorded"),
    ("call-order", "Calls were made in another order than recorded"),
    ("contradiction", "A value that the app invents means two things"),
    ("unknown-edge", "The app called a party that is not recorded"),
    ("not-replayable", "A call was made that cannot be replayed"),
    ("app-exited", "The app ended during a test"),
];

pub(crate) struct Sarif {
    out: Box<dyn Write + Send>,
    run: Collected,
}

impl Sarif {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Sarif { out, run: Collected::default() }
    }

    fn write(&mut self) -> io::Result<()> {
        let rule = |(id, text): &(&str, &str)| {
            let short = Map::from([("text", Value::from(*text))]);
            let rule = [("id", Value::from(*id)), ("shortDescription", Value::Map(short))];
            Value::Map(Map::from(rule))
        };
        let driver = Map::from([
            ("name", Value::from("rehearsal")),
            ("version", Value::from(self.run.tool.as_str())),
            ("rules", Value::List(RULES.iter().map(rule).collect())),
        ]);
        let results = self.run.broken().flat_map(|done| {
            done.findings.iter().enumerate().map(move |(place, one)| result(done, place, one))
        });
        let run = Map::from([
            ("tool", Value::Map(Map::from([("driver", Value::Map(driver))]))),
            ("columnKind", Value::from("unicodeCodePoints")),
            ("results", Value::List(results.collect())),
        ]);
        let log = Map::from([
            ("$schema", Value::from(SCHEMA)),
            ("version", Value::from("2.1.0")),
            ("runs", Value::List(vec![Value::Map(run)])),
        ]);
        writeln!(self.out, "{}", json::to_string(&Value::Map(log)))?;
        self.out.flush()
    }
}

impl Report for Sarif {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match self.run.event(event) {
            Some(_) => self.write(),
            None => Ok(()),
        }
    }
}

fn result(done: &Done, place: usize, finding: &Finding) -> Value {
    let kind = match to_value(finding) {
        Ok(Value::Map(map)) => map.text("kind").unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    let text = format!("{}: {}", visible(&done.name), visible(&sentence(finding)));
    let uri = Map::from([("uri", Value::from(percent(&done.file)))]);
    let region = Map::from([("startLine", Value::from(1_i64))]);
    let physical =
        Map::from([("artifactLocation", Value::Map(uri)), ("region", Value::Map(region))]);
    let location = Map::from([("physicalLocation", Value::Map(physical))]);
    let mut result = Map::from([
        ("ruleId", Value::from(kind)),
        ("level", Value::from(if done.is_excused() { "note" } else { "error" })),
        ("message", Value::Map(Map::from([("text", Value::from(text))]))),
        ("locations", Value::List(vec![Value::Map(location)])),
    ]);
    if let Some(triage) = &done.triage {
        let print = format!("{}/{}/{place}", triage.cause.fingerprint, done.key());
        let prints = Map::from([("rehearsal/v1", Value::from(print))]);
        result.insert("partialFingerprints", Value::Map(prints));
        if let Ok(triage) = to_value(triage) {
            result.insert("properties", triage);
        }
    }
    Value::Map(result)
}

/// A path as a relative reference (RFC 3986).
fn percent(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
