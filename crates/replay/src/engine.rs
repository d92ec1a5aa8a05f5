//! A run of `test`: one recording after the other, one test after the other.

use crate::connections::Connections;
use crate::doors::Doors;
use crate::drive::Driver;
use crate::oracle::Accounts;
use crate::policy::ReplayPolicy;
use crate::routes::Routes;
use crate::secrets::Secrets;
use crate::shelf::Shelf;
use crate::stage::Stage;
use crate::verdict::{Trial, judge};
use crate::{ReplayError, ReplayOptions, Selected};
use rehearsal_capture::{Held, Mode, begin};
use rehearsal_model::{EdgeName, Finding, Ledger, Outcome, RunEvent, Summary, TestId};
use rehearsal_proxy::Clock;
use rehearsal_supervise::{App, Program, Tail, spawn};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the app may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// How long connections may take to end after the app.
const LAST_BYTES: Duration = Duration::from_secs(1);

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
    tell(RunEvent::RunStarted {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        tests: selected.iter().map(|selected| selected.tests.len()).sum(),
        recordings: selected.iter().map(|selected| selected.recording.name.clone()).collect(),
    });
    let mut run = Run { options, tell, summary: Summary::default() };
    let mut failure = None;
    for selected in selected {
        if run.is_over() {
            run.skip(&selected, 0);
        } else if let Err(error) = run.recording(selected).await {
            run.summary.aborted = Some(error.to_string());
            failure = Some(error);
        }
    }
    let mut summary = run.summary;
    summary.took_ms = milliseconds(began);
    tell(RunEvent::RunFinished { summary: summary.clone() });
    failure.map_or(Ok(summary), Err)
}

struct Run<'a> {
    options: &'a ReplayOptions,
    tell: &'a mut (dyn FnMut(RunEvent) + Send),
    summary: Summary,
}

/// The app with all that surrounds it.
struct Theatre {
    app: App,
    tail: Tail,
    stage: Arc<Stage>,
    driver: Driver,
    doors: Arc<Doors>,
    accounts: Arc<Accounts>,
    serving: JoinHandle<()>,
    capture: Held,
}

