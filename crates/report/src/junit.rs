//! A run as JUnit XML, for continuous integration: a suite for each recording, a case for each test.
//!
//! Written once, at the end of the run, because the counts stand at the beginning. Elements and
//! attributes are those that the schema of Jenkins knows (`junit-10.xsd` of its xUnit plugin), and no
//! others: what a case says beyond them stands in its text.

mod xml;

use crate::Report;
use crate::escape::visible;
use crate::finding::{finding, sentence};
use crate::page::{Page, Style};
use crate::triage;
use crate::words::{command, retried, schema_moved};
use rehearsal_model::{Finding, Outcome, RunEvent, Summary, Triage, Value, to_value};
use std::io::{self, Write};
use xml::Xml;

/// How wide the text of a failure is.
const WIDTH: usize = 99;

pub(crate) struct Junit {
    out: Box<dyn Write + Send>,
    suites: Vec<Suite>,
    tool: String,
}

#[derive(Default)]
struct Suite {
    name: String,
    /// The file that says what it is.
    file: Option<String>,
    properties: Vec<(&'static str, String)>,
    cases: Vec<Case>,
    took_ms: f64,
    output: String,
}

struct Case {
    class: String,
    name: String,
    took_ms: f64,
    status: Status,
    /// What went wrong when it was run at first or again.
    reruns: Vec<Wrong>,
}

enum Status {
    Passed,
    Failed(Wrong),
    Error(Wrong),
    Skipped(Wrong),
}

#[derive(Default)]
struct Wrong {
    kind: String,
    message: String,
    text: String,
}

impl Junit {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Junit { out, suites: Vec::new(), tool: String::new() }
    }

    /// The suite of a recording, made when it is not there.
    fn suite(&mut self, recording: &str) -> &mut Suite {
        let place = match self.suites.iter().position(|one| one.name == recording) {
            Some(place) => place,
            None => {
                let properties = vec![("rehearsal.version", self.tool.clone())];
                let name = recording.to_owned();
                self.suites.push(Suite { name, properties, ..Suite::default() });
                self.suites.len() - 1
            }
        };
        &mut self.suites[place]
    }

    /// A test that passes at last is a success that has what it failed by; else its failure has one
    /// more.
    fn rerun(&mut self, event: &RunEvent) {
        let RunEvent::TestRerun { recording, number, name, outcome, findings, .. } = event else {
            return;
        };
        let title = format!("{number} {name}");
        let cases = &mut self.suite(recording).cases;
        let Some(case) = cases.iter_mut().rev().find(|case| case.name == title) else { return };
        if *outcome == Outcome::Failed {
            case.reruns.push(Wrong::of(findings, None));
        } else if let Status::Failed(first) = std::mem::replace(&mut case.status, Status::Passed) {
            case.reruns.insert(0, first);
        }
    }

    fn write(&mut self, summary: &Summary) -> io::Result<()> {
        if let Some(reason) = &summary.aborted {
            let (kind, message) = ("aborted".to_owned(), reason.clone());
            self.suite("rehearsal").cases.push(Case {
                class: "rehearsal".to_owned(),
                name: "the run was cut short".to_owned(),
                took_ms: 0.0,
                status: Status::Error(Wrong { kind, message, text: String::new() }),
                reruns: Vec::new(),
            });
        }
        let mut xml = Xml::default();
        let all = || self.suites.iter().flat_map(|suite| &suite.cases);
        let mut attributes = vec![("name", "rehearsal".to_owned())];
        attributes.extend(counts(all()).into_iter().filter(|(name, _)| *name != "skipped"));
        attributes.push(("time", seconds(summary.took_ms)));
        xml.open("testsuites", &attributes);
        self.suites.iter().for_each(|suite| suite.write(&mut xml));
        xml.close("testsuites");
        self.suites.clear();
        self.out.write_all(xml.finish().as_bytes())?;
        self.out.flush()
    }
}

impl Suite {
    fn write(&self, xml: &mut Xml) {
        let mut attributes = vec![("name", self.name.clone())];
        attributes.extend(counts(self.cases.iter()));
        attributes.push(("time", seconds(self.took_ms)));
        attributes.extend(self.file.clone().map(|file| ("file", file)));
        xml.open("testsuite", &attributes);
        xml.open("properties", &[]);
        for (name, value) in &self.properties {
            let attributes = [("name", (*name).to_owned()), ("value", value.clone())];
            xml.text("property", &attributes, "");
        }
        xml.close("properties");
        self.cases.iter().for_each(|case| case.write(xml));
        if !self.output.is_empty() {
            xml.text("system-out", &[], &self.output);
        }
        xml.close("testsuite");
    }
}

impl Case {
    fn write(&self, xml: &mut Xml) {
        let attributes = [
            ("name", self.name.clone()),
            ("classname", self.class.clone()),
            ("time", seconds(self.took_ms)),
        ];
        let (element, wrong) = match &self.status {
            Status::Passed if self.reruns.is_empty() => {
                return xml.text("testcase", &attributes, "");
            }
            Status::Passed => ("", None),
            Status::Failed(wrong) => ("failure", Some(wrong)),
            Status::Error(wrong) => ("error", Some(wrong)),
            Status::Skipped(wrong) => ("skipped", Some(wrong)),
        };
        xml.open("testcase", &attributes);
        if let Some(wrong) = wrong {
            xml.text(element, &wrong.attributes(), &wrong.text);
        }
        let again = if wrong.is_some() { "rerunFailure" } else { "flakyFailure" };
        for rerun in &self.reruns {
            xml.text(again, &rerun.attributes(), &rerun.text);
        }
        xml.close("testcase");
    }
}

