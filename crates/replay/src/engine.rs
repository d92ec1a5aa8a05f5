//! A run of `test`: one recording after the other, each on one copy of the app or on several.
//!
//! What counts is the verdict that a test has in recorded order on a copy of its own. Copies side by side
//! find out faster which tests pass; those that do not are tried again in that way before anything is
//! told of them.

use crate::crew::{Crew, News, Part};
use crate::pace;
use crate::plan::{Plan, plans, print};
use crate::retry::{self, Suspect};
use crate::roll::{Roll, Tell};
use crate::theatre::{Copy, House, Performed, milliseconds};
use crate::{ReplayError, ReplayOptions, Selected};
use rehearsal_model::{Edge, Latency, Overlap, RunEvent, Summary, TestId};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;

/// Runs the selected tests and tells what happens. Dropping the future ends the app.
///
/// # Errors
/// When a recording cannot be replayed or the app does not come up; what happened until then has
/// been told.
pub async fn replay(
    selected: Vec<Selected>,
    options: &ReplayOptions,
    tell: &mut (dyn FnMut(RunEvent) + Send),
) -> Result<Summary, ReplayError> {
    let began = Instant::now();
    let plans = plans(&selected, options)?;
    tell(RunEvent::RunStarted {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        tests: plans.iter().map(|plan| plan.own.len()).sum(),
        recordings: selected.iter().map(|selected| selected.name.clone()).collect(),
        fingerprint: print(&selected),
        shard: options.spread.shard,
    });
    let options = Arc::new(options.clone());
    let mut run = Run { options, tell, summary: Summary::default() };
    let mut failure = None;
    let played = selected.into_iter().zip(plans).filter(|(_, plan)| !plan.own.is_empty());
    for (selected, plan) in played {
        let mut roll = Roll::new(&selected, &plan.own, &run.options);
        if !roll.is_over(&run.summary)
            && let Err(error) = run.recording(selected, plan, &mut roll).await
        {
            run.summary.aborted = Some(error.to_string());
            failure = Some(error);
        }
        roll.skip(&mut run.summary, run.tell);
    }
    let mut summary = run.summary;
    summary.took_ms = milliseconds(began);
    tell(RunEvent::RunFinished { summary: summary.clone() });
    failure.map_or(Ok(summary), Err)
}

struct Run<'a> {
    options: Arc<ReplayOptions>,
    tell: &'a mut Tell<'a>,
    summary: Summary,
}

/// The run of one recording.
struct Playing<'r, 'a> {
    house: Arc<House>,
    roll: &'r mut Roll,
    summary: &'r mut Summary,
    tell: &'r mut Tell<'a>,
    began: Instant,
    /// Whether it was told that the app can be called.
    ready: bool,
}

impl Run<'_> {
    /// Runs the tests of a recording. Those that have their verdict are told of.
    async fn recording(
        &mut self,
        selected: Selected,
        plan: Plan,
        roll: &mut Roll,
    ) -> Result<(), ReplayError> {
        let words = selected.program.words.iter();
        (self.tell)(RunEvent::RecordingStarted {
            recording: selected.name.clone(),
            command: words.map(|word| word.to_string_lossy().into()).collect(),
            tests: plan.own.len(),
        });
        let all = selected.recording.tests.len() == plan.own.len();
        let house = House::new(selected, &self.options)?;
        let mut playing = Playing {
            house: Arc::clone(&house),
            roll,
            summary: &mut self.summary,
            tell: self.tell,
            began: Instant::now(),
            ready: false,
        };
        let result = playing.play(&plan.parts).await;
        if !playing.ready {
            return result;
        }
        let whole = all && roll.is_done();
        if let Some(hint) = overlap_hint(&house, roll.failed()) {
            house.accounts.warn(hint);
        }
        let own = roll.own();
        self.account(&house, whole, own);
        result
    }

    /// Tells what is to be told of a recording when all of its tests are over.
    fn account(&mut self, house: &House, whole: bool, own: Option<Latency>) {
        let recording = house.name.clone();
        for (edge, columns) in house.witness.moved(whole) {
            (self.tell)(RunEvent::SchemaMoved { recording: recording.clone(), edge, columns });
        }
        let take = |error: PoisonError<_>| PoisonError::into_inner(error);
        let mut warnings = house.accounts.warnings.lock().unwrap_or_else(take).clone();
        warnings.extend(house.shelf.damage());
        for message in warnings {
            (self.tell)(RunEvent::Warning { recording: Some(recording.clone()), message });
        }
        let real = |edge: &Edge| {
            house.shelf.is_real(&edge.name).then(|| house.witness.latency(&edge.name))
        };
        pace::told(&recording, house.shelf.recorded_edges(), real, own)
            .into_iter()
            .for_each(&mut self.tell);
        let ledger = house.accounts.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let ledger = ledger.clone();
        (self.tell)(RunEvent::RecordingFinished { recording, ledger });
    }
}

impl Playing<'_, '_> {
    async fn play(&mut self, parts: &[Part]) -> Result<(), ReplayError> {
        let suspects = match parts {
            [] => Vec::new(),
            parts => self.side_by_side(parts).await?,
        };
        let over = self.roll.is_over(self.summary);
        let passed = match over || self.roll.is_complete() {
            true => Vec::new(),
            false => self.in_recorded_order(&suspects).await?,
        };
        let suspects = suspects.into_iter().filter(|suspect| passed.contains(&suspect.id));
        retry::explain(&self.house, parts, suspects.collect(), self.tell).await;
        Ok(())
    }

