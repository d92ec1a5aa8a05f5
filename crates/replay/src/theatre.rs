//! One copy of the app with all that surrounds it: its mocks, its clock, its doors, whoever calls it.
//!
//! A copy is started, plays one test after the other, and is ended. Which tests it plays, and what
//! their verdicts are worth, is decided elsewhere. Copies share what [`House`] holds and nothing more.

use crate::connections::Connections;
use crate::doors::Doors;
use crate::drive::Driver;
use crate::evidence::Over;
use crate::oracle::Accounts;
use crate::player::Player;
use crate::policy::ReplayPolicy;
use crate::routes::Routes;
use crate::scene::Scene;
use crate::secrets::Secrets;
use crate::shelf::Shelf;
use crate::stage::Stage;
use crate::verdict::{Judged, Progress, Trial, judge};
use crate::wall::Wall;
use crate::witness::Witness;
use crate::{ReplayError, ReplayOptions, Selected, tls};
use rehearsal_capture::{Held, InPlace, Mode, begin};
use rehearsal_model::{
    Binding, CallName, EdgeName, Evidence, Finding, Outcome, Overlap, Role, TestCase, TestId,
    Timestamp,
};
use rehearsal_proxy::Clock;
use rehearsal_supervise::{App, Ending, Program, Tail, spawn};
use rehearsal_tls::Played;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
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
/// The variable that tells a copy of the app its number, from 1.
const WORKER: &str = "REHEARSAL_WORKER";

/// What all copies of the app share in the run of one recording.
pub(crate) struct House {
    pub(crate) name: String,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) options: Arc<ReplayOptions>,
    program: Program,
    /// All tests that are asked for, in recorded order.
    pub(crate) tests: Vec<TestId>,
    /// Where each of them is in that order.
    places: HashMap<TestId, usize>,
    /// When the first of them was recorded: what the app does first, it does at that time.
    first: Option<Timestamp>,
    /// Which test was found to depend on which other.
    pub(crate) known: BTreeMap<TestId, TestId>,
    /// The inbound edges that they call.
    called: Vec<EdgeName>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) witness: Arc<Witness>,
    clock: Clock,
}

/// Which copy is to be started.
pub(crate) struct Copy {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// Its own folder for temporary files, when there are other copies beside it.
    pub(crate) folder: Option<PathBuf>,
}

impl Copy {
    /// The only copy there is at its time.
    pub(crate) fn alone() -> Self {
        Copy { number: 1, folder: None }
    }
}

/// See the module.
pub(crate) struct Theatre {
    house: Arc<House>,
    app: App,
    tail: Tail,
    stage: Arc<Stage>,
    /// Clients that wait for a test; there is one at least.
    drivers: Mutex<Vec<Driver>>,
    wall: Wall,
    doors: Arc<Doors>,
    secrets: Mutex<Secrets>,
    serving: JoinHandle<()>,
    capture: Held,
}

/// What came of one test.
#[derive(Debug)]
pub(crate) struct Performed {
    pub(crate) took_ms: f64,
    pub(crate) calls: Vec<CallName>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) evidence: Evidence,
    /// How the app ended, when it did.
    pub(crate) death: Option<Death>,
}

/// The end of an app that was needed still.
#[derive(Debug)]
pub(crate) struct Death {
    pub(crate) how: String,
    /// The last lines that it wrote.
    pub(crate) output: Vec<String>,
}

impl Performed {
    pub(crate) fn outcome(&self) -> Outcome {
        if self.findings.is_empty() { Outcome::Passed } else { Outcome::Failed }
    }

    pub(crate) fn passed(&self) -> bool {
        self.findings.is_empty()
    }

    fn died(&mut self, ending: Ending, output: Vec<String>) {
        let how = ending.to_string();
        self.findings.retain(|finding| !matches!(finding, Finding::NoAnswer { .. }));
        self.findings.insert(0, Finding::AppExited { how: how.clone() });
        self.death = Some(Death { how, output });
    }
}

/// The texts that an app is given, by its environment and its command: its passwords are among them.
pub(crate) fn words(program: &Program) -> Arc<[String]> {
    let own = std::env::vars_os();
    let variables = program.env.iter().cloned().chain(own).map(|(_, value)| value);
    let words = program.words.iter().cloned().chain(variables);
    words.filter_map(|word| word.into_string().ok()).collect()
}

impl House {
    /// What a recording needs to be replayed.
    ///
    /// # Errors
    /// When it cannot be.
    pub(crate) fn new(
        selected: Selected,
        options: &Arc<ReplayOptions>,
    ) -> Result<Arc<Self>, ReplayError> {
        let Selected { name, recording, tests, program, known, .. } = selected;
        let first = tests.first().and_then(|id| recording.head(*id)).map(|head| head.at);
        let shelf = Arc::new(Shelf::new(recording, &options.settings)?);
        let mut called: Vec<EdgeName> = Vec::new();
        for edge in tests.iter().filter_map(|id| shelf.tested_edge(*id)) {
            if !called.contains(edge) {
                called.push(edge.clone());
            }
        }
        let (accounts, clock) = (Arc::new(Accounts::default()), Clock::start());
        let witness = Arc::new(Witness::new(Arc::clone(&shelf), Arc::clone(&accounts), clock));
        let options = Arc::clone(options);
        let places = tests.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        Ok(Arc::new(House {
            name,
            shelf,
            options,
            program,
            tests,
            places,
            first,
            known,
            called,
            accounts,
            witness,
            clock,
        }))
    }

