//! A run as text for people: quiet about what passes, thorough about what fails.

use crate::chain::chain;
use crate::escape::{clip, visible};
use crate::finding::all_findings;
use crate::page::{Page, Style};
use crate::proposals::Proposals;
use crate::table::{Column, draw};
use crate::triage;
use crate::words::{command, count, duration, retried, schema_moved, seconds, size};
use crate::workflow;
use crate::{Look, Report};
use rehearsal_model::{
    Binding, Change, Difference, Finding, Ledger, Outcome, RunEvent, Shard, Summary, TestId, Value,
};
use std::io::{self, Write};
use std::time::Instant;

/// How many of the failed tests are named at the end.
const MAX_FAILED: usize = 20;

/// How many tests are named that were tried again.
const MAX_RETRIED: usize = 5;

/// Tests after which a time left can be told.
const FEW: usize = 5;

/// How many paths are proposed as noise.
const MAX_SUSPECTS: usize = 3;

pub(crate) struct Human {
    out: Box<dyn Write + Send>,
    look: Look,
    /// How many characters the line of progress has at present.
    progress: usize,
    /// The tests of the present recording and how many of them are done.
    tests: usize,
    done: usize,
    began: bool,
    /// Whether a block of several lines was the last that was written.
    after_block: bool,
    failed: Vec<(String, TestId, String)>,
    /// Paths of the first test that has any that might be noise.
    suspects: Vec<String>,
    proposals: Proposals,
    /// When the tests of the present recording began.
    since: Instant,
    /// How many tests of the present recording were tried again.
    retried: usize,
}

impl Human {
    pub(crate) fn new(out: Box<dyn Write + Send>, look: Look) -> Self {
        Human {
            out,
            look,
            progress: 0,
            tests: 0,
            done: 0,
            began: false,
            after_block: false,
            failed: Vec::new(),
            suspects: Vec::new(),
            proposals: Proposals::default(),
            since: Instant::now(),
            retried: 0,
        }
    }

    fn page(&self) -> Page {
        Page::new(self.look.color, self.look.width)
    }

