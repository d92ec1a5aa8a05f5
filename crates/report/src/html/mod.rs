//! A run as a page for browsers, whole in one file: nothing is loaded from anywhere.
//!
//! Tests are written as they come, and what is known only at the end is moved to the top by its
//! style, so a run that breaks off leaves a page too, and a long one is not held in memory. Recorded
//! text is data throughout: it is escaped, and the page allows no script but its own.

mod edges;
mod evidence;
mod sequence;
mod test;
mod waterfall;

pub(crate) use evidence::{copied, log, messages};
pub(crate) use sequence::sequence;
use test::{Detail, test};
pub(crate) use waterfall::{milliseconds, waterfall};

use crate::Report;
use crate::escape::markup;
use crate::latency::Latencies;
use crate::triage::rerun;
use crate::words::{command, count, duration, retried, schema_moved};
use edges::Edges;
use rehearsal_model::{Outcome, RunEvent, Summary};
use std::io::{self, Write};

/// The style of every page with tests on it: colours are custom properties of `:root`, light and dark.
pub(crate) const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// The hash of the script, base64 of SHA-256; a test computes it.
const SCRIPT_HASH: &str = "XGqlXh5a64XuPGOWaZApEsEUCPwUKrBGea+dmAN9z/c=";
/// Failures that are open from the beginning.
const MAX_OPEN: usize = 3;
/// Bytes of tests after which those that are folded are kept as text: a browser makes no elements of it.
const MAX_ELEMENTS: usize = 500_000;
/// Bytes of tests after which only what differs is told of the others: a page of ten thousand tests is
/// to stay under 20 MB.
const MAX_DETAILED: usize = 7_000_000;

/// Tests in one block. A browser lays out only the blocks that are near to what is seen.
const BLOCK: usize = 100;

pub(crate) struct Html {
    out: Box<dyn Write + Send>,
    /// Tests in the block that is open.
    in_block: usize,
    edges: Edges,
    latencies: Latencies,
    failed: usize,
    /// Bytes of tests so far.
    written: usize,
}

impl Html {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Html {
            out,
            in_block: 0,
            edges: Edges::default(),
            latencies: Latencies::default(),
            failed: 0,
            written: 0,
        }
    }

    fn head(&mut self, tool: &str) -> io::Result<()> {
        writeln!(
            self.out,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'; script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; \
             form-action 'none'\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>Rehearsal: a run</title><style>{STYLE}</style></head><body><main class=\"run\">\
             <header><h1>Rehearsal</h1><span class=\"dim\">version {}</span></header>",
            markup(tool)
        )
    }

    fn test(&mut self, event: &RunEvent) -> io::Result<()> {
        if let RunEvent::TestFinished { outcome, calls, findings, .. } = event {
            self.edges.add(calls, findings);
            self.failed += usize::from(*outcome == Outcome::Failed);
            let opens = *outcome == Outcome::Failed && self.failed <= MAX_OPEN;
            let detail = match (self.written, opens) {
                (MAX_DETAILED.., _) => Detail::Short,
                (_, true) => Detail::Open,
                (MAX_ELEMENTS.., false) => Detail::Kept,
                (_, false) => Detail::Folded,
            };
            let text = test(event, detail);
            self.written += text.len();
            let begin = if self.in_block == 0 { "<div class=\"block\">" } else { "" };
            writeln!(self.out, "{begin}{text}")?;
            self.in_block += 1;
            if self.in_block == BLOCK {
                self.end_block()?;
            }
        }
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.in_block) {
            0 => Ok(()),
            _ => writeln!(self.out, "</div>"),
        }
    }

    /// Writes what stands between tests.
    fn between(&mut self, text: &str) -> io::Result<()> {
        self.end_block()?;
        writeln!(self.out, "{text}")
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        let Summary { passed, failed, flaky, quarantined, not_run, took_ms, aborted } = summary;
        let item = |class: &str, number: &str, text: &str| {
            format!("<li class=\"{class}\"><b>{number}</b>{text}</li>")
        };
        let bad = if *failed > 0 { "bad" } else { "dim" };
        let mut items = item(bad, &failed.to_string(), "failed");
        items += &item("good", &passed.to_string(), "passed");
        for (number, text) in [(flaky, "flaky"), (quarantined, "in quarantine")] {
            if *number > 0 {
                items += &item("note", &number.to_string(), text);
            }
        }
        if *not_run > 0 {
            items += &item("dim", &not_run.to_string(), "not run");
        }
        items += &item("dim", &duration(*took_ms), "in all");
        self.end_block()?;
        let aborted = aborted.as_deref().map(markup);
        let aborted = aborted.map_or(String::new(), |why| format!("<p class=\"bad\">{why}</p>"));
        let choice = |value: &str, text: &str, checked: &str| {
            format!(
                "<label><input type=\"radio\" name=\"outcome\" value=\"{value}\"{checked}> {text}</label>"
            )
        };
        writeln!(
            self.out,
            "<section class=\"summary\" aria-label=\"Summary\"><ul class=\"counts\">{items}</ul>\
             {aborted}</section>{}{}\
             <fieldset class=\"filter\" hidden><input id=\"search\" type=\"search\" \
             placeholder=\"name, recording or edge ( / )\" aria-label=\"Search the tests\">\
             {}{}{}<span id=\"shown\" class=\"dim\" role=\"status\"></span></fieldset>\
             </main><script>{SCRIPT}</script></body></html>",
            self.edges.section(),
            self.latencies.section(),
            choice("all", "all", " checked"),
            choice("failed", "failed", ""),
            choice("passed", "passed", ""),
        )?;
        self.out.flush()
    }
}