impl Wrong {
    fn of(findings: &[Finding], triage: Option<&Triage>) -> Self {
        let kind = match findings.first().map(to_value) {
            Some(Ok(Value::Map(first))) => first.text("kind").unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let message = findings.iter().map(sentence).collect::<Vec<_>>().join("; ");
        Wrong { kind, message, text: description(findings, triage) }
    }

    fn attributes(&self) -> [(&'static str, String); 2] {
        [("message", self.message.clone()), ("type", self.kind.clone())]
    }
}

impl Report for Junit {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::RunStarted { tool, .. } => self.tool.clone_from(tool),
            RunEvent::RecordingStarted { recording, command: words, .. } => {
                self.suite(recording).properties.push(("command", command(words)));
            }
            RunEvent::AppReady { recording, took_ms } => {
                let took = format!("{took_ms:.1}");
                self.suite(recording).properties.push(("app.ready.ms", took));
            }
            RunEvent::TestFinished { recording, took_ms, file, .. } => {
                let suite = self.suite(recording);
                let folder = file.rsplit_once("/tests/").map(|(folder, _)| folder);
                suite.file = folder.map(|folder| format!("{folder}/recording.yaml"));
                suite.took_ms += took_ms;
                suite.cases.extend(case(event));
            }
            RunEvent::TestRerun { .. } => self.rerun(event),
            RunEvent::Warning { recording, message } => {
                let suite = self.suite(recording.as_deref().unwrap_or("rehearsal"));
                suite.output.push_str(&format!("warning: {}\n", visible(message)));
            }
            RunEvent::Retried { recording, .. } => {
                let told = retried(event);
                self.suite(recording).output.push_str(&format!("{}\n", visible(&told)));
            }
            RunEvent::SchemaMoved { recording, edge, columns } => {
                let told = schema_moved(edge, columns);
                self.suite(recording).output.push_str(&format!("warning: {}\n", visible(&told)));
            }
            RunEvent::AppExited { recording, how, output, .. } => {
                let suite = self.suite(recording);
                suite.output.push_str(&format!("the app ended: {}\n", visible(how)));
                for line in output {
                    suite.output.push_str(&format!("  {}\n", visible(line)));
                }
            }
            RunEvent::TestStarted { .. }
            | RunEvent::Bindings { .. }
            | RunEvent::EdgeLatency { .. }
            | RunEvent::RecordingFinished { .. } => {}
            RunEvent::RunFinished { summary } => return self.write(summary),
        }
        Ok(())
    }
}

fn case(event: &RunEvent) -> Option<Case> {
    let RunEvent::TestFinished {
        recording,
        number,
        name,
        file,
        outcome,
        took_ms,
        findings,
        triage,
        ..
    } = event
    else {
        return None;
    };
    let triage = triage.as_deref();
    let wrong = || {
        let mut wrong = Wrong::of(findings, triage);
        wrong.text.push_str(&format!("file: {}\n", visible(file)));
        wrong
    };
    let status = match outcome {
        Outcome::Passed => Status::Passed,
        Outcome::Failed if triage.is_some_and(Triage::is_excused) => {
            Status::Skipped(Wrong { kind: "quarantine".to_owned(), ..wrong() })
        }
        Outcome::Failed => Status::Failed(wrong()),
        Outcome::NotRun => {
            let message = "an earlier failure ended the run".to_owned();
            Status::Skipped(Wrong { kind: "not-run".to_owned(), message, text: String::new() })
        }
    };
    Some(Case {
        class: recording.clone(),
        name: format!("{number} {name}"),
        took_ms: *took_ms,
        status,
        reruns: Vec::new(),
    })
}

fn description(findings: &[Finding], triage: Option<&Triage>) -> String {
    let mut page = Page::new(false, WIDTH);
    for one in findings {
        page.end();
        finding(&mut page, 0, one);
    }
    for (label, text) in triage.iter().flat_map(|triage| triage::lines(triage)) {
        page.put(Style::Plain, &format!("{label}: ")).rest(Style::Plain, &text).end();
    }
    page.finish()
}

/// How many cases there are, and of which kind.
fn counts<'c>(cases: impl Iterator<Item = &'c Case>) -> [(&'static str, String); 4] {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.status {
            Status::Passed => {}
            Status::Failed(_) => failures += 1,
            Status::Error(_) => errors += 1,
            Status::Skipped(_) => skipped += 1,
        }
    }
    [("tests", tests), ("failures", failures), ("errors", errors), ("skipped", skipped)]
        .map(|(name, count)| (name, count.to_string()))
}

/// Seconds with three digits, and no separators: `0.012`.
fn seconds(ms: f64) -> String {
    format!("{:.3}", if ms.is_finite() { ms.max(0.0) / 1000.0 } else { 0.0 })
}
