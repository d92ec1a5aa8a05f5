//! A run as Markdown for the summary of a step of GitHub Actions: counts, and each failure folded.
//!
//! Recorded text is data: every sign that could mean something to Markdown or HTML is written as a
//! character reference, so that neither a picture nor a mention can come of it.

use crate::Report;
use crate::collect::{Collected, Done};
use crate::escape::visible;
use crate::triage::{extra_counts, lines};
use crate::words::seconds;
use rehearsal_model::{RunEvent, Summary};
use std::io::{self, Write};

/// How many failures are shown: GitHub refuses more than a mebibyte.
const MAX_SHOWN: usize = 100;
/// How much of a failure is shown, in characters.
const MAX_TEXT: usize = 4000;

pub(crate) struct GitHub {
    out: Box<dyn Write + Send>,
    run: Collected,
}

impl GitHub {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        GitHub { out, run: Collected::default() }
    }

    fn write(&mut self, summary: &Summary) -> io::Result<()> {
        let Summary { passed, failed, flaky, quarantined, not_run, took_ms, aborted } = summary;
        let sign = if *failed == 0 && aborted.is_none() { "✅" } else { "❌" };
        let mut counts = vec![format!("{passed} passed"), format!("{failed} failed")];
        counts.extend(extra_counts(*flaky, *quarantined));
        if *not_run > 0 {
            counts.push(format!("{not_run} not run"));
        }
        let out = &mut self.out;
        writeln!(out, "### {sign} Rehearsal: {} in {}\n", counts.join(", "), seconds(*took_ms))?;
        if let Some(why) = aborted {
            writeln!(out, "The run was cut short: {}\n", plain(why))?;
        }
        for done in self.run.broken().take(MAX_SHOWN) {
            failure(out, done)?;
        }
        let more = self.run.broken().count().saturating_sub(MAX_SHOWN);
        if more > 0 {
            writeln!(out, "and {more} more.\n")?;
        }
        for done in self.run.tests.iter().filter(|done| done.is_flaky()) {
            writeln!(out, "- flaky: {} · {}", plain(&done.key()), plain(&done.name))?;
        }
        out.flush()
    }
}

impl Report for GitHub {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match self.run.event(event) {
            Some(summary) => self.write(summary),
            None => Ok(()),
        }
    }
}

fn failure(out: &mut dyn Write, done: &Done) -> io::Result<()> {
    let sign = if done.is_excused() { "⚠️" } else { "❌" };
    let (key, name) = (plain(&done.key()), plain(&done.name));
    writeln!(out, "<details><summary>{sign} {key} · <b>{name}</b></summary>\n")?;
    for (label, text) in done.triage.iter().flat_map(|triage| lines(triage)) {
        writeln!(out, "- {label}: {}", plain(&text))?;
    }
    writeln!(out, "- again: <code>{}</code>\n", plain(&done.command()))?;
    let text: String = done.text().chars().take(MAX_TEXT).collect();
    // A line that is empty would end the block of HTML.
    let drawn: Vec<String> =
        text.lines().filter(|line| !line.trim().is_empty()).map(plain).collect();
    writeln!(out, "<pre>{}</pre>\n\n</details>\n", drawn.join("\n"))
}

/// Text in which nothing is markup.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for char in visible(text).chars() {
        match char {
            ' ' => out.push(' '),
            char if char.is_ascii_punctuation() => out.push_str(&format!("&#{};", u32::from(char))),
            char => out.push(char),
        }
    }
    out
}
