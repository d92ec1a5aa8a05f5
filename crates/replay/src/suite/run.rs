//! One run of the runner, from its start to its end.

use super::cast::Cast;
use super::onward::Onward;
use super::overheard::{Listener, Overheard};
use super::policy::{Called, SuitePolicy};
use super::{Missed, News, Voice};
use crate::connections::into_stream;
use crate::oracle::Accounts;
use crate::player::Player;
use crate::routes::Routes;
use crate::shelf::Shelf;
use crate::stage::Stage;
use crate::theatre::words;
use crate::wall::Wall;
use crate::{ReplayError, tls};
use rehearsal_capture::{Mode, Notice, Way, begin};
use rehearsal_model::{Ledger, Role, Settings};
use rehearsal_proxy::{Clock, ConnectionId};
use rehearsal_store::cache::Loaded;
use rehearsal_store::scrub::Scrubber;
use rehearsal_supervise::{Ending, Program, spawn};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long what the runner left behind may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// How long connections may take to end after it.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// What becomes of a call that no mock answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMiss {
    /// It gets its protocol's error.
    Fail,
    /// The real dependency answers it.
    Real,
    /// The real dependency answers it, and the answer is kept.
    Record,
}

/// What is to be run.
pub struct Suite {
    /// Its mocks.
    pub recording: Loaded,
    /// The runner.
    pub program: Program,
    /// The settings of the project.
    pub settings: Settings,
    /// What replaces secrets.
    pub scrubber: Arc<Scrubber>,
    /// How connections reach us.
    pub way: Way,
    /// The folder in which tests leave their names.
    pub tests: PathBuf,
    /// What becomes of a call that no mock answers.
    pub on_miss: OnMiss,
}

/// What came of a run.
#[derive(Debug)]
pub struct Played {
    /// How the runner ended.
    pub ending: Ending,
    /// Calls that no mock answered.
    pub missed: Vec<Missed>,
    /// What is to be added to the recording.
    pub news: News,
    /// Every connection.
    pub ledger: Ledger,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// Runs a test runner with mocks until it ends. Dropping the future ends it.
///
/// # Errors
/// When the recording cannot be replayed or the runner not be started.
pub async fn play(suite: Suite) -> Result<Played, ReplayError> {
    let Suite { recording, mut program, settings, scrubber, way, tests, on_miss } = suite;
    let at = recording.manifest.at;
    let clock = Clock::start();
    let (wall, why_not) = Wall::new(settings.clock, &way, at);
    at.into_iter().for_each(|at| wall.show(at));
    let accounts = Arc::new(Accounts::default());
    why_not.into_iter().for_each(|why| accounts.warn(why));
    let shelf = Arc::new(Shelf::of_no_test(recording, &settings)?);
    let rules = shelf.rules(None, false)?.with_times(wall.times_at_first(&shelf).anywhere());
    let stage = Arc::new(Stage::new(Arc::clone(&shelf), rules.clone()));
    let routes = Arc::new(Routes::new(&shelf, &settings.edges));
    let speaks = shelf.edges.iter().any(|it| it.role == Role::Outbound && it.tls.is_spoken());
    let laid = speaks.then(|| tls::prepare(&mut program, wall.time(at))).transpose();
    let (tls, files) = match laid {
        Ok(laid) => laid.unzip(),
        Err(error) => {
            accounts.warn(format!("TLS cannot be played: failed to {error}"));
            (None, None)
        }
    };
    let next = AtomicU64::new(u64::MAX / 2);
    let onward = Onward { shelf: Arc::clone(&shelf), clock, on_miss, next };
    let cast = Arc::new(Cast::new(Arc::clone(&stage), rules, on_miss, onward));
    let player = Player {
        stage: Arc::clone(&stage),
        routes: Arc::clone(&routes),
        scrubber: Arc::clone(&scrubber),
        accounts: Arc::clone(&accounts),
        clock,
        next: Arc::default(),
        tls,
        words: words(&program),
        voice: None,
    };
    let (news, of_cast) = (Arc::clone(&cast.news), Arc::clone(&cast));
    let listener = Listener { news, scrubber, accounts: Arc::clone(&accounts), clock };
    let connections = Connections { player, listener, cast: of_cast };
    let (notices_tx, notices_rx) = mpsc::unbounded_channel();
    let mut serving = tokio::spawn(connections.serve(notices_rx));
    let files = files.filter(|_| settings.trust_files).unwrap_or_default();
    let (of_cast, name_server) = (Arc::clone(&cast), settings.name_server);
    let policy = SuitePolicy { cast: of_cast, stage, routes, clock, tests, name_server, files };
    let here = Handle::current();
    let runtime = (notices_tx, &here);
    let (app, held) =
        begin(&way, Mode::Replay, Arc::new(policy), runtime, wall.clock(), async |birth| {
            program.remove.extend(birth.remove);
            spawn(&program, birth.hook).await.map_err(ReplayError::from)
        })
        .await?;
    let ending = app.first_ended().await;
    app.stop(GRACE).await;
    drop(held);
    if timeout(LAST_BYTES, &mut serving).await.is_err() {
        serving.abort();
        let _ = serving.await;
    }
    let mut warnings = accounts.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone();
    warnings.extend(shelf.damage());
    let ledger =
        std::mem::take(&mut *accounts.ledger.lock().unwrap_or_else(PoisonError::into_inner));
    let news = std::mem::take(&mut *cast.news.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Played { ending, missed: cast.take_missed(), news, ledger, warnings })
}

/// Every connection of the runner.
struct Connections {
    player: Player,
    listener: Listener,
    cast: Arc<Cast>,
}

impl Connections {
    /// Until nothing can come any more and every connection is over.
    async fn serve(self, mut notices: mpsc::UnboundedReceiver<Notice>) {
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Some(notice) => self.take(notice, &mut tasks),
                    None => break,
                },
                Some(_) = tasks.join_next() => {}
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    fn take(&self, notice: Notice, tasks: &mut JoinSet<()>) {
        match notice {
            Notice::Outbound { ticket, stream, to, name } => {
                let client = match into_stream(stream) {
                    Ok(client) => client,
                    // The runner sees its connection end.
                    Err(error) => {
                        return self.player.accounts.warn(format!("take a connection: {error}"));
                    }
                };
                let ticket = match ticket.downcast::<Called>() {
                    Ok(called) => {
                        let Called { edge, caller } = *called;
                        let host = tls::host(&to, name.as_deref());
                        let voice = Some(Voice { cast: Arc::clone(&self.cast), caller });
                        let player = Player { voice, ..self.player.clone() };
                        tasks.spawn(player.play(edge, host, client));
                        return;
                    }
                    Err(ticket) => ticket,
                };
                match ticket.downcast::<Overheard>() {
                    Ok(overheard) => {
                        let id = self.player.next.fetch_add(1, Ordering::Relaxed);
                        let listener = self.listener.clone();
                        tasks.spawn(listener.listen(*overheard, ConnectionId(id), client));
                    }
                    Err(_) => client.reset(),
                }
            }
            Notice::Passed { to, why } => self.player.accounts.apart(&to, "passed through", why),
            Notice::Refused { to, why, .. } => self.player.accounts.apart(&to, "refused", why),
            Notice::NameService { to, why } => self.player.accounts.apart(&to, "turned away", why),
            Notice::Inner { to } => {
                self.player.accounts.apart(&to, "passed through", "the app called itself")
            }
            Notice::Trouble(text) => self.player.accounts.warn(text),
            Notice::Inbound { stream, .. } => drop(stream),
            Notice::Listening { .. } | Notice::Closed { .. } | Notice::Ended => {}
        }
    }
}