    /// Where a test is in recorded order.
    pub(crate) fn place(&self, id: TestId) -> usize {
        self.places.get(&id).copied().unwrap_or(usize::MAX)
    }

    /// Some of its tests as they are played, in recorded order.
    pub(crate) fn scenes(&self, tests: &[TestId]) -> Vec<Scene> {
        match self.options.settings.overlap {
            Overlap::None => Scene::each(tests),
            Overlap::Recorded => Scene::overlapping(tests, |id| self.shelf.during(id)),
        }
    }

    fn program(&self, copy: Copy) -> Program {
        let mut program = self.program.clone();
        program.env.push((WORKER.into(), copy.number.to_string().into()));
        if let Some(folder) = copy.folder {
            program.env.push(("TMPDIR".into(), folder.clone().into()));
            program.remove.push(folder);
        }
        program
    }

    /// Tells a program whom to trust, and makes what plays servers that speak TLS, where there are any:
    /// a key takes longer to be read than most recordings to be replayed.
    fn tls(&self, program: &mut Program, wall: &Wall) -> (Option<Arc<Played>>, Vec<InPlace>) {
        let spoken =
            |edge: &crate::shelf::ShelfEdge| edge.role == Role::Outbound && edge.tls.is_spoken();
        if !self.shelf.edges.iter().any(spoken) {
            return (None, Vec::new());
        }
        match tls::prepare(program, wall.time(self.first)) {
            Ok((played, files)) => {
                let files = Some(files).filter(|_| self.options.settings.trust_files);
                (Some(played), files.unwrap_or_default())
            }
            Err(error) => {
                self.accounts.warn(format!("TLS cannot be played: failed to {error}"));
                (None, Vec::new())
            }
        }
    }

    /// Starts a copy of the app and waits until it can be called.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) async fn open(self: &Arc<Self>, copy: Copy) -> Result<Theatre, ReplayError> {
        let theatre = self.start(copy).await?;
        match theatre.ready().await {
            Ok(()) => Ok(theatre),
            Err(error) => {
                theatre.close().await;
                Err(error)
            }
        }
    }

    async fn start(self: &Arc<Self>, copy: Copy) -> Result<Theatre, ReplayError> {
        let House { shelf, options, accounts, witness, clock, first, .. } = &**self;
        let routes = Arc::new(Routes::new(shelf, &options.settings.edges));
        let doors = Arc::new(Doors::default());
        let (notices_tx, notices_rx) = mpsc::unbounded_channel();
        let (wall, why_not) = Wall::new(options.settings.clock, &options.way, *first);
        let rules = shelf.rules(None, options.strict)?.with_times(wall.times_at_first(shelf));
        let stage = Arc::new(Stage::new(Arc::clone(shelf), rules).going_on(options.go_on));
        why_not.into_iter().for_each(|why| accounts.warn(why));
        first.iter().for_each(|time| wall.show(*time));
        let mut program = self.program(copy);
        let (tls, files) = self.tls(&mut program, &wall);
        let player = Player {
            stage: Arc::clone(&stage),
            routes: Arc::clone(&routes),
            scrubber: Arc::clone(&options.scrubber),
            accounts: Arc::clone(accounts),
            clock: *clock,
            next: Arc::default(),
            tls,
            words: words(&program),
            voice: None,
        };
        let connections =
            Connections { player, doors: Arc::clone(&doors), witness: Arc::clone(witness) };
        let serving = tokio::spawn(connections.serve(notices_rx));
        let policy = Arc::new(ReplayPolicy {
            stage: Arc::clone(&stage),
            routes,
            clock: *clock,
            witness: Arc::clone(witness),
            files,
        });
        let (app, capture) = begin(
            &options.way,
            Mode::Replay,
            policy,
            (notices_tx, &Handle::current()),
            wall.clock(),
            async |birth| {
                program.remove.extend(birth.remove);
                spawn(&program, birth.hook).await.map_err(ReplayError::from)
            },
        )
        .await?;
        stage.watch(app.pulse());
        let callers = tls::callers(shelf, &options.settings.edges)?;
        let driver = Driver::new(Arc::clone(shelf), Arc::clone(&doors), *clock, Arc::new(callers));
        let (house, tail, secrets) = (Arc::clone(self), app.tail(), Mutex::default());
        let drivers = Mutex::new(vec![driver]);
        Ok(Theatre { house, app, tail, stage, drivers, wall, doors, secrets, serving, capture })
    }
}

