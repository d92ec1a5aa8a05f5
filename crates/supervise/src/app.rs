//! A running app.

use crate::message::{News, Order};
use crate::{Ending, Pulse, Tail};
use std::process::Child;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

/// A running app. Dropping it ends the whole tree by `SIGKILL`.
#[derive(Debug)]
pub struct App {
    pid: i32,
    guard: Option<Child>,
    told: OwnedWriteHalf,
    state: watch::Receiver<State>,
    tail: Tail,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// How the first process ended.
    ended: Option<Ending>,
    /// Whether no process is left.
    gone: bool,
}

impl State {
    /// A first process that ended well may have left a daemon behind, which is the app then.
    fn over(self) -> Option<Ending> {
        self.ended.filter(|ending| self.gone || !ending.is_success())
    }
}

impl App {
    pub(crate) fn new(
        pid: i32,
        guard: Child,
        heard: Lines<BufReader<OwnedReadHalf>>,
        told: OwnedWriteHalf,
        tail: Tail,
    ) -> Self {
        let (state_tx, state) = watch::channel(State::default());
        tokio::spawn(listen(heard, state_tx));
        App { pid, guard: Some(guard), told, state, tail }
    }

    /// Its first process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The last lines that it wrote, when they are kept.
    #[must_use]
    pub fn tail(&self) -> Tail {
        self.tail.clone()
    }

    /// A look at what it is doing, without it at hand.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        let guard = self.guard.as_ref().and_then(|guard| i32::try_from(guard.id()).ok());
        Pulse { guard: guard.unwrap_or_default() }
    }

    /// Waits until it ends: its first process by a failure or signal, else all its processes.
    pub fn ended(&self) -> impl Future<Output = Ending> + Send + 'static {
        let mut state = self.state.clone();
        async move {
            let over = state.wait_for(|state| state.over().is_some()).await;
            over.ok().and_then(|state| state.over()).unwrap_or(Ending::Unknown)
        }
    }

    /// Waits until its first process ends, whatever that leaves behind.
    pub async fn first_ended(&self) -> Ending {
        let mut state = self.state.clone();
        let ended = state.wait_for(|state| state.ended.is_some()).await;
        ended.ok().and_then(|state| state.ended).unwrap_or(Ending::Unknown)
    }

    /// Whether it has ended already.
    #[must_use]
    pub fn has_ended(&self) -> Option<Ending> {
        self.state.borrow().over()
    }

    /// Ends it: asks the whole tree to end (`SIGTERM`), and after `grace` ends what is left.
    pub async fn stop(mut self, grace: Duration) -> Ending {
        let mut state = self.state.clone();
        // A broken line means that the guard is ending the tree already.
        let _ = self.told.write_all(Order::Terminate.to_line().as_bytes()).await;
        let asked = tokio::time::timeout(grace, state.wait_for(|state| state.gone)).await.is_ok();
        if !asked {
            let _ = self.told.write_all(Order::Kill.to_line().as_bytes()).await;
            let _ = state.wait_for(|state| state.gone).await;
        }
        let ending = state.borrow().ended.unwrap_or(Ending::Unknown);
        let guard = self.guard.take();
        drop(self);
        if let Some(mut guard) = guard {
            // It ends as soon as the line is closed, which has just happened.
            let _ = tokio::task::spawn_blocking(move || guard.wait()).await;
        }
        ending
    }
}

async fn listen(mut heard: Lines<BufReader<OwnedReadHalf>>, state: watch::Sender<State>) {
    while let Ok(Some(line)) = heard.next_line().await {
        match News::parse(&line) {
            Some(News::Ended(status)) => {
                state.send_modify(|state| state.ended = Some(Ending::from_status(status)));
            }
            Some(News::Gone) => state.send_modify(|state| state.gone = true),
            Some(News::Started(_) | News::Failed(_)) | None => {}
        }
    }
}
