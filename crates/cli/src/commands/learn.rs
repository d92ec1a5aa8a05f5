//! `rehearsal learn`, and what `record` does at its end: replays a recording twice, writes what differs
//! between the two as noise, and lists what differs from the recording in both.
//!
//! What two replays teach is decided in `compare`.

use super::test;
use crate::arguments::Learn;
use crate::error::{CliError, Outcome};
use crate::live::count;
use crate::{app, selection};
use rehearsal_capture::Way;
use rehearsal_compare::learn;
use rehearsal_model::{Change, Difference, Finding, Noise, RunEvent, TestId, Value, json};
use rehearsal_replay::{ReplayOptions, Spread};
use rehearsal_report::{sentence, visible};
use rehearsal_store::Project;
use rehearsal_supervise::Output;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// How often it is replayed twice: an app that was refused a call shows the rest of its noise only when
/// the noise of that call is known.
const ROUNDS: usize = 3;
/// How many places are listed that are otherwise than recorded.
const MOST_LISTED: usize = 5;
/// How much of a value is shown.
const LONGEST: usize = 60;
/// More tests than these are not replayed unasked.
pub(super) const MOST_UNASKED: usize = 1000;

pub(super) fn run(arguments: &Learn, folder: &Path) -> Result<Outcome, CliError> {
    let project = super::record::open(folder)?;
    let known = project.recordings()?;
    if let Some(name) = arguments.recordings.iter().find(|name| !known.contains(name)) {
        return Err(selection::unknown(name, &known));
    }
    let names = if arguments.recordings.is_empty() { &known } else { &arguments.recordings };
    let given = app::given(&arguments.app);
    for name in names {
        let way = arguments.capture.way(project.settings());
        match verify(&project, name, given.as_deref(), way)? {
            Verified::Learned(learned) => super::print(&format!("{name}: {}", learned.text()))?,
            Verified::Not(Stop::Interrupted) => return Ok(Outcome::Interrupted),
            Verified::Not(Stop::Died) => return Ok(Outcome::AppDied),
        }
    }
    Ok(Outcome::Good)
}

/// What came of replaying a recording.
pub(super) enum Verified {
    /// It was replayed to its end each time.
    Learned(Learned),
    /// It was not.
    Not(Stop),
}

/// Why a recording was not replayed to its end.
pub(super) enum Stop {
    /// The user wants it so.
    Interrupted,
    /// The app ended.
    Died,
}

/// What was learned of a recording.
#[derive(Default)]
pub(super) struct Learned {
    tests: usize,
    noise: BTreeMap<TestId, Vec<Noise>>,
    /// What is otherwise than recorded, a line each.
    unstable: Vec<String>,
}

/// What is wrong with each test of a replay.
type Findings = BTreeMap<TestId, Vec<Finding>>;

/// Replays a recording, twice at a time, until there is nothing left to learn.
pub(super) fn verify(
    project: &Project,
    name: &str,
    given: Option<&[OsString]>,
    way: Way,
) -> Result<Verified, CliError> {
    let mut learned = Learned::default();
    for _ in 0..ROUNDS {
        let first = match replay(project, name, given, way.clone())? {
            Ok(findings) => findings,
            Err(stop) => return Ok(Verified::Not(stop)),
        };
        let second = match replay(project, name, given, way.clone())? {
            Ok(findings) => findings,
            Err(stop) => return Ok(Verified::Not(stop)),
        };
        let more = learned.take(&first, &second);
        if more.is_empty() {
            break;
        }
        project.add_noise(name, &more)?;
        for (id, noise) in more {
            learned.noise.entry(id).or_default().extend(noise);
        }
    }
    Ok(Verified::Learned(learned))
}

fn replay(
    project: &Project,
    name: &str,
    given: Option<&[OsString]>,
    way: Way,
) -> Result<Result<Findings, Stop>, CliError> {
    let chosen = selection::choose(project, &[name.to_owned()], &[])?;
    let selected = test::select(project, chosen, given, Output::Keep)?;
    let options = ReplayOptions {
        settings: project.settings().clone(),
        scrubber: Arc::new(project.scrubber()?),
        way,
        strict: false,
        explain: false,
        go_on: false,
        fail_fast: false,
        spread: Spread::default(),
    };
    let mut found = Findings::new();
    let mut tell = |event: RunEvent| {
        if let RunEvent::TestFinished { number, findings, .. } = event {
            found.insert(number, findings);
        }
    };
    Ok(match test::drive(selected, &options, &mut tell)? {
        Outcome::Interrupted => Err(Stop::Interrupted),
        Outcome::AppDied => Err(Stop::Died),
        _ => Ok(found),
    })
}

