//! A run held in memory until its end, for formats that can only be written then.

use crate::escape::visible;
use crate::finding::{finding, sentence};
use crate::page::Page;
use rehearsal_model::{Finding, Outcome, RunEvent, Summary, Triage};
use std::time::{SystemTime, UNIX_EPOCH};

/// How wide the text of a failure is.
const WIDTH: usize = 99;

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) tool: String,
    /// When the run began, in milliseconds since 1970.
    pub(crate) began: i64,
    pub(crate) tests: Vec<Done>,
    pub(crate) warnings: Vec<String>,
}

/// A test with its verdict.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) recording: String,
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) outcome: Outcome,
    pub(crate) took_ms: f64,
    /// When it ended, in milliseconds since 1970.
    pub(crate) ended: i64,
    pub(crate) findings: Vec<Finding>,
    pub(crate) triage: Option<Box<Triage>>,
    /// The verdicts of the times that it was run again.
    pub(crate) reruns: Vec<Outcome>,
}

impl Collected {
    /// Takes an event; at the end of the run its counts come back.
    pub(crate) fn event<'e>(&mut self, event: &'e RunEvent) -> Option<&'e Summary> {
        match event {
            RunEvent::RunStarted { tool, .. } => {
                self.tool.clone_from(tool);
                self.began = now();
            }
            RunEvent::TestFinished {
                recording,
                number,
                name,
                file,
                outcome,
                took_ms,
                findings,
                triage,
                ..
            } => self.tests.push(Done {
                recording: recording.clone(),
                number: number.0,
                name: name.clone(),
                file: file.clone(),
                outcome: *outcome,
                took_ms: *took_ms,
                ended: now(),
                findings: findings.clone(),
                triage: triage.clone(),
                reruns: Vec::new(),
            }),
            RunEvent::TestRerun { recording, number, outcome, .. } => {
                let same =
                    |done: &&mut Done| &done.recording == recording && done.number == number.0;
                if let Some(done) = self.tests.iter_mut().find(same) {
                    done.reruns.push(*outcome);
                }
            }
            RunEvent::Warning { message, .. } => self.warnings.push(message.clone()),
            RunEvent::RunFinished { summary } => return Some(summary),
            _ => {}
        }
        None
    }

    /// The tests that failed and did not pass later.
    pub(crate) fn broken(&self) -> impl Iterator<Item = &Done> {
        self.tests.iter().filter(|done| done.outcome == Outcome::Failed && !done.is_flaky())
    }
}

impl Done {
    /// Whether it failed first and passed later.
    pub(crate) fn is_flaky(&self) -> bool {
        self.reruns.contains(&Outcome::Passed)
    }

    /// Whether a quarantine excuses its failure.
    pub(crate) fn is_excused(&self) -> bool {
        self.triage.as_ref().is_some_and(|triage| triage.is_excused())
    }

    /// `checkout/12`.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.recording, self.number)
    }

    /// What was found, in a line that is safe to print.
    pub(crate) fn message(&self) -> String {
        let sentences: Vec<String> = self.findings.iter().map(sentence).collect();
        visible(&sentences.join("; ")).into_owned()
    }

    /// What was found, with its evidence and what is known of it.
    pub(crate) fn text(&self) -> String {
        let mut page = Page::new(false, WIDTH);
        for one in &self.findings {
            page.end();
            finding(&mut page, 0, one);
        }
        let mut text = page.finish();
        for (label, line) in self.triage.iter().flat_map(|triage| crate::triage::lines(triage)) {
            text.push_str(&format!("{label}: {}\n", visible(&line)));
        }
        text
    }

    /// The command that runs it again.
    pub(crate) fn command(&self) -> String {
        let words = ["rehearsal", "test", &self.recording, "--test", &self.number.to_string()];
        crate::words::command(&words.map(str::to_owned))
    }
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// A count as JSON has it.
pub(crate) fn number(count: usize) -> rehearsal_model::Value {
    rehearsal_model::Value::from(i64::try_from(count).unwrap_or(i64::MAX))
}