    fn ready(&mut self) {
        if !std::mem::replace(&mut self.ready, true) {
            let (recording, took_ms) = (self.house.name.clone(), milliseconds(self.began));
            (self.tell)(RunEvent::AppReady { recording, took_ms });
        }
    }

    /// Plays the parts on copies side by side. What passes has its verdict; gives what does not.
    async fn side_by_side(&mut self, parts: &[Part]) -> Result<Vec<Suspect>, ReplayError> {
        let (news_tx, mut news_rx) = mpsc::unbounded_channel();
        let folders = Folders::make(parts.len())?;
        let crew = Crew::start(&self.house, parts, &folders.0, news_tx)?;
        let (mut suspects, mut absent) = (Vec::new(), Vec::new());
        while let Some((part, news)) = news_rx.recv().await {
            match news {
                News::Ready => self.ready(),
                News::NotReady(error) => absent.push((part, error)),
                News::Began(id) => self.roll.began(id, self.tell),
                News::Performed(id, performed) if performed.passed() => {
                    self.roll.settle(id, performed, self.summary, self.tell);
                }
                News::Performed(id, performed) => {
                    suspects.push(Suspect { id, part, performed });
                }
            }
        }
        drop(crew);
        absent.sort_by_key(|(part, _)| *part);
        if absent.len() == parts.len()
            && let Some((_, error)) = absent.drain(..).next()
        {
            return Err(error);
        }
        for (part, error) in absent {
            self.house.accounts.warn(format!(
                "copy {} of the app did not come up beside the others, so that its tests waited for \
                 them to end; if it cannot run twice, test with -j1 (failed to {error})",
                part + 1
            ));
        }
        suspects.sort_by_key(|suspect| self.house.place(suspect.id));
        Ok(suspects)
    }

    /// Plays tests in recorded order on a copy of its own until all have their verdicts. Gives those of
    /// some suspects that passed.
    async fn in_recorded_order(
        &mut self,
        suspects: &[Suspect],
    ) -> Result<Vec<TestId>, ReplayError> {
        let mut passed = Vec::new();
        let mut theatre = self.house.open(Copy::alone()).await?;
        self.ready();
        let mut result = Ok(());
        for scene in self.house.scenes(&self.house.tests) {
            if self.roll.is_complete() || self.roll.is_over(self.summary) {
                break;
            }
            scene.tests().for_each(|id| self.roll.began(id, self.tell));
            match theatre.perform(&scene).await {
                Ok(performed) => {
                    let is_suspect = |id| suspects.iter().any(|suspect| suspect.id == id);
                    let right = performed.iter().filter(|(_, performed)| performed.passed());
                    passed.extend(right.map(|(id, _)| *id).filter(|id| is_suspect(*id)));
                    performed.into_iter().for_each(|(id, performed)| self.settle(id, performed));
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        theatre.close().await;
        result.map(|()| passed)
    }

    /// Notes what came of a test that was played in recorded order.
    fn settle(&mut self, id: TestId, performed: Performed) {
        let death = performed.death.as_ref().map(|death| (death.how.clone(), death.output.clone()));
        let told = self.roll.settle(id, performed, self.summary, self.tell);
        if let Some((how, output)) = death.filter(|_| !told) {
            // It ended during a test that is none of this run's, or that passed elsewhere.
            self.summary.aborted = Some(format!("the app ended with {how}"));
            let recording = self.house.name.clone();
            (self.tell)(RunEvent::AppExited { recording, how, during: Some(id), output });
        }
    }
}

/// What to try where tests failed that overlapped others when they were recorded, and were played alone.
fn overlap_hint(house: &House, failed: &[TestId]) -> Option<String> {
    if failed.is_empty() || house.options.settings.overlap == Overlap::Recorded {
        return None;
    }
    let overlapped = house.shelf.overlapped();
    let those: Vec<u32> =
        failed.iter().filter(|id| overlapped.contains(id)).map(|id| id.0).collect();
    let what = match those[..] {
        [] => return None,
        [one] => format!("test {one}, which failed, overlapped others when it was recorded"),
        [one, ..] => format!(
            "{} tests that failed overlapped others when they were recorded, such as test {one}",
            those.len()
        ),
    };
    Some(format!("{what}; --overlap recorded sends such requests beside one another again"))
}

/// The folders for the temporary files of copies, where there are several. Their guards remove them, also
/// when we are killed; those of copies that did not come up go with this.
struct Folders(Vec<Option<PathBuf>>);

impl Folders {
    fn make(copies: usize) -> Result<Self, ReplayError> {
        let mut folders = Folders(Vec::new());
        for copy in 1..=copies {
            if copies < 2 {
                folders.0.push(None);
                continue;
            }
            let folder =
                std::env::temp_dir().join(format!("rehearsal-{}-{copy}", std::process::id()));
            std::fs::create_dir_all(&folder).map_err(|error| {
                ReplayError::Internal(format!("make {}: {error}", folder.display()))
            })?;
            folders.0.push(Some(folder));
        }
        Ok(folders)
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in self.0.iter().flatten() {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
