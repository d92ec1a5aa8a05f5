//! A run as a page for browsers, whole in one file: nothing is loaded from anywhere.
//!
//! Tests are written as they come, and what is known only at the end is moved to the top by its
//! style, so a run that breaks off leaves a page too, and a long one is not held in memory. Recorded
//! text is data throughout: it is escaped, and the page allows no script but its own.

mod edges;
mod sequence;

use crate::Report;
use crate::escape::markup;
use crate::finding::all_findings;
use crate::page::Page;
use crate::words::{command, count, duration, schema_moved};
use edges::Edges;
use rehearsal_model::{CallName, Finding, Outcome, RunEvent, Summary};
use sequence::sequence;
use std::collections::BTreeSet;
use std::io::{self, Write};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// The hash of the script, base64 of SHA-256; a test computes it.
const SCRIPT_HASH: &str = "G1E8V21o8eqa8ijTZTlkl6VgRg65b44ev4vXvhL0XBk=";
/// How wide the text of a failure is.
const WIDTH: usize = 120;
/// Failures that are open from the beginning.
const MAX_OPEN: usize = 3;

pub(crate) struct Html {
    out: Box<dyn Write + Send>,
    edges: Edges,
    failed: usize,
}

impl Html {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Html { out, edges: Edges::default(), failed: 0 }
    }

    fn head(&mut self, tool: &str) -> io::Result<()> {
        writeln!(
            self.out,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'; script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; \
             form-action 'none'\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>Rehearsal: a run</title><style>{STYLE}</style></head><body>\
             <header><h1>Rehearsal</h1><span class=\"dim\">version {}</span></header>",
            markup(tool)
        )
    }

    fn test(&mut self, event: &RunEvent) -> io::Result<()> {
        let RunEvent::TestFinished {
            recording,
            number,
            name,
            file,
            outcome,
            took_ms,
            calls,
            findings,
        } = event
        else {
            return Ok(());
        };
        self.edges.add(calls, findings);
        let (word, mark, class) = match outcome {
            Outcome::Passed => ("passed", "✓", "good"),
            Outcome::Failed => ("failed", "✗", "bad"),
            Outcome::NotRun => ("not-run", "○", "dim"),
        };
        self.failed += usize::from(*outcome == Outcome::Failed);
        let open = *outcome == Outcome::Failed && self.failed <= MAX_OPEN;
        let touched: BTreeSet<&str> = calls.iter().map(|call| call.edge.as_str()).collect();
        let touched: Vec<&str> = touched.into_iter().collect();
        let took = match outcome {
            Outcome::NotRun => "not run".to_owned(),
            _ => duration(*took_ms),
        };
        write!(
            self.out,
            "<details class=\"test\" data-outcome=\"{word}\"{}><summary>\
             <span class=\"{class}\" title=\"{word}\">{mark}</span>\
             <span class=\"dim\">{} {}</span><span class=\"name\">{}</span>\
             <span class=\"dim\">{}</span><span class=\"took\">{took}</span></summary>\
             <div class=\"body\">",
            if open { " open" } else { "" },
            markup(recording),
            number.0,
            markup(name),
            markup(&touched.join(", ")),
        )?;
        match outcome {
            Outcome::Failed => self.failure(name, calls, findings)?,
            _ => self.calls(calls)?,
        }
        let again = ["rehearsal", "test", recording, "--test", &number.0.to_string()];
        let again = command(&again.map(str::to_owned));
        writeln!(
            self.out,
            "<div class=\"again\"><span class=\"dim\">run it again</span><code>{}</code>\
             <button type=\"button\" class=\"copy\">Copy</button></div>\
             <div class=\"again\"><span class=\"dim\">file</span><code>{}</code></div></div></details>",
            markup(&again),
            markup(file),
        )
    }

    fn failure(&mut self, name: &str, calls: &[CallName], findings: &[Finding]) -> io::Result<()> {
        let mut page = Page::html(WIDTH);
        all_findings(&mut page, 0, findings, false);
        let text = page.finish();
        let picture = sequence(name, calls, findings);
        write!(
            self.out,
            "<div class=\"wide\">{picture}</div><pre>{}</pre>",
            text.trim_matches('\n')
        )
    }

    fn calls(&mut self, calls: &[CallName]) -> io::Result<()> {
        if calls.is_empty() {
            return write!(self.out, "<p class=\"dim\">The app called nobody.</p>");
        }
        write!(self.out, "<ol>")?;
        for CallName { edge, operation } in calls {
            let (edge, operation) = (markup(edge), markup(operation));
            write!(self.out, "<li><span class=\"dim\">{edge} ·</span> {operation}</li>")?;
        }
        write!(self.out, "</ol>")
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        let Summary { passed, failed, not_run, took_ms, aborted } = summary;
        let item = |class: &str, number: &str, text: &str| {
            format!("<li class=\"{class}\"><b>{number}</b>{text}</li>")
        };
        let bad = if *failed > 0 { "bad" } else { "dim" };
        let mut items = item(bad, &failed.to_string(), "failed");
        items += &item("good", &passed.to_string(), "passed");
        if *not_run > 0 {
            items += &item("dim", &not_run.to_string(), "not run");
        }
        items += &item("dim", &duration(*took_ms), "in all");
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
             {aborted}</section>{}\
             <fieldset class=\"filter\" hidden><input id=\"search\" type=\"search\" \
             placeholder=\"name, recording or edge ( / )\" aria-label=\"Search the tests\">\
             {}{}{}<span id=\"shown\" class=\"dim\" role=\"status\"></span></fieldset>\
             <script>{SCRIPT}</script></body></html>",
            self.edges.section(),
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
            RunEvent::RecordingStarted { recording, command: words, tests } => writeln!(
                self.out,
                "<h2>{} <span class=\"dim\">{}</span> <code>{}</code></h2>",
                markup(recording),
                count(*tests, "test"),
                markup(&command(words)),
            ),
            RunEvent::TestFinished { .. } => self.test(event),
            RunEvent::Warning { message, .. } => {
                writeln!(self.out, "<p class=\"note\">! {}</p>", markup(message))
            }
            RunEvent::SchemaMoved { edge, columns, .. } => {
                let told = markup(&schema_moved(edge, columns));
                writeln!(self.out, "<p class=\"note\">! {told}</p>")
            }
            RunEvent::AppExited { how, output, .. } => {
                let lines: Vec<String> = output.iter().map(|line| markup(line)).collect();
                let (how, lines) = (markup(how), lines.join("\n"));
                writeln!(self.out, "<p class=\"bad\">The app ended: {how}</p><pre>{lines}</pre>")
            }
            RunEvent::RunFinished { summary } => self.summary(summary),
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
