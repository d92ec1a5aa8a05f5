//! Joins the events of shards into those that one run would have told.
//!
//! Nothing is read or written here.

use crate::error::CliError;
use rehearsal_model::{Ledger, RunEvent, Shard, Summary, TestId};
use std::collections::BTreeMap;

/// The events of one run, with what they are called in messages.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) name: String,
    pub(crate) events: Vec<RunEvent>,
}

/// What a run says of itself at its beginning.
struct Head<'a> {
    name: &'a str,
    fingerprint: &'a str,
    shard: Option<Shard>,
}

impl Results {
    fn head(&self) -> Result<Head<'_>, CliError> {
        let wrong = |problem: &str| Err(wrong(format!("{}: {problem}", self.name)));
        match (self.events.first(), self.events.last()) {
            (
                Some(RunEvent::RunStarted { fingerprint, shard, .. }),
                Some(RunEvent::RunFinished { .. }),
            ) => Ok(Head { name: &self.name, fingerprint, shard: *shard }),
            (Some(RunEvent::RunStarted { .. }), _) => {
                wrong("the run was ended before it was over; run that shard again")
            }
            _ => wrong("these are not the events of a run; `test --format json` writes them"),
        }
    }
}

fn wrong(problem: String) -> CliError {
    CliError::Wrong(format!("merge {problem}"))
}

/// The events of the whole.
///
/// # Errors
/// When the parts do not make a whole: by which of them.
pub(crate) fn merge(mut runs: Vec<Results>) -> Result<Vec<RunEvent>, CliError> {
    check(&runs)?;
    runs.sort_by_key(|run| run.head().ok().and_then(|head| head.shard).map(|shard| shard.index));
    let mut whole = Whole::default();
    for event in runs.into_iter().flat_map(|run| run.events) {
        whole.take(event);
    }
    Ok(whole.events())
}

fn check(runs: &[Results]) -> Result<(), CliError> {
    let heads = runs.iter().map(Results::head).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = heads.first() else {
        return Err(wrong("nothing: name files of events".to_owned()));
    };
    if let Some(other) = heads.iter().find(|head| head.fingerprint != first.fingerprint) {
        let (one, other) = (first.name, other.name);
        return Err(wrong(format!(
            "{other}: it is of other recordings, or of other tests of them, than {one}"
        )));
    }
    let Some(Shard { of, .. }) = first.shard.or_else(|| heads.iter().find_map(|head| head.shard))
    else {
        return match heads.as_slice() {
            [_] => Ok(()),
            [_, second, ..] => Err(wrong(format!(
                "{}: it is a whole run as {} is; only shards (`test --shard`) can be joined",
                second.name, first.name
            ))),
            [] => Ok(()),
        };
    };
    let mut found: BTreeMap<usize, &str> = BTreeMap::new();
    for Head { name, shard, .. } in &heads {
        let Some(shard) = shard else {
            return Err(wrong(format!("{name}: it is a whole run, and the others are shards")));
        };
        if shard.of != of {
            let Shard { index, of: other } = shard;
            return Err(wrong(format!(
                "{name}: it is shard {index} of {other}, and {} is one of {of}",
                first.name
            )));
        }
        if let Some(known) = found.insert(shard.index, name) {
            let index = shard.index;
            return Err(wrong(format!(
                "{name}: shard {index} of {of} is there twice, in {known} too"
            )));
        }
    }
    match (1..=of).find(|index| !found.contains_key(index)) {
        Some(index) => {
            Err(wrong(format!("{} of {of} shards: shard {index} of {of} is missing", found.len())))
        }
        None => Ok(()),
    }
}

/// What is known of one recording.
#[derive(Default)]
struct Part {
    command: Option<Vec<String>>,
    tests: usize,
    ready: Option<f64>,
    /// The events of each test.
    of_tests: BTreeMap<TestId, Vec<RunEvent>>,
    retried: BTreeMap<TestId, RunEvent>,
    /// Warnings and the like, without those that were said before.
    notes: Vec<RunEvent>,
    /// Of each edge: how many times were measured, and what is told of them.
    times: BTreeMap<String, (u64, RunEvent)>,
    ledger: Option<Ledger>,
}

/// The whole so far.
#[derive(Default)]
struct Whole {
    began: Option<RunEvent>,
    /// By recording, in the order in which they are told of.
    parts: Vec<(String, Part)>,
    notes: Vec<RunEvent>,
    reruns: Vec<RunEvent>,
    summary: Summary,
}

impl Whole {
    fn part(&mut self, recording: &str) -> &mut Part {
        let place = self.parts.iter().position(|(name, _)| name == recording);
        let place = place.unwrap_or_else(|| {
            self.parts.push((recording.to_owned(), Part::default()));
            self.parts.len() - 1
        });
        &mut self.parts[place].1
    }