    fn write(&mut self, page: Page) -> io::Result<()> {
        let text = page.finish();
        if text.is_empty() {
            return Ok(());
        }
        self.clear()?;
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Removes the line of progress with nothing but spaces, which every terminal understands.
    fn clear(&mut self) -> io::Result<()> {
        if self.progress > 0 {
            write!(self.out, "\r{:width$}\r", "", width = self.progress)?;
            self.progress = 0;
        }
        Ok(())
    }

    fn progress(&mut self, text: &str) -> io::Result<()> {
        if !self.look.live {
            return Ok(());
        }
        self.clear()?;
        let text = visible(text);
        let text = clip(&text, self.look.width.saturating_sub(1));
        self.progress = text.chars().count();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// A run that ends before its last event leaves no half a line behind.
impl Drop for Human {
    fn drop(&mut self) {
        let _ = self.clear().and_then(|()| self.out.flush());
    }
}

impl Report for Human {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        let mut page = self.page();
        match event {
            RunEvent::RunStarted { shard, .. } => {
                let Some(Shard { index, of }) = shard else { return Ok(()) };
                page.put(Style::Dim, &format!("shard {index} of {of}")).end();
                self.began = true;
            }
            RunEvent::RecordingStarted { recording, command: words, tests } => {
                (self.tests, self.done) = (*tests, 0);
                if std::mem::replace(&mut self.began, true) {
                    page.end();
                }
                page.put(Style::Bold, recording);
                let rest = format!(" · {} · {}", count(*tests, "test"), command(words));
                page.rest(Style::Plain, &rest).end();
                self.write(page)?;
                return self.progress("  starting the app …");
            }
            RunEvent::AppReady { took_ms, .. } => {
                self.since = Instant::now();
                let ready = format!("app ready in {}", duration(*took_ms));
                page.to(2).put(Style::Dim, &ready).end();
            }
            RunEvent::TestStarted { number, name, .. } => {
                let (test, left) = (self.done + 1, self.left());
                let text = format!("  {test}/{}{left} · {} · {name}", self.tests, number.0);
                return self.progress(&text);
            }
            RunEvent::Bindings { number, bindings, .. } => {
                for Binding { recorded, live, at } in bindings {
                    let text =
                        format!("test {}: {live} stands for {recorded}, from {at}", number.0);
                    page.to(2).put(Style::Dim, &text).end();
                }
            }
            RunEvent::TestFinished { .. } => self.finished(&mut page, event),
            RunEvent::TestRerun { recording, number, name, attempt, outcome, .. } => {
                self.part(&mut page);
                let good = *outcome == Outcome::Passed;
                let (style, mark) = if good { (Style::Note, "~ ") } else { (Style::Bad, "✗ ") };
                let told = triage::rerun(*attempt, *outcome);
                page.to(2).put(style, mark).put(Style::Plain, &number.0.to_string());
                page.put(Style::Dim, " · ").put(Style::Bold, name);
                page.put(Style::Dim, &format!(" · {told}")).end();
                if good {
                    self.failed.retain(|(of, id, _)| (of, id) != (recording, number));
                }
            }
            RunEvent::AppExited { how, during, output, .. } => {
                self.after_block = true;
                exited(&mut page, how, *during, output);
            }
            RunEvent::Warning { message, .. } => {
                self.part(&mut page);
                page.to(2).put(Style::Note, "! ").put(Style::Plain, message).end();
            }
            RunEvent::Retried { .. } => self.retried(&mut page, event),
            RunEvent::SchemaMoved { edge, columns, .. } => {
                self.part(&mut page);
                let told = schema_moved(edge, columns);
                page.to(2).put(Style::Note, "! ").put(Style::Plain, &told).end();
            }
            RunEvent::RecordingFinished { ledger, .. } => {
                self.rest_of_retried(&mut page);
                self.ledger(&mut page, ledger);
            }
            RunEvent::EdgeLatency { .. } => {}
            RunEvent::RunFinished { summary } => self.summary(&mut page, summary),
        }
        self.write(page)
    }
}

impl Human {
    fn finished(&mut self, page: &mut Page, event: &RunEvent) {
        let RunEvent::TestFinished {
            recording,
            number,
            name,
            file,
            outcome,
            took_ms,
            calls,
            findings,
            triage,
            ..
        } = event
        else {
            return;
        };
        self.done += 1;
        let line = |page: &mut Page, style, mark: &str, took: &str| {
            page.to(2).put(style, mark).space(1).put(Style::Plain, &number.0.to_string());
            page.put(Style::Dim, " · ").put(Style::Bold, name).put(Style::Dim, took).end();
        };
        let took = format!(" · {}", duration(*took_ms));
        if *outcome != Outcome::Failed && self.look.verbose {
            self.part(page);
        }
        match outcome {
            Outcome::Passed if self.look.verbose => line(page, Style::Good, "✓", &took),
            Outcome::NotRun if self.look.verbose => line(page, Style::Dim, "○", " · not run"),
            Outcome::Passed | Outcome::NotRun => {}
            Outcome::Failed => {
                self.after_block = true;
                page.end();
                self.in_github(page, event, true);
                line(page, Style::Bad, "✗", &took);
                page.to(4).put(Style::Dim, file).end();
                chain(page, 4, calls, findings);
                self.proposals.take(event);
                all_findings(page, 4, findings, self.look.verbose);
                for (label, text) in triage.iter().flat_map(|triage| triage::lines(triage)) {
                    page.to(4).put(Style::Dim, &format!("{label}: ")).rest(Style::Dim, &text).end();
                }
                self.in_github(page, event, false);
                if !triage.as_ref().is_some_and(|triage| triage.is_excused()) {
                    self.failed.push((recording.clone(), *number, name.clone()));
                }
                if self.suspects.is_empty() {
                    self.suspects = suspects(findings);
                }
            }
        }
    }

    fn retried(&mut self, page: &mut Page, event: &RunEvent) {
        self.retried += 1;
        if self.retried <= MAX_RETRIED || self.look.verbose {
            self.part(page);
            page.to(2).put(Style::Note, "! ").put(Style::Plain, &retried(event)).end();
        }
    }

    /// Counts those that were not named.
    fn rest_of_retried(&mut self, page: &mut Page) {
        let rest = std::mem::take(&mut self.retried).saturating_sub(MAX_RETRIED);
        if rest > 0 && !self.look.verbose {
            let text = format!(
                "{} more failed out of order and passed in recorded order; --verbose names them",
                count(rest, "test")
            );
            page.to(2).put(Style::Note, "! ").put(Style::Plain, &text).end();
        }
    }

    /// How long the rest of the recording will take, when that can be said and is worth it.
    fn left(&self) -> String {
        let taken = self.since.elapsed().as_secs_f64();
        let left = self.tests.saturating_sub(self.done) as f64 * taken / self.done.max(1) as f64;
        match self.done >= FEW && left >= 2.0 {
            true => format!(" · {} left", seconds(left.round() * 1000.0)),
            false => String::new(),
        }
    }

    /// Makes the block of a failed test a group of the log that folds, and what failed a remark on its
    /// file, where GitHub reads along.
    fn in_github(&self, page: &mut Page, event: &RunEvent, begins: bool) {
        let RunEvent::TestFinished { number, name, file, findings, .. } = event else { return };
        match (self.look.github, begins) {
            (false, _) => {}
            (true, true) => workflow::group(page, &format!("✗ {} · {name}", number.0)),
            (true, false) => workflow::end(page, file, name, findings),
        }
    }

    /// An empty line after a block.
    fn part(&mut self, page: &mut Page) {
        if std::mem::take(&mut self.after_block) {
            page.end();
        }
    }

    fn ledger(&self, page: &mut Page, ledger: &Ledger) {
        let odd = |treatment: &str| !matches!(treatment, "understood" | "turned away");
        let mut lines: Vec<_> = ledger.lines.iter().collect();
        if !self.look.verbose {
            lines.retain(|line| odd(&line.treatment));
        }
        if lines.is_empty() {
            return;
        }
        page.end().to(2).put(Style::Dim, "connections").end();
        let columns = [
            Column::left("party"),
            Column::left("treatment"),
            Column::right("number"),
            Column::right("sent"),
            Column::right("received"),
            Column::left("why"),
        ];
        let rows: Vec<Vec<String>> = lines
            .iter()
            .map(|line| {
                let why = line.why.clone().unwrap_or_default();
                let (sent, received) = (size(line.bytes_sent), size(line.bytes_received));
                let number = line.connections.to_string();
                vec![line.party.clone(), line.treatment.clone(), number, sent, received, why]
            })
            .collect();
        draw(page, 4, &columns, &rows);
    }

    fn summary(&self, page: &mut Page, summary: &Summary) {
        let Summary { passed, failed, flaky, quarantined, not_run, took_ms, aborted } = summary;
        page.end();
        self.list_failed(page);
        let tests = count(passed + failed + flaky + quarantined + not_run, "test");
        page.put(Style::Bold, &format!("{tests}: "));
        page.put(if *passed > 0 { Style::Good } else { Style::Plain }, &format!("{passed} passed"));
        if *failed > 0 {
            page.put(Style::Plain, ", ").put(Style::Bad, &format!("{failed} failed"));
        }
        for more in triage::extra_counts(*flaky, *quarantined) {
            page.put(Style::Plain, ", ").put(Style::Note, &more);
        }
        if *not_run > 0 {
            page.put(Style::Plain, ", ").put(Style::Note, &format!("{not_run} not run"));
        }
        page.put(Style::Dim, &format!(" in {}", seconds(*took_ms))).end();
        if let Some(reason) = aborted {
            page.put(Style::Bad, "the run was cut short: ").put(Style::Plain, reason).end();
        }
        self.proposals.draw(page);
        let Some((recording, number, _)) = self.failed.first() else { return };
        let show = format!("rehearsal show {recording} {}", number.0);
        page.to(2).put(Style::Dim, "read it as a story:  ").put(Style::Plain, &show).end();
        if !self.suspects.is_empty() {
            let paths: Vec<String> = self.suspects.iter().map(|path| quoted(path)).collect();
            page.to(2).put(Style::Dim, "may differ each run?  in the test's file:  ");
            page.put(Style::Plain, &format!("noise: [{}]", paths.join(", "))).end();
        }
    }

    /// Names the tests that failed, when there are so many that their blocks scrolled away.
    fn list_failed(&self, page: &mut Page) {
        if self.failed.len() < 2 {
            return;
        }
        for (recording, number, name) in self.failed.iter().take(MAX_FAILED) {
            page.put(Style::Bad, "✗ ").put(Style::Plain, recording).put(Style::Dim, " · ");
            page.put(Style::Plain, &number.0.to_string()).put(Style::Dim, " · ");
            page.rest(Style::Plain, name).end();
        }
        if self.failed.len() > MAX_FAILED {
            let more = format!("… and {} more", self.failed.len() - MAX_FAILED);
            page.put(Style::Dim, &more).end();
        }
        page.end();
    }
}

fn exited(page: &mut Page, how: &str, during: Option<TestId>, output: &[String]) {
    page.end().to(2).put(Style::Bad, "! the app ended: ").put(Style::Bold, how);
    if let Some(test) = during {
        page.put(Style::Plain, &format!(" during test {}", test.0));
    }
    page.end();
    if !output.is_empty() {
        page.to(4).put(Style::Dim, "the last it wrote:").end();
    }
    for line in output {
        page.to(4).put(Style::Dim, "│ ").rest(Style::Plain, line).end();
    }
}

/// The first places where another value came that looks as if it were another one each time.
fn suspects(findings: &[Finding]) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for difference in findings.iter().flat_map(values) {
        let invented = match &difference.change {
            Change::Changed { expected, actual } => is_invented(expected) && is_invented(actual),
            _ => false,
        };
        let told = difference.path.starts_with("mocks") || paths.contains(&difference.path);
        if invented && !told && paths.len() < MAX_SUSPECTS {
            paths.push(difference.path.clone());
        }
    }
    paths
}

/// Where the values of a finding differ.
fn values(finding: &Finding) -> &[Difference] {
    match finding {
        Finding::Response { differences } | Finding::CallDiffers { differences, .. } => differences,
        Finding::CallUnexpected { nearest: Some(nearest), .. }
        | Finding::CallMultiplied { nearest: Some(nearest), .. } => &nearest.differences,
        _ => &[],
    }
}

/// Whether a value looks like an identifier, a time or a token rather than like a word or a count.
fn is_invented(value: &Value) -> bool {
    match value {
        Value::Text(text) => {
            (8..200).contains(&text.len())
                && text.bytes().any(|byte| byte.is_ascii_digit())
                && !text.contains(' ')
        }
        Value::Number(number) => number.as_str().len() >= 8,
        _ => false,
    }
}

/// A path as an item of a YAML list.
fn quoted(path: &str) -> String {
    let plain = path.chars().all(|char| char.is_alphanumeric() || "._-/@".contains(char));
    if plain { path.to_owned() } else { format!("'{}'", path.replace('\'', "''")) }
}