impl Theatre {
    /// Waits until the app listens wherever the tests call it, and a little longer until it does so
    /// at as many addresses as when recorded: its own services call one another.
    async fn ready(&self) -> Result<(), ReplayError> {
        let House { shelf, options, accounts, called, .. } = &*self.house;
        let limit = options.settings.start_timeout;
        let doors = &self.doors;
        let reachable = async {
            timeout(limit, doors.reachable(shelf, called)).await?;
            if timeout(SIBLINGS, doors.at_least(shelf.listens())).await.is_err() {
                accounts.warn(format!(
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
                wanted: called.iter().map(EdgeName::as_str).collect::<Vec<_>>().join(", "),
                limit,
                output: self.tail.lines(),
            }),
            ending = self.app.ended() => Err(ReplayError::EndedEarly {
                how: ending.to_string(),
                output: self.tail.lines(),
            }),
        }
    }

    /// Plays tests that belong together, in recorded order: one, or several that overlap. An app that ended
    /// during it plays no other.
    ///
    /// # Errors
    /// When a test cannot be read.
    pub(crate) async fn perform(
        &mut self,
        scene: &Scene,
    ) -> Result<Vec<(TestId, Performed)>, ReplayError> {
        let shelf = &self.house.shelf;
        let tests = scene.0.iter().map(|(id, _)| shelf.test(*id).map(Arc::new));
        let tests = tests.collect::<Result<Vec<_>, _>>()?;
        if let Some(first) = tests.first() {
            self.wall.begin(first.at);
        }
        let play =
            |place: usize, progress| self.play(Arc::clone(&tests[place]), progress, place > 0);
        let performed = scene.play(play).await;
        let mut performed: Vec<(TestId, Performed)> =
            performed.into_iter().collect::<Result<_, _>>()?;
        for (finding, suspects) in self.stage.take_strays() {
            give(&mut performed, &finding, &suspects);
        }
        Ok(performed)
    }

    async fn play(
        &self,
        test: Arc<TestCase>,
        progress: Arc<Progress>,
        beside: bool,
    ) -> Result<(TestId, Performed), ReplayError> {
        let House { shelf, options, .. } = &*self.house;
        let id = test.id;
        let calls = shelf.calls(&test);
        let log = self.tail.mark();
        let began = Instant::now();
        let trial = Trial {
            rules: shelf
                .rules(Some(&test), options.strict)?
                .with_times(self.wall.times(&test, shelf)),
            test: Arc::clone(&test),
            shelf,
            stage: &self.stage,
            limit: options.settings.timeout,
            scrubber: &options.scrubber,
            progress: &progress,
            beside,
        };
        let ended = self.app.ended();
        let mut driver = self.driver();
        let Judged { findings, answer } = judge(trial, &mut driver, &self.secrets, ended).await;
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner).push(driver);
        let bindings = self.stage.bindings();
        let ending = ending_of(&self.app, &findings).await;
        let took_ms = milliseconds(began);
        let seen = self.stage.seen(id);
        let over = Over { test: &test, shelf, seen, answer, findings: &findings };
        let (log, log_lines) = self.tail.since(log, over.log_lines());
        let log = self.stage.scrub_lines(&options.scrubber, log);
        let evidence = over.evidence((log, log_lines));
        let mut performed = Performed { took_ms, calls, findings, bindings, evidence, death: None };
        if let Some(ending) = ending {
            let lines = self.stage.scrub_lines(&options.scrubber, self.tail.lines());
            performed.died(ending, lines);
        }
        self.stage.leave(id);
        Ok((id, performed))
    }

    /// A client that has no test.
    fn driver(&self) -> Driver {
        let mut drivers = self.drivers.lock().unwrap_or_else(PoisonError::into_inner);
        match &drivers[..] {
            [one] => {
                let another = one.another();
                std::mem::replace(&mut drivers[0], another)
            }
            _ => drivers.swap_remove(0),
        }
    }

    /// Ends the app and waits for its connections.
    pub(crate) async fn close(self) {
        drop(self.drivers);
        self.app.stop(GRACE).await;
        drop(self.capture);
        let mut serving = self.serving;
        if timeout(LAST_BYTES, &mut serving).await.is_err() {
            serving.abort();
            let _ = serving.await;
        }
    }
}

/// Gives what was found of one of several tests to those of them that fail anyway, and else to all of them:
/// what a wrong call leads to is a wrong answer, mostly.
fn give(performed: &mut [(TestId, Performed)], finding: &Finding, suspects: &[TestId]) {
    let is_suspect = |id: &TestId| suspects.contains(id);
    let one_fails = performed.iter().any(|(id, it)| is_suspect(id) && !it.passed());
    for (id, performed) in performed {
        if is_suspect(id) && !(one_fails && performed.passed()) {
            performed.findings.insert(0, finding.clone());
        }
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

pub(crate) fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
