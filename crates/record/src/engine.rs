//! One recording from the start of the app to the files.

use crate::connections::Connections;
use crate::desk::Desk;
use crate::edges::Parties;
use crate::inquirer::{self, Inquirer};
use crate::lanes::Lanes;
use crate::policy::RecordPolicy;
use crate::recorder::{Harvest, Learning, Question, Recorder, Rotation, sorted};
use crate::sink::Message;
use crate::tls::Secured;
use crate::{Ends, Progress, RecordError, RecordOptions, tls};
use rehearsal_capture::{Held, Mode, Notice, begin};
use rehearsal_model::{Edge, EdgeName, EdgeSettings, Ledger, Manifest, Settings, Timestamp};
use rehearsal_proxy::Clock;
use rehearsal_store::Project;
use rehearsal_store::writer::{Finished, Recovered, Writer};
use rehearsal_supervise::{App, Ending, Program, spawn};
use rehearsal_tls::KeyFile;
use rehearsal_wire::Schemas;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

/// How long requests that are under way when the recording ends may take to finish.
const LAST_REQUESTS: Duration = Duration::from_secs(2);
/// How long the app may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How long connections may take to end after the app.
const LAST_BYTES: Duration = Duration::from_secs(2);

/// What was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// What was written: of several recordings the last.
    pub finished: Finished,
    /// Those before it that were closed since they had become too large.
    pub parts: Vec<Finished>,
    /// Everybody that was met.
    pub edges: Vec<Edge>,
    /// How many exchanges each of them had.
    pub exchanges: BTreeMap<EdgeName, u64>,
    /// Dependencies that cannot be replayed, since what they say is encrypted.
    pub hidden: BTreeSet<EdgeName>,
    /// Every connection.
    pub ledger: Ledger,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Exchanges that had not finished and are not in the recording.
    pub unfinished: usize,
    /// The counts.
    pub counts: Progress,
    /// What an earlier recording that was killed had left behind and is now in the files.
    pub recovered: Option<Recovered>,
    /// How the app ended when it ended by itself.
    pub app_ended: Option<Ending>,
}

/// Records an app until `stop` is done, the app ends, or the time that the options give is over.
///
/// # Errors
/// When the app cannot be started or captured, or the recording not be written.
pub async fn record(
    project: &Project,
    options: RecordOptions,
    progress: watch::Sender<Progress>,
    stop: impl Future<Output = ()>,
) -> Result<Recorded, RecordError> {
    let settings = project.settings();
    let scrubber = project.scrubber()?;
    let append = options.append;
    let words = options.program.words.iter();
    let schemas = project.schemas()?;
    let known = Schemas::shared(&schemas).map_err(RecordError::Internal)?;
    let manifest = Manifest {
        schemas,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        command: words.map(|word| scrubber.text(&word.to_string_lossy()).into_owned()).collect(),
        at: options.tests.is_some().then(wall_clock),
        ..Manifest::default()
    };
    let folder = project.recording_folder(&options.name)?;
    let writer = Writer::create(project.root(), folder, manifest.clone(), options.append)?;
    let recovered = writer.recovered();
    let seen = progress.subscribe();
    let clock = Clock::start();
    let theirs = manifest.clone();
    let (ask, questions) = mpsc::unbounded_channel();
    let rotation = rotation(project, &options);
    let session = Session::begin(&settings.edges, known, clock, |parties| {
        // Its own, which this thread has not used.
        let scrubber = scrubber.clone();
        let recorder = Recorder::new(parties, writer, theirs, scrubber, wall_clock(), progress);
        let recorder = recorder.keeping(options.keep.clone());
        let recorder = recorder.rotating(rotation);
        let recorder = match settings.reflection {
            true => recorder.learning(Learning::by(ask, known, settings.max_body)),
            false => recorder,
        };
        if options.tests.is_some() { recorder.of_suite() } else { recorder }
    });
    let (app_ended, unhappy) = match session.run(settings, &options, stop, seen, questions).await {
        Ok(app_ended) => (app_ended, None),
        Err(error) => (None, Some(error)),
    };
    let harvest = session.desk.close(clock.now())?;
    if let Some(error) = unhappy {
        harvest.writer.discard()?;
        return Err(error);
    }
    if harvest.counts.requests == 0 && !append && options.tests.is_none() {
        harvest.writer.discard()?;
        return Err(match app_ended {
            Some(ending) => RecordError::EndedEarly(ending),
            None => nothing_came(harvest.counts.listening.to_vec()),
        });
    }
    let Harvest { ledger, warnings, unfinished, counts, exchanges, hidden, schemas, .. } = harvest;
    let Harvest { writer, edges, mut parts, spare, .. } = harvest;
    let listens = if options.tests.is_some() { Vec::new() } else { sorted(&counts.listening) };
    let manifest = Manifest { edges: edges.clone(), listens, schemas, ..manifest };
    let finish = move || match spare.then(|| parts.pop()).flatten() {
        Some(last) => writer.discard().map(|()| (last, parts)),
        None => writer.finish(manifest).map(|finished| (finished, parts)),
    };
    let (finished, parts) = tokio::task::spawn_blocking(finish)
        .await
        .map_err(|error| RecordError::Internal(error.to_string()))??;
    Ok(Recorded {
        finished,
        parts,
        edges,
        exchanges,
        hidden,
        ledger,
        warnings,
        unfinished,
        counts,
        recovered,
        app_ended,
    })
}