    fn take(&mut self, event: RunEvent) {
        match &event {
            RunEvent::RunStarted { .. } => self.begin(event),
            RunEvent::RecordingStarted { recording, command, tests } => {
                let part = self.part(recording);
                part.tests += tests;
                part.command = Some(command.clone());
            }
            RunEvent::AppReady { recording, took_ms } => {
                self.part(recording).ready.get_or_insert(*took_ms);
            }
            RunEvent::TestStarted { recording, number, .. }
            | RunEvent::Bindings { recording, number, .. }
            | RunEvent::AppExited { recording, during: Some(number), .. }
            | RunEvent::TestFinished { recording, number, .. } => {
                let number = *number;
                self.part(&recording.clone()).of_tests.entry(number).or_default().push(event);
            }
            RunEvent::Retried { recording, number, .. } => {
                let number = *number;
                self.part(&recording.clone()).retried.insert(number, event);
            }
            RunEvent::TestRerun { .. } => self.reruns.push(event),
            RunEvent::Warning { recording: None, .. } => note(&mut self.notes, event),
            RunEvent::Warning { recording: Some(recording), .. }
            | RunEvent::SchemaMoved { recording, .. }
            | RunEvent::AppExited { recording, during: None, .. } => {
                note(&mut self.part(&recording.clone()).notes, event);
            }
            RunEvent::EdgeLatency { recording, .. } => {
                self.part(&recording.clone()).time(event);
            }
            RunEvent::RecordingFinished { recording, ledger } => {
                let sum = self.part(recording).ledger.get_or_insert_default();
                ledger.lines.iter().for_each(|line| sum.add(line.clone()));
            }
            RunEvent::RunFinished { summary } => self.add(summary),
        }
    }

    fn begin(&mut self, mut event: RunEvent) {
        let RunEvent::RunStarted { tests, recordings, shard, .. } = &mut event else { return };
        *shard = None;
        for recording in recordings.iter() {
            self.part(recording);
        }
        if let Some(RunEvent::RunStarted { tests: sum, .. }) = &mut self.began {
            *sum += *tests;
        } else {
            self.began = Some(event);
        }
    }

    /// The parts ran side by side, so that the whole took as long as the longest.
    fn add(&mut self, part: &Summary) {
        let whole = &mut self.summary;
        whole.passed += part.passed;
        whole.failed += part.failed;
        whole.flaky += part.flaky;
        whole.quarantined += part.quarantined;
        whole.not_run += part.not_run;
        whole.took_ms = whole.took_ms.max(part.took_ms);
        if whole.aborted.is_none() {
            whole.aborted.clone_from(&part.aborted);
        }
    }

    fn events(mut self) -> Vec<RunEvent> {
        let mut events: Vec<RunEvent> = self.began.take().into_iter().collect();
        let order: Vec<String> = self.parts.iter().map(|(name, _)| name.clone()).collect();
        for (recording, part) in self.parts {
            part.tell(recording, &mut events);
        }
        self.reruns.sort_by_key(|event| match event {
            RunEvent::TestRerun { recording, number, attempt, .. } => {
                (*attempt, order.iter().position(|name| name == recording), *number)
            }
            _ => (0, None, TestId(0)),
        });
        events.extend(self.reruns);
        events.extend(self.notes);
        events.push(RunEvent::RunFinished { summary: self.summary });
        events
    }
}

impl Part {
    /// Middles of parts make no middle of the whole: that of the part with the most times stands for it.
    fn time(&mut self, event: RunEvent) {
        let RunEvent::EdgeLatency { edge, measured, .. } = &event else { return };
        let (edge, calls) = (edge.clone(), measured.map_or(0, |measured| measured.calls));
        let known = self.times.entry(edge).or_insert_with(|| (calls, event.clone()));
        if calls > known.0 {
            *known = (calls, event);
        }
    }

    fn tell(self, recording: String, events: &mut Vec<RunEvent>) {
        let Part { command, tests, ready, of_tests, retried, notes, times, ledger } = self;
        let name = || recording.clone();
        events.extend(command.map(|command| RunEvent::RecordingStarted {
            recording: name(),
            command,
            tests,
        }));
        events.extend(ready.map(|took_ms| RunEvent::AppReady { recording: name(), took_ms }));
        events.extend(of_tests.into_values().flatten());
        events.extend(retried.into_values());
        events.extend(notes);
        events.extend(times.into_values().map(|(_, event)| event));
        events
            .extend(ledger.map(|ledger| RunEvent::RecordingFinished { recording: name(), ledger }));
    }
}

fn note(notes: &mut Vec<RunEvent>, event: RunEvent) {
    if !notes.contains(&event) {
        notes.push(event);
    }
}
