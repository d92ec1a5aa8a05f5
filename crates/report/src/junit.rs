//! A run as JUnit XML, for continuous integration: a suite for each recording, a case for each test.
//!
//! Written once, at the end of the run, because the counts stand at the beginning.

use crate::Report;
use crate::escape::visible;
use crate::finding::{finding, sentence};
use crate::page::Page;
use crate::words::{command, schema_moved};
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};
use rehearsal_model::{Finding, Outcome, RunEvent, Summary, Value, to_value};
use std::io::{self, Write};
use std::time::Duration;

/// How wide the text of a failure is.
const WIDTH: usize = 99;

pub(crate) struct Junit {
    out: Box<dyn Write + Send>,
    suites: Vec<Suite>,
    tool: String,
}

struct Suite {
    suite: TestSuite,
    took_ms: f64,
    output: String,
}

impl Junit {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Junit { out, suites: Vec::new(), tool: String::new() }
    }

    /// The suite of a recording, made when it is not there.
    fn suite(&mut self, recording: &str) -> &mut Suite {
        let name = visible(recording);
        let place = match self.suites.iter().position(|one| one.suite.name.as_str() == name) {
            Some(place) => place,
            None => {
                let mut suite = TestSuite::new(name);
                suite.add_property(Property::new("rehearsal.version", visible(&self.tool)));
                self.suites.push(Suite { suite, took_ms: 0.0, output: String::new() });
                self.suites.len() - 1
            }
        };
        &mut self.suites[place]
    }

    fn write(&mut self, summary: &Summary) -> io::Result<()> {
        if let Some(reason) = &summary.aborted {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("aborted").set_message(visible(reason));
            let case = TestCase::new("the run was cut short", status);
            self.suite("rehearsal").suite.add_test_case(case);
        }
        let mut report = quick_junit::Report::new("rehearsal");
        report.set_time(duration(summary.took_ms));
        for mut one in self.suites.drain(..) {
            one.suite.set_time(duration(one.took_ms));
            if !one.output.is_empty() {
                one.suite.set_system_out(one.output);
            }
            report.add_test_suite(one.suite);
        }
        report.serialize(&mut self.out).map_err(io::Error::other)?;
        self.out.flush()
    }
}

impl Report for Junit {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::RunStarted { tool, .. } => self.tool.clone_from(tool),
            RunEvent::RecordingStarted { recording, command: words, .. } => {
                let property = Property::new("command", visible(&command(words)));
                self.suite(recording).suite.add_property(property);
            }
            RunEvent::AppReady { recording, took_ms } => {
                let property = Property::new("app.ready.ms", format!("{took_ms:.1}"));
                self.suite(recording).suite.add_property(property);
            }
            RunEvent::TestFinished { recording, took_ms, .. } => {
                let suite = self.suite(recording);
                suite.took_ms += took_ms;
                suite.suite.add_test_cases(case(event));
            }
            RunEvent::Warning { recording, message } => {
                let suite = self.suite(recording.as_deref().unwrap_or("rehearsal"));
                suite.output.push_str(&format!("warning: {}\n", visible(message)));
            }
            RunEvent::SchemaMoved { recording, edge, columns } => {
                let told = visible(&schema_moved(edge, columns)).into_owned();
                self.suite(recording).output.push_str(&format!("warning: {told}\n"));
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
            | RunEvent::RecordingFinished { .. } => {}
            RunEvent::RunFinished { summary } => return self.write(summary),
        }
        Ok(())
    }
}

fn case(event: &RunEvent) -> Option<TestCase> {
    let RunEvent::TestFinished {
        recording, number, name, file, outcome, took_ms, findings, ..
    } = event
    else {
        return None;
    };
    let status = match outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Failed => failure(findings),
        Outcome::NotRun => {
            let mut status = TestCaseStatus::skipped();
            status.set_message("an earlier failure ended the run");
            status
        }
    };
    let mut case = TestCase::new(format!("{number} {}", visible(name)), status);
    case.set_classname(visible(recording)).set_time(duration(*took_ms));
    case.extra.insert("file".into(), visible(file).into());
    Some(case)
}

fn failure(findings: &[Finding]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let sentences: Vec<String> = findings.iter().map(sentence).collect();
    status.set_message(visible(&sentences.join("; ")));
    if let Some(Ok(Value::Map(first))) = findings.first().map(to_value) {
        status.set_type(first.text("kind").unwrap_or_default());
    }
    let mut page = Page::new(false, WIDTH);
    for one in findings {
        page.end();
        finding(&mut page, 0, one);
    }
    status.set_description(page.finish());
    status
}

fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}