/// How the recording goes on in another one, when it may become too large.
fn rotation(project: &Project, options: &RecordOptions) -> Option<Rotation> {
    let limit = options.rotate?;
    Some(Rotation::new(limit, project.clone(), options.name.clone()))
}

/// The recorder and what leads to it.
struct Session {
    desk: Arc<Desk>,
    parties: Arc<Parties>,
    schemas: Option<&'static Schemas>,
    clock: Clock,
}

impl Session {
    fn begin(
        edges: &[EdgeSettings],
        schemas: Option<&'static Schemas>,
        clock: Clock,
        recorder: impl FnOnce(Arc<Parties>) -> Recorder,
    ) -> Self {
        let parties = Arc::new(Parties::new(edges));
        let desk = Arc::new(Desk::new(recorder(Arc::clone(&parties))));
        Session { desk, parties, schemas, clock }
    }

    /// What carries the connections, and keeps what these noted before it waits.
    fn lanes(&self) -> Result<Lanes, RecordError> {
        let desk = Arc::clone(&self.desk);
        Lanes::open(move || desk.settle()).map_err(|error| RecordError::Internal(error.to_string()))
    }

    /// Runs the app until the recording shall end; tells how the app ended, if it did by itself.
    async fn run(
        &self,
        settings: &Settings,
        options: &RecordOptions,
        stop: impl Future<Output = ()>,
        seen: watch::Receiver<Progress>,
        questions: mpsc::UnboundedReceiver<Question>,
    ) -> Result<Option<Ending>, RecordError> {
        let lanes = self.lanes()?;
        let (notices_tx, notices_rx) = mpsc::unbounded_channel();
        let mut program = options.program.clone();
        let identities = tls::identities(&settings.edges)?;
        let (desk, parties) = (Arc::clone(&self.desk), Arc::clone(&self.parties));
        let inquirer =
            Inquirer { desk, parties, clock: self.clock, identities: identities.clone() };
        lanes.first().spawn(inquirer.work(questions));
        let (tls, files) = match tls::prepare(&mut program, identities) {
            Ok((between, files)) => {
                let between = match &options.keylog {
                    Some(path) => between.with_keys(KeyFile::open(path)?),
                    None => between,
                };
                (Some(Arc::new(between)), files)
            }
            Err(error) => {
                let text = format!("TLS is not read: failed to {error}");
                self.desk.tell(Message::Warning(text));
                (None, Vec::new())
            }
        };
        let files = if settings.trust_files { files } else { Vec::new() };
        let policy = RecordPolicy {
            parties: Arc::clone(&self.parties),
            desk: Arc::clone(&self.desk),
            clock: self.clock,
            name_server: settings.name_server,
            files,
            tests: options.tests.clone(),
        };
        let (app, capture) =
            self.start(policy, options, program, (notices_tx, lanes.first())).await?;
        let (desk, parties) = (Arc::clone(&self.desk), Arc::clone(&self.parties));
        let secured = Secured { parties, desk, between: tls };
        let (max_body, serialize) = (settings.max_body, options.serialize);
        let connections = Connections::new(secured, self.clock, max_body, serialize, lanes.turns())
            .with_schemas(self.schemas);
        let mut carrying = lanes.first().spawn(connections.carry(notices_rx));
        let app_ended = tokio::select! {
            () = stop => None,
            () = ends(options.ends, seen.clone()) => None,
            () = broken(seen.clone()) => None,
            ending = async {
                if options.tests.is_some() { app.first_ended().await } else { app.ended().await }
            } => Some(ending),
        };
        told(seen.clone()).await;
        if app_ended.is_none() {
            self.desk.tell(Message::Closing);
            let quiet = async {
                let mut seen = seen;
                let _ = seen.wait_for(|progress| progress.under_way == 0).await;
            };
            let _ = timeout(LAST_REQUESTS, quiet).await;
            self.desk.tell(Message::Ending);
        }
        app.stop(GRACE).await;
        drop(capture);
        let carried = async {
            let _ = (&mut carrying).await;
            lanes.finish().await;
        };
        let late = timeout(LAST_BYTES, carried).await.is_err();
        // It may be over, and only what it began not yet.
        if late && !carrying.is_finished() {
            carrying.abort();
            let _ = carrying.await;
        }
        Ok(app_ended)
    }