impl Run<'_> {
    fn is_over(&self) -> bool {
        let failed = self.options.fail_fast && self.summary.failed > 0;
        failed || self.summary.aborted.is_some()
    }

    /// Tells that tests were not run.
    fn skip(&mut self, selected: &Selected, from: usize) {
        for (id, file) in selected.tests.iter().zip(&selected.files).skip(from) {
            self.summary.not_run += 1;
            let name = name(&selected.recording, *id);
            self.finished(&selected.recording.name, *id, name, file, Outcome::NotRun, 0.0, vec![]);
        }
    }

    async fn recording(&mut self, mut selected: Selected) -> Result<(), ReplayError> {
        let name = selected.recording.name.clone();
        (self.tell)(RunEvent::RecordingStarted {
            recording: name.clone(),
            command: selected
                .program
                .words
                .iter()
                .map(|word| word.to_string_lossy().into())
                .collect(),
            tests: selected.tests.len(),
        });
        let recording = std::mem::take(&mut selected.recording);
        let shelf = Arc::new(Shelf::new(recording, &self.options.settings)?);
        selected.recording.name = name;
        let began = Instant::now();
        let mut running = self.start(&shelf, &selected.program).await?;
        let ready = self.ready(&running, &shelf, &selected.tests).await;
        if let Err(error) = ready {
            running.end().await;
            return Err(error);
        }
        let took_ms = milliseconds(began);
        (self.tell)(RunEvent::AppReady { recording: selected.recording.name.clone(), took_ms });
        let result = self.tests(&mut running, &shelf, &selected).await;
        let (ledger, warnings) = running.end().await;
        let recording = selected.recording.name;
        for message in warnings {
            (self.tell)(RunEvent::Warning { recording: Some(recording.clone()), message });
        }
        (self.tell)(RunEvent::RecordingFinished { recording, ledger });
        result
    }

    async fn start(&self, shelf: &Arc<Shelf>, program: &Program) -> Result<Theatre, ReplayError> {
        let clock = Clock::start();
        let stage = Arc::new(Stage::new(Arc::clone(shelf), shelf.rules(TestId(0))?));
        let routes = Arc::new(Routes::new(shelf, &self.options.settings.edges));
        let (doors, accounts) = (Arc::new(Doors::default()), Arc::new(Accounts::default()));
        let (notices_tx, notices_rx) = mpsc::unbounded_channel();
        let connections = Connections {
            stage: Arc::clone(&stage),
            routes: Arc::clone(&routes),
            doors: Arc::clone(&doors),
            scrubber: Arc::clone(&self.options.scrubber),
            accounts: Arc::clone(&accounts),
            clock,
            next: 0,
        };
        let serving = tokio::spawn(connections.serve(notices_rx));
        let policy = ReplayPolicy { stage: Arc::clone(&stage), routes, clock };
        let policy = Arc::new(policy);
        let (app, capture) =
            begin(&self.options.way, Mode::Replay, policy, notices_tx, async |hook| {
                spawn(program, hook).await.map_err(ReplayError::from)
            })
            .await?;
        let driver = Driver::new(Arc::clone(shelf), Arc::clone(&doors), clock);
        let tail = app.tail();
        Ok(Theatre { app, tail, stage, driver, doors, accounts, serving, capture })
    }

    /// Waits until the app listens wherever the tests call it.
    async fn ready(
        &self,
        running: &Theatre,
        shelf: &Shelf,
        tests: &[TestId],
    ) -> Result<(), ReplayError> {
        let mut edges: Vec<EdgeName> = Vec::new();
        for test in tests.iter().filter_map(|id| shelf.test(*id)) {
            if !edges.contains(&test.edge) {
                edges.push(test.edge.clone());
            }
        }
        let limit = self.options.settings.start_timeout;
        let reachable = timeout(limit, running.doors.reachable(shelf, &edges));
        tokio::select! {
            reachable = reachable => reachable.map_err(|_| ReplayError::NotListening {
                wanted: edges.iter().map(EdgeName::as_str).collect::<Vec<_>>().join(", "),
                limit,
                output: running.tail.lines(),
            }),
            ending = running.app.ended() => Err(ReplayError::EndedEarly {
                how: ending.to_string(),
                output: running.tail.lines(),
            }),
        }
    }

    async fn tests(
        &mut self,
        running: &mut Theatre,
        shelf: &Arc<Shelf>,
        selected: &Selected,
    ) -> Result<(), ReplayError> {
        let recording = &selected.recording.name;
        let mut secrets = Secrets::default();
        for (place, (id, file)) in selected.tests.iter().zip(&selected.files).enumerate() {
            if self.is_over() {
                self.skip_rest(shelf, selected, place);
                return Ok(());
            }
            let Some(test) = shelf.test(*id) else { continue };
            let name = test.name.clone();
            (self.tell)(RunEvent::TestStarted {
                recording: recording.clone(),
                number: *id,
                name: name.clone(),
            });
            let began = Instant::now();
            let trial = Trial {
                test,
                shelf,
                stage: &running.stage,
                rules: shelf.rules(*id)?,
                limit: self.options.settings.timeout,
                scrubber: &self.options.scrubber,
            };
            let ended = running.app.ended();
            let mut findings = judge(trial, &mut running.driver, &mut secrets, ended).await;
            let died = running.app.has_ended();
            if let Some(ending) = died {
                let how = ending.to_string();
                findings.retain(|finding| !matches!(finding, Finding::NoAnswer { .. }));
                findings.insert(0, Finding::AppExited { how: how.clone() });
                self.summary.aborted = Some(format!("the app ended with {how}"));
                (self.tell)(RunEvent::AppExited {
                    recording: recording.clone(),
                    how,
                    during: Some(*id),
                    output: running.tail.lines(),
                });
            }
            let outcome = if findings.is_empty() { Outcome::Passed } else { Outcome::Failed };
            match outcome {
                Outcome::Passed => self.summary.passed += 1,
                _ => self.summary.failed += 1,
            }
            self.finished(recording, *id, name, file, outcome, milliseconds(began), findings);
        }
        Ok(())
    }

    fn skip_rest(&mut self, shelf: &Shelf, selected: &Selected, from: usize) {
        for (id, file) in selected.tests.iter().zip(&selected.files).skip(from) {
            self.summary.not_run += 1;
            let name = shelf.test(*id).map_or_else(String::new, |test| test.name.clone());
            let recording = &selected.recording.name;
            self.finished(recording, *id, name, file, Outcome::NotRun, 0.0, Vec::new());
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are the fields of one event")]
    fn finished(
        &mut self,
        recording: &str,
        number: TestId,
        name: String,
        file: &str,
        outcome: Outcome,
        took_ms: f64,
        findings: Vec<Finding>,
    ) {
        (self.tell)(RunEvent::TestFinished {
            recording: recording.to_owned(),
            number,
            name,
            file: file.to_owned(),
            outcome,
            took_ms,
            findings,
        });
    }
}

impl Theatre {
    /// Ends the app and waits for its connections.
    async fn end(self) -> (Ledger, Vec<String>) {
        drop(self.driver);
        self.app.stop(GRACE).await;
        drop(self.capture);
        let mut serving = self.serving;
        if timeout(LAST_BYTES, &mut serving).await.is_err() {
            serving.abort();
            let _ = serving.await;
        }
        let take = |error: PoisonError<_>| PoisonError::into_inner(error);
        let ledger = std::mem::take(&mut *self.accounts.ledger.lock().unwrap_or_else(take));
        let warnings = self.accounts.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        (ledger, warnings.clone())
    }
}

fn name(recording: &rehearsal_model::Recording, id: TestId) -> String {
    let test = recording.tests.iter().find(|test| test.id == id);
    test.map_or_else(String::new, |test| test.name.clone())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