impl Report for Html {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::RunStarted { tool, .. } => self.head(tool),
            RunEvent::RecordingStarted { recording, command: words, tests } => {
                let (name, tests) = (markup(recording), count(*tests, "test"));
                let words = markup(&command(words));
                self.between(&format!(
                    "<h2>{name} <span class=\"dim\">{tests}</span> <code>{words}</code></h2>"
                ))
            }
            RunEvent::TestFinished { .. } => self.test(event),
            RunEvent::TestRerun { recording, number, name, attempt, outcome, .. } => {
                let (recording, name) = (markup(recording), markup(name));
                let (number, came) = (number.0, rerun(*attempt, *outcome));
                let text = format!("{recording} · {number} · {name}: {came}");
                self.between(&format!("<p class=\"note\">{text}</p>"))
            }
            RunEvent::Warning { message, .. } => {
                self.between(&format!("<p class=\"note\">! {}</p>", markup(message)))
            }
            RunEvent::Retried { .. } => {
                self.between(&format!("<p class=\"note\">! {}</p>", markup(&retried(event))))
            }
            RunEvent::SchemaMoved { edge, columns, .. } => {
                let told = markup(&schema_moved(edge, columns));
                self.between(&format!("<p class=\"note\">! {told}</p>"))
            }
            RunEvent::AppExited { how, output, .. } => {
                let lines: Vec<String> = output.iter().map(|line| markup(line)).collect();
                let (how, lines) = (markup(how), lines.join("\n"));
                let text = format!("<p class=\"bad\">The app ended: {how}</p><pre>{lines}</pre>");
                self.between(&text)
            }
            RunEvent::RunFinished { summary } => self.summary(summary),
            RunEvent::EdgeLatency { .. } => {
                self.latencies.event(event);
                Ok(())
            }
            RunEvent::AppReady { .. }
            | RunEvent::Bindings { .. }
            | RunEvent::TestStarted { .. }
            | RunEvent::RecordingFinished { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{Value, json};
    use sha2::Digest as _;

    #[test]
    fn the_hash_is_that_of_the_script() {
        let bytes = Value::Bytes(sha2::Sha256::digest(SCRIPT).to_vec());
        assert!(json::to_string(&bytes).contains(&format!("\"{SCRIPT_HASH}\"")), "{bytes:?}");
    }
}
