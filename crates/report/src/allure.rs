//! A run as results of Allure 2: a folder with a file for each test, which `allure generate` reads.

use crate::Report;
use crate::collect::{Collected, Done};
use crate::escape::visible;
use rehearsal_model::{Map, Outcome, RunEvent, Value, json};
use std::io;
use std::path::{Path, PathBuf};

pub(crate) struct Allure {
    folder: PathBuf,
    run: Collected,
}

impl Allure {
    /// Writes into a folder, which is made.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Allure { folder: folder.to_owned(), run: Collected::default() })
    }
}

impl Report for Allure {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        if self.run.event(event).is_none() {
            return Ok(());
        }
        for done in &self.run.tests {
            let id = identity(&format!("{} {}", done.key(), self.run.began));
            let text = json::to_string(&result(done, &id));
            std::fs::write(self.folder.join(format!("{id}-result.json")), text)?;
        }
        Ok(())
    }
}

fn result(done: &Done, id: &str) -> Value {
    let status = match done.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed if done.is_flaky() => "passed",
        // Allure has no word for a failure that is excused; skipped ones fail nothing.
        Outcome::Failed if done.is_excused() => "skipped",
        Outcome::Failed => "failed",
        Outcome::NotRun => "skipped",
    };
    let details = Map::from([
        ("message", Value::from(done.message())),
        ("trace", Value::from(if done.findings.is_empty() { String::new() } else { done.text() })),
        ("flaky", Value::Bool(done.is_flaky())),
        ("muted", Value::Bool(done.is_excused())),
    ]);
    let label = |name: &str, value: &str| {
        Value::Map(Map::from([
            ("name", Value::from(name)),
            ("value", Value::from(&*visible(value))),
        ]))
    };
    let mut labels = vec![
        label("framework", "rehearsal"),
        label("parentSuite", "rehearsal"),
        label("suite", &done.recording),
    ];
    if let Some(triage) = &done.triage {
        labels.push(label("tag", &triage.cause.fingerprint));
        labels.push(label("feature", &triage.cause.edge));
        for owner in triage.ownership.iter().flat_map(|ownership| &ownership.owners) {
            labels.push(label("owner", owner));
        }
    }
    let began = done.ended - done.took_ms.round() as i64;
    Value::Map(Map::from([
        ("uuid", Value::from(id)),
        ("historyId", Value::from(identity(&done.key()))),
        ("fullName", Value::from(&*visible(&format!("{} {}", done.key(), done.name)))),
        ("name", Value::from(&*visible(&done.name))),
        ("status", Value::from(status)),
        ("statusDetails", Value::Map(details)),
        ("stage", Value::from("finished")),
        ("start", Value::from(began)),
        ("stop", Value::from(done.ended)),
        ("labels", Value::List(labels)),
    ]))
}

/// A UUID that is the same for the same text: 128 bits of FNV-1a in the form of version 8 (RFC 9562).
fn identity(text: &str) -> String {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in text.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    let hash = hash & !(0xf << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62;
    let hex = format!("{hash:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}
