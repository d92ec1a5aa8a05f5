//! A run of `test`: one recording after the other, one test after the other.

use crate::connections::Connections;
use crate::doors::Doors;
use crate::drive::Driver;
use crate::oracle::Accounts;
use crate::player::Player;
use crate::policy::ReplayPolicy;
use crate::routes::Routes;
use crate::secrets::Secrets;
use crate::shelf::Shelf;
use crate::stage::Stage;
use crate::verdict::{Trial, judge};
use crate::wall::Wall;
use crate::witness::Witness;
use crate::{ReplayError, ReplayOptions, Selected, tls};
use rehearsal_capture::{Held, Mode, begin};
use rehearsal_model::{
    Binding, CallName, EdgeName, Finding, Ledger, Outcome, Role, RunEvent, Summary, TestId,
    Timestamp,
};
use rehearsal_proxy::Clock;
use rehearsal_supervise::{App, Ending, Program, Tail, spawn};
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// How long the app may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// How long connections may take to end after the app.
const LAST_BYTES: Duration = Duration::from_secs(1);
/// How much longer the services may take that the tests do not call themselves: long enough for one
/// that starts beside the others on a busy machine, short enough for one that is not there any more.
const SIBLINGS: Duration = Duration::from_secs(5);
/// How long after a broken connection the end of the app may become known.
const LATE_NEWS: Duration = Duration::from_millis(500);

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
        recordings: selected.iter().map(|selected| selected.name.clone()).collect(),
    });
    let mut run = Run { options, tell, summary: Summary::default() };
    let mut failure = None;
    for selected in selected {
        let mut left = Run::names(&selected);
        if !run.is_over()
            && let Err(error) = run.recording(selected, &mut left).await
        {
            run.summary.aborted = Some(error.to_string());
            failure = Some(error);
        }
        run.skip(left);
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

/// The texts that an app is given, by its environment and its command: its passwords are among them.
fn words(program: &Program) -> Arc<[String]> {
    let own = std::env::vars_os();
    let variables = program.env.iter().cloned().chain(own).map(|(_, value)| value);
    let words = program.words.iter().cloned().chain(variables);
    words.filter_map(|word| word.into_string().ok()).collect()
}

/// The app with all that surrounds it.
struct Theatre {
    app: App,
    tail: Tail,
    stage: Arc<Stage>,
    driver: Driver,
    wall: Wall,
    doors: Arc<Doors>,
    accounts: Arc<Accounts>,
    witness: Arc<Witness>,
    serving: JoinHandle<()>,
    capture: Held,
}

impl Run<'_> {
    fn is_over(&self) -> bool {
        let failed = self.options.fail_fast && self.summary.failed > 0;
        failed || self.summary.aborted.is_some()
    }

    /// What is to be told of each test of a recording.
    fn names(selected: &Selected) -> VecDeque<Told> {
        let told = |(id, file): (&TestId, &String)| {
            let head = selected.recording.head(*id);
            Told {
                recording: selected.name.clone(),
                number: *id,
                name: head.map_or_else(String::new, |head| head.name.clone()),
                file: file.clone(),
            }
        };
        selected.tests.iter().zip(&selected.files).map(told).collect()
    }

    /// Tells that tests were not run.
    fn skip(&mut self, left: VecDeque<Told>) {
        for told in left {
            self.summary.not_run += 1;
            (self.tell)(told.finished(Outcome::NotRun, 0.0, Vec::new(), Vec::new()));
        }
    }

    /// Runs the tests of a recording. Those that have their verdict are taken off `left`.
    async fn recording(
        &mut self,
        selected: Selected,
        left: &mut VecDeque<Told>,
    ) -> Result<(), ReplayError> {
        let name = selected.name.clone();
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
        // What the app does first, it does at the time of the first test.
        let first = selected.tests.first().and_then(|id| selected.recording.head(*id));
        let first = first.map(|head| head.at);
        let all = selected.recording.tests.len() == selected.tests.len();
        let shelf = Arc::new(Shelf::new(selected.recording, &self.options.settings)?);
        let began = Instant::now();
        let mut running = self.start(&shelf, &selected.program, first).await?;
        let ready = self.ready(&running, &shelf, &selected.tests).await;
        if let Err(error) = ready {
            running.end().await;
            return Err(error);
        }
        let took_ms = milliseconds(began);
        (self.tell)(RunEvent::AppReady { recording: name.clone(), took_ms });
        let result = self.tests(&mut running, &shelf, left).await;
        let witness = Arc::clone(&running.witness);
        let (ledger, mut warnings) = running.end().await;
        warnings.extend(shelf.damage());
        let recording = name;
        for (edge, columns) in witness.moved(all && left.is_empty()) {
            (self.tell)(RunEvent::SchemaMoved { recording: recording.clone(), edge, columns });
        }
        for message in warnings {
            (self.tell)(RunEvent::Warning { recording: Some(recording.clone()), message });
        }
        (self.tell)(RunEvent::RecordingFinished { recording, ledger });
        result
    }

    async fn start(
        &self,
        shelf: &Arc<Shelf>,
        program: &Program,
        first: Option<Timestamp>,
    ) -> Result<Theatre, ReplayError> {
        let clock = Clock::start();
        let routes = Arc::new(Routes::new(shelf, &self.options.settings.edges));
        let (doors, accounts) = (Arc::new(Doors::default()), Arc::new(Accounts::default()));
        let (notices_tx, notices_rx) = mpsc::unbounded_channel();
        let (wall, why_not) = Wall::new(self.options.settings.clock, &self.options.way, first);
        let rules = shelf.rules(None, self.options.strict)?.with_times(wall.times_at_first(shelf));
        let stage = Arc::new(Stage::new(Arc::clone(shelf), rules));
        why_not.into_iter().for_each(|why| accounts.warn(why));
        first.into_iter().for_each(|time| wall.show(time));
        let mut program = program.clone();
        // A key takes longer to be read than most recordings to be replayed.
        let speaks_tls =
            shelf.edges.iter().any(|edge| edge.role == Role::Outbound && edge.tls.is_spoken());
        let (tls, files) =
            match speaks_tls.then(|| tls::prepare(&mut program, wall.time(first))).transpose() {
                Ok(tls) => tls.unzip(),
                Err(error) => {
                    accounts.warn(format!("TLS cannot be played: failed to {error}"));
                    (None, None)
                }
            };
        let files = files.filter(|_| self.options.settings.trust_files).unwrap_or_default();
        let player = Player {
            stage: Arc::clone(&stage),
            routes: Arc::clone(&routes),
            scrubber: Arc::clone(&self.options.scrubber),
            accounts: Arc::clone(&accounts),
            clock,
            next: Arc::default(),
            tls,
            words: words(&program),
        };
        let (of, to) = (Arc::clone(shelf), Arc::clone(&accounts));
        let witness = Arc::new(Witness::new(of, to, clock));
        let connections =
            Connections { player, doors: Arc::clone(&doors), witness: Arc::clone(&witness) };
        let serving = tokio::spawn(connections.serve(notices_rx));
        let policy = ReplayPolicy {
            stage: Arc::clone(&stage),
            routes,
            clock,
            witness: Arc::clone(&witness),
            files,
        };
        let policy = Arc::new(policy);
        let (app, capture) = begin(
            &self.options.way,
            Mode::Replay,
            policy,
            (notices_tx, &Handle::current()),
            wall.clock(),
            async |hook| spawn(&program, hook).await.map_err(ReplayError::from),
        )
        .await?;
        let callers = tls::callers(shelf, &self.options.settings.edges)?;
        let driver = Driver::new(Arc::clone(shelf), Arc::clone(&doors), clock, callers);
        let tail = app.tail();
        Ok(Theatre { app, tail, stage, driver, wall, doors, accounts, witness, serving, capture })
    }

    /// Waits until the app listens wherever the tests call it, and a little longer until it does so
    /// at as many addresses as when recorded: its own services call one another.
    async fn ready(
        &self,
        running: &Theatre,
        shelf: &Shelf,
        tests: &[TestId],
    ) -> Result<(), ReplayError> {
        let mut edges: Vec<EdgeName> = Vec::new();
        for edge in tests.iter().filter_map(|id| shelf.tested_edge(*id)) {
            if !edges.contains(edge) {
                edges.push(edge.clone());
            }
        }
        let limit = self.options.settings.start_timeout;
        let doors = &running.doors;
        let reachable = async {
            timeout(limit, doors.reachable(shelf, &edges)).await?;
            if timeout(SIBLINGS, doors.at_least(shelf.listens())).await.is_err() {
                running.accounts.warn(format!(
                    "the app opened fewer addresses than the {} that it listened on when it was \
                     recorded, and the tests waited for the others in vain; record again, or take \
                     what is gone out of `listens` in recording.yaml",
                    shelf.listens()
                ));
            }
            Ok(())
        };
        tokio::select! {
            reachable = reachable => reachable.map_err(|_: Elapsed| ReplayError::NotListening {
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
        left: &mut VecDeque<Told>,
    ) -> Result<(), ReplayError> {
        let mut secrets = Secrets::default();
        while let Some(told) = left.front().filter(|_| !self.is_over()) {
            let test = Arc::new(shelf.test(told.number)?);
            (self.tell)(RunEvent::TestStarted {
                recording: told.recording.clone(),
                number: told.number,
                name: told.name.clone(),
            });
            let calls = shelf.calls(&test);
            running.wall.show(test.at);
            let began = Instant::now();
            let trial = Trial {
                rules: shelf
                    .rules(Some(&test), self.options.strict)?
                    .with_times(running.wall.times(&test, shelf)),
                test,
                shelf,
                stage: &running.stage,
                limit: self.options.settings.timeout,
                scrubber: &self.options.scrubber,
            };
            let ended = running.app.ended();
            let mut findings = judge(trial, &mut running.driver, &mut secrets, ended).await;
            self.explain(told, running.stage.bindings());
            if let Some(ending) = ending_of(&running.app, &findings).await {
                self.app_died(told, ending, running.tail.lines(), &mut findings);
            }
            let outcome = if findings.is_empty() { Outcome::Passed } else { Outcome::Failed };
            match outcome {
                Outcome::Passed => self.summary.passed += 1,
                Outcome::Failed | Outcome::NotRun => self.summary.failed += 1,
            }
            (self.tell)(told.finished(outcome, milliseconds(began), calls, findings));
            left.pop_front();
        }
        Ok(())
    }

    /// Tells what was bound in a test, if that is asked for.
    fn explain(&mut self, told: &Told, bindings: Vec<Binding>) {
        if self.options.explain {
            let (recording, number) = (told.recording.clone(), told.number);
            (self.tell)(RunEvent::Bindings { recording, number, bindings });
        }
    }

    fn app_died(
        &mut self,
        told: &Told,
        ending: Ending,
        output: Vec<String>,
        findings: &mut Vec<Finding>,
    ) {
        let how = ending.to_string();
        findings.retain(|finding| !matches!(finding, Finding::NoAnswer { .. }));
        findings.insert(0, Finding::AppExited { how: how.clone() });
        self.summary.aborted = Some(format!("the app ended with {how}"));
        (self.tell)(RunEvent::AppExited {
            recording: told.recording.clone(),
            how,
            during: Some(told.number),
            output,
        });
    }
}

/// How the app ended, if it has. A connection that breaks may be the first sign of the app's death,
/// so after one the news of it is given a moment to come.
async fn ending_of(app: &App, findings: &[Finding]) -> Option<Ending> {
    if findings.iter().any(|finding| matches!(finding, Finding::NoAnswer { .. })) {
        let _ = timeout(LATE_NEWS, app.ended()).await;
    }
    app.has_ended()
}

/// What is told of a test whatever becomes of it.
#[derive(Clone)]
struct Told {
    recording: String,
    number: TestId,
    name: String,
    file: String,
}

impl Told {
    fn finished(
        &self,
        outcome: Outcome,
        took_ms: f64,
        calls: Vec<CallName>,
        findings: Vec<Finding>,
    ) -> RunEvent {
        let Told { recording, number, name, file } = self.clone();
        RunEvent::TestFinished { recording, number, name, file, outcome, took_ms, calls, findings }
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

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
