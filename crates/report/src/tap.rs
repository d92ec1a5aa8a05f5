//! A run in the Test Anything Protocol, version 14, as specified at testanything.org.
//!
//! Diagnostics are YAML whose values are spelled as JSON, which YAML contains; findings have the
//! form that `docs/events.md` documents.

use crate::Report;
use crate::escape::visible;
use crate::finding::sentence;
use crate::triage;
use crate::words::{retried, schema_moved};
use rehearsal_model::json::{Escape, Style, to_string_styled};
use rehearsal_model::{Finding, Outcome, RunEvent, Value, to_value};
use std::io::{self, Write};

pub(crate) struct Tap {
    out: Box<dyn Write + Send>,
    count: usize,
}

impl Tap {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Tap { out, count: 0 }
    }

    fn point(&mut self, event: &RunEvent) -> io::Result<()> {
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
            return Ok(());
        };
        self.count += 1;
        let ok = if *outcome == Outcome::Failed { "not ok" } else { "ok" };
        let title = description(&format!("{recording} {number} {name}"));
        let excused = triage.as_ref().is_some_and(|triage| triage.is_excused());
        let skip = match outcome {
            Outcome::NotRun => " # SKIP an earlier failure ended the run",
            // A test that may fail is a TODO, which does not fail the run.
            Outcome::Failed if excused => " # TODO in quarantine",
            _ => "",
        };
        let out = &mut self.out;
        writeln!(out, "{ok} {} - {title}{skip}", self.count)?;
        if *outcome != Outcome::Failed {
            return Ok(());
        }
        let sentences: Vec<String> = findings.iter().map(sentence).collect();
        writeln!(out, "  ---")?;
        writeln!(out, "  message: {}", quoted(&sentences.join("; ")))?;
        writeln!(out, "  file: {}", quoted(file))?;
        writeln!(out, "  duration_ms: {took_ms:.3}")?;
        for (label, text) in triage.iter().flat_map(|triage| triage::lines(triage)) {
            writeln!(out, "  {label}: {}", quoted(&text))?;
        }
        writeln!(out, "  findings:")?;
        for one in findings {
            writeln!(out, "    - {}", json(&value(one)))?;
        }
        writeln!(out, "  ...")
    }

    fn comment(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "# {}", visible(text))
    }
}

impl Report for Tap {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::RunStarted { tests, .. } => {
                writeln!(self.out, "TAP version 14\n1..{tests}")?;
            }
            RunEvent::TestFinished { .. } => self.point(event)?,
            RunEvent::TestRerun { recording, number, name, attempt, outcome, .. } => {
                let told = triage::rerun(*attempt, *outcome);
                self.comment(&format!("{recording} {number} {name}: {told}"))?;
            }
            RunEvent::Warning { message, .. } => self.comment(&format!("warning: {message}"))?,
            RunEvent::Retried { .. } => self.comment(&retried(event))?,
            RunEvent::SchemaMoved { edge, columns, .. } => {
                self.comment(&format!("warning: {}", schema_moved(edge, columns)))?;
            }
            RunEvent::AppExited { how, output, .. } => {
                self.comment(&format!("the app ended: {how}"))?;
                for line in output {
                    self.comment(&format!("  {line}"))?;
                }
            }
            RunEvent::RunFinished { summary } => {
                if let Some(reason) = &summary.aborted {
                    writeln!(self.out, "Bail out! {}", visible(reason))?;
                }
            }
            RunEvent::RecordingStarted { .. }
            | RunEvent::AppReady { .. }
            | RunEvent::TestStarted { .. }
            | RunEvent::Bindings { .. }
            | RunEvent::EdgeLatency { .. }
            | RunEvent::RecordingFinished { .. } => return Ok(()),
        }
        self.out.flush()
    }
}

/// In a description a `#` would begin a directive.
fn description(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('#', "\\#")
}

fn value(finding: &Finding) -> Value {
    to_value(finding).unwrap_or_else(|error| Value::from(error.to_string()))
}

/// Words for people, in which an escape is as good as the character.
fn quoted(text: &str) -> String {
    to_string_styled(&Value::from(&*visible(text)), Style::default())
}

/// All but ASCII is escaped, so that nothing in it acts on a terminal.
fn json(value: &Value) -> String {
    let text = to_string_styled(value, Style { escape: Escape::Ascii, ..Style::default() });
    text.replace('\x7f', "\\u007f")
}