impl Learned {
    /// What two replays teach beyond what is known; notes what is unstable in them.
    fn take(&mut self, first: &Findings, second: &Findings) -> Vec<(TestId, Vec<Noise>)> {
        self.tests = first.len();
        self.unstable.clear();
        let mut more = Vec::new();
        for (id, one) in first {
            let other = second.get(id).map_or(&[][..], Vec::as_slice);
            let (calls, others): (Vec<_>, Vec<_>) = [one, other].into_iter().map(split).unzip();
            let in_calls = !calls.concat().is_empty();
            let lessons =
                learn(&of_calls_or_answer(one, in_calls), &of_calls_or_answer(other, in_calls));
            for text in others.concat() {
                self.unstable(*id, text);
            }
            for difference in lessons.unstable {
                self.unstable(*id, seen(&difference));
            }
            if !lessons.noise.is_empty() {
                more.push((*id, lessons.noise));
            }
        }
        more
    }

    fn unstable(&mut self, id: TestId, text: String) {
        let line = format!("test {}: {text}", id.0);
        if !self.unstable.contains(&line) {
            self.unstable.push(line);
        }
    }

    /// What was learned, in a few lines.
    pub(super) fn text(&self) -> String {
        let places: usize = self.noise.values().map(Vec::len).sum();
        let mut text = match places {
            0 if self.unstable.is_empty() => {
                format!(
                    "{} replayed twice, the same each time.\n",
                    count(self.tests as u64, "test")
                )
            }
            0 => format!("{} replayed twice.\n", count(self.tests as u64, "test")),
            _ => format!(
                "{} from replay to replay, now noise in {}.\n",
                match places {
                    1 => "1 place differs".to_owned(),
                    places => format!("{places} places differ"),
                },
                count(self.noise.len() as u64, "test"),
            ),
        };
        if !self.unstable.is_empty() {
            text.push_str("Unstable, since it is not as recorded:\n");
        }
        for line in self.unstable.iter().take(MOST_LISTED) {
            let _ = writeln!(text, "  {}", visible(line));
        }
        if self.unstable.len() > MOST_LISTED {
            let more = self.unstable.len() - MOST_LISTED;
            let _ = writeln!(text, "  and {more} more; `rehearsal test` shows them");
        }
        text
    }
}

/// The paths that differ in calls, and what else is wrong but the answer, in words.
fn split(findings: &[Finding]) -> (Vec<String>, Vec<String>) {
    let (mut calls, mut others) = (Vec::new(), Vec::new());
    for finding in findings {
        match finding {
            Finding::Response { .. } => {}
            Finding::CallDiffers { differences, .. } => {
                calls.extend(differences.iter().map(|difference| difference.path.clone()));
            }
            other => others.push(sentence(other)),
        }
    }
    (calls, others)
}

/// What differs in the calls of a test; in its answer only when its calls are as they should be, since an
/// app that is refused a call answers with anything.
fn of_calls_or_answer(findings: &[Finding], in_calls: bool) -> Vec<Difference> {
    let of = |finding: &Finding| match finding {
        Finding::CallDiffers { differences, .. } if in_calls => differences.clone(),
        Finding::Response { differences } if !in_calls => differences.clone(),
        _ => Vec::new(),
    };
    findings.iter().flat_map(of).collect()
}

/// A difference as it was seen in every replay.
fn seen(difference: &Difference) -> String {
    let short = |value: &Value| {
        let text = json::to_string(value);
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    };
    let path = &difference.path;
    match &difference.change {
        Change::Missing { expected } => format!("{path} was {} and is absent", short(expected)),
        Change::Added { actual } => format!("{path} was absent and is {}", short(actual)),
        Change::Changed { expected, actual } | Change::Retyped { expected, actual } => {
            format!("{path} was {} and is {}", short(expected), short(actual))
        }
    }
}