    async fn start(
        &self,
        policy: RecordPolicy,
        options: &RecordOptions,
        mut program: Program,
        captured: (mpsc::UnboundedSender<Notice>, &Handle),
    ) -> Result<(App, Held), RecordError> {
        begin(&options.way, Mode::Record, Arc::new(policy), captured, None, async |birth| {
            program.remove.extend(birth.remove);
            spawn(&program, birth.hook).await.map_err(RecordError::from)
        })
        .await
    }
}

/// Waits until no server is asked any more of what its messages are made: what came since is recorded only
/// then, and the app may be a server that is asked.
async fn told(mut seen: watch::Receiver<Progress>) {
    let _ = timeout(inquirer::LIMIT, seen.wait_for(|progress| !progress.asking)).await;
}

/// Waits until nothing more can be recorded.
async fn broken(mut seen: watch::Receiver<Progress>) {
    let _ = seen.wait_for(|progress| progress.broken).await;
}

/// Waits until the options say that it is time.
async fn ends(ends: Ends, mut seen: watch::Receiver<Progress>) {
    let after = async {
        match ends.after {
            Some(after) => tokio::time::sleep_until(Instant::now() + after).await,
            None => pending().await,
        }
    };
    let idle = async {
        let Some(idle) = ends.idle else { return pending().await };
        let _ = seen.wait_for(|progress| progress.requests > 0).await;
        let mut since = Instant::now();
        loop {
            let last = seen.borrow().answered;
            tokio::time::sleep_until(since + idle).await;
            let shown = seen.borrow();
            match shown.answered {
                another if another != last => since = another.unwrap_or(since),
                _ if shown.under_way > 0 => since = Instant::now(),
                _ => return,
            }
        }
    };
    tokio::select! {
        () = after => {}
        () = idle => {}
    }
}

/// Why there is no test, of an app that listened at these addresses.
fn nothing_came(mut listening: Vec<String>) -> RecordError {
    let some = !listening.is_empty();
    // A Unix socket stays the app's own: who calls there is not seen.
    listening.retain(|address| !address.starts_with("unix:"));
    match (listening.is_empty(), some) {
        (false, _) => RecordError::NothingCame { listening: listening.join(", ") },
        (true, true) => RecordError::OnlyUnix,
        (true, false) => RecordError::NotListening,
    }
}

fn wall_clock() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_sent_to_ports_only() {
        let said = |places: &[&str]| {
            nothing_came(places.iter().map(|&place| place.to_owned()).collect()).to_string()
        };
        assert!(
            said(&["unix:/run/app.sock", "127.0.0.1:8080"]).contains("at 127.0.0.1:8080 while")
        );
        assert!(said(&["unix:/run/app.sock"]).contains("only on Unix sockets"));
        assert!(said(&[]).contains("did not listen anywhere"));
    }
}
