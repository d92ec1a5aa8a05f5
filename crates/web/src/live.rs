//! Runs that are under way, told to a page as they go: server-sent events (HTML standard, section 9.2).
//!
//! What is sent is what the page would show of it, made by the same code. The events file is looked at
//! again and again, since not every file system tells when a file grows; nothing is kept between two
//! looks but the place in the file.

use crate::flow::Flow;
use crate::pages;
use crate::reply::{Reply, guarded};
use crate::request::Asked;
use crate::runs::{self, Folder, Said, State};
use crate::server::Site;
use bytes::Bytes;
use hyper::{Response, StatusCode};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How often a file is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// After so many looks without anything new, a line says that we are there: who has gone is found so.
const QUIET: usize = 40;
/// Bytes of a run that are read in one look.
const STEP: u64 = 1 << 20;
/// Pieces that wait for a browser.
const WAITING: usize = 4;

/// Whether a request is for something that is told as it goes.
pub(crate) fn is_asked(asked: &Asked) -> bool {
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    matches!(path.as_slice(), ["live"] | ["runs", _, "live"])
}

/// Begins to tell.
pub(crate) fn follow(asked: &Asked, site: &Arc<Site>) -> Response<Flow> {
    let Ok(place) = Arc::clone(&site.followers).try_acquire_owned() else {
        let text = "too many pages follow runs; close some";
        return Reply::refusal(StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    };
    let (tx, rx) = mpsc::channel(WAITING);
    let run = match asked.path.as_slice() {
        [_, run, _] => match site.run(run) {
            Ok(run) => Some(run),
            Err(_) => {
                return Reply::refusal(StatusCode::NOT_FOUND, "there is no such run")
                    .into_response();
            }
        },
        _ => None,
    };
    let from = asked.query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    let runs = site.place.runs.clone();
    tokio::spawn(async move {
        match run {
            Some(run) => tell_run(run, from, tx).await,
            None => tell_runs(runs, tx).await,
        }
        drop(place);
    });
    let mut response = Response::new(Flow::Pieces(rx));
    guarded(&mut response, "text/event-stream", "");
    response
}

/// Tells what is said in a run until it ends or the browser has gone.
async fn tell_run(run: Folder, from: u64, tx: mpsc::Sender<Bytes>) {
    let (mut offset, mut quiet) = (from, 0);
    loop {
        let look = run.clone();
        let looked = spawn_blocking(move || {
            // How it stands is asked first: what it said before it ended is then read.
            let state = look.state();
            (state, look.read(offset, STEP))
        });
        let Ok((state, Ok(said))) = looked.await else { return };
        let text = told(&run.name, &said);
        let came = said.offset > offset;
        offset = said.offset;
        if !text.is_empty() && tx.send(text.into()).await.is_err() {
            return;
        }
        if !came && state != State::UnderWay {
            let _ = tx.send("event: end\ndata: \n\n".into()).await;
            return;
        }
        quiet = if came { 0 } else { quiet + 1 };
        if !came && !waited(&tx, &mut quiet).await {
            return;
        }
    }
}

/// Waits until the next look; whether the browser is still there.
async fn waited(tx: &mpsc::Sender<Bytes>, quiet: &mut usize) -> bool {
    if *quiet >= QUIET {
        *quiet = 0;
        if tx.send(": still here\n\n".into()).await.is_err() {
            return false;
        }
    }
    timeout(LOOK, tx.closed()).await.is_err()
}

/// Events of a run as events of a page, a line of markup each.
fn told(run: &str, said: &Said) -> String {
    let mut out = String::new();
    for event in &said.events {
        if let Some((kind, html)) = pages::piece(run, event) {
            let line = html.0.replace(['\n', '\r'], " ");
            let _ = write!(out, "event: {kind}\ndata: {line}\n\n");
        }
    }
    out
}

/// Tells when runs come, go or end.
async fn tell_runs(runs: PathBuf, tx: mpsc::Sender<Bytes>) {
    let mut known: Option<Vec<(String, bool)>> = None;
    let mut quiet = 0;
    loop {
        let folder = runs.clone();
        let looked = spawn_blocking(move || {
            let names = runs::names(&folder).into_iter();
            let state = |name: String| {
                let run = Folder::find(&folder, &name).map(|run| run.state());
                (name, matches!(run, Ok(State::UnderWay)))
            };
            names.map(state).collect::<Vec<_>>()
        });
        let Ok(now) = looked.await else { return };
        let changed = known.as_ref().is_some_and(|known| *known != now);
        known = Some(now);
        if changed && tx.send("event: runs\ndata: \n\n".into()).await.is_err() {
            return;
        }
        quiet += 1;
        if !waited(&tx, &mut quiet).await {
            return;
        }
    }
}
