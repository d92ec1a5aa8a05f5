//! A run in the Common Test Report Format (ctrf.io), for dashboards and for comments on changes.

use crate::Report;
use crate::collect::{Collected, Done, number};
use crate::escape::visible;
use rehearsal_model::{Map, Outcome, RunEvent, Summary, Value, json};
use std::io::{self, Write};

pub(crate) struct Ctrf {
    out: Box<dyn Write + Send>,
    run: Collected,
}

impl Ctrf {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Ctrf { out, run: Collected::default() }
    }

    fn write(&mut self, summary: &Summary) -> io::Result<()> {
        let run = &self.run;
        let took = summary.took_ms.round() as i64;
        let excused = summary.quarantined;
        let counts = Map::from([
            ("tests", number(run.tests.len())),
            ("passed", number(summary.passed + summary.flaky)),
            ("failed", number(summary.failed)),
            ("pending", number(0)),
            ("skipped", number(summary.not_run)),
            ("other", number(excused)),
            ("flaky", number(summary.flaky)),
            ("start", Value::from(run.began)),
            ("stop", Value::from(run.began + took)),
        ]);
        let tool = Map::from([
            ("name", Value::from("rehearsal")),
            ("version", Value::from(run.tool.as_str())),
        ]);
        let results = Map::from([
            ("tool", Value::Map(tool)),
            ("summary", Value::Map(counts)),
            ("tests", Value::List(run.tests.iter().map(test).collect())),
        ]);
        let report = Map::from([
            ("reportFormat", Value::from("CTRF")),
            ("specVersion", Value::from("0.0.0")),
            ("results", Value::Map(results)),
        ]);
        writeln!(self.out, "{}", json::to_string(&Value::Map(report)))?;
        self.out.flush()
    }
}

impl Report for Ctrf {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match self.run.event(event) {
            Some(summary) => self.write(summary),
            None => Ok(()),
        }
    }
}

fn test(done: &Done) -> Value {
    let status = match done.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed if done.is_flaky() => "passed",
        Outcome::Failed if done.is_excused() => "other",
        Outcome::Failed => "failed",
        Outcome::NotRun => "skipped",
    };
    let mut test = Map::from([
        ("name", Value::from(&*visible(&done.name))),
        ("status", Value::from(status)),
        ("duration", Value::from(done.took_ms.round() as i64)),
        ("suite", Value::List(vec![Value::from(&*visible(&done.recording))])),
        ("filePath", Value::from(&*visible(&done.file))),
    ]);
    if done.outcome == Outcome::Failed {
        test.insert("message", Value::from(done.message()));
        test.insert("trace", Value::from(done.text()));
        test.insert("retries", number(done.reruns.len()));
        test.insert("flaky", Value::Bool(done.is_flaky()));
        let triage = done.triage.as_ref().map(rehearsal_model::to_value);
        if let Some(Ok(triage)) = triage {
            test.insert("extra", triage);
        }
    }
    Value::Map(test)
}
