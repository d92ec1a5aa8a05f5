//! Plays the recorded dependencies on every connection that the app opens.

use crate::doors::Doors;
use crate::oracle::{Accounts, EdgeOracle};
use crate::shelf::EdgeNumber;
use crate::stage::Stage;
use crate::tls::{self, PlayedMidway};
use rehearsal_capture::{Captured, Endpoint, Notice};
use rehearsal_model::{Certificate, LedgerLine};
use rehearsal_proxy::{
    Clock, ConnectionId, ConnectionOptions, NoTls, Respond, Stream, Tls, respond,
};
use rehearsal_store::scrub::Scrubber;
use rehearsal_tls::Played;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// See the module.
pub(crate) struct Connections {
    pub(crate) stage: Arc<Stage>,
    pub(crate) doors: Arc<Doors>,
    pub(crate) scrubber: Arc<Scrubber>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) clock: Clock,
    pub(crate) next: u64,
    /// What plays the servers that speak TLS.
    pub(crate) tls: Option<Arc<Played>>,
    /// What the app was given.
    pub(crate) words: Arc<[String]>,
}

impl Connections {
    /// Until nothing can come any more and every connection is over.
    pub(crate) async fn serve(mut self, mut notices: mpsc::UnboundedReceiver<Notice>) {
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

    fn take(&mut self, notice: Notice, tasks: &mut JoinSet<()>) {
        match notice {
            Notice::Outbound { ticket, stream, to, name } => {
                match ticket.downcast::<EdgeNumber>() {
                    Ok(edge) => {
                        let called = tls::host(&to, name.as_deref());
                        self.play(*edge, called, into_stream(stream), tasks);
                    }
                    Err(_) => into_stream(stream).reset(),
                }
            }
            Notice::Listening { visible, hidden, .. } => self.doors.opened(visible, hidden),
            Notice::Closed { visible } => self.doors.closed(&visible),
            Notice::Passed { to, why } => self.ledger(&to, "passed through", why),
            Notice::Refused { to, why, .. } => self.ledger(&to, "refused", why),
            Notice::NameService { to, why } => self.ledger(&to, "turned away", why),
            Notice::Inner { to } => self.ledger(&to, "passed through", "the app called itself"),
            Notice::Trouble(text) => self.accounts.warn(text),
            // Nobody but us knows the app's ports, and we call them directly.
            Notice::Inbound { stream, .. } => drop(stream),
            Notice::Ended => {}
        }
    }

    fn play(&mut self, edge: EdgeNumber, called: String, client: Stream, tasks: &mut JoinSet<()>) {
        let id = ConnectionId(self.next);
        self.next += 1;
        let oracle = EdgeOracle {
            stage: Arc::clone(&self.stage),
            edge,
            scrubber: Arc::clone(&self.scrubber),
            accounts: Arc::clone(&self.accounts),
        };
        let words = Arc::clone(&self.words);
        let known = &self.stage.shelf.edges[edge as usize];
        let (protocol, shown, name) = (known.protocol, known.tls.first, known.name.clone());
        let (silent, spoken) = (!known.said_anything, known.spoken);
        let (tls, accounts) = (self.tls.clone(), Arc::clone(&self.accounts));
        let (played, midway) = (self.tls.clone(), known.tls.midway);
        let limits = self.stage.shelf.limits;
        let options = ConnectionOptions { words, limits, ..ConnectionOptions::new(id, self.clock) };
        tasks.spawn(async move {
            let client = match shown {
                None => client,
                Some(how) => match tls::accept(tls, (&called, how), silent, spoken, client).await {
                    Ok(client) => client,
                    Err(error) => {
                        accounts.ledger(tls::refused(&name, how));
                        // Of a certificate with a flaw that is what was to be expected.
                        if how == Certificate::Valid {
                            accounts.warn(format!("edge {name}: failed to establish TLS: {error}"));
                        }
                        return;
                    }
                },
            };
            let oracle = Arc::new(oracle);
            let tls: Box<dyn Tls> = match (played, midway) {
                (Some(played), Some(how)) => Box::new(PlayedMidway { played, called, how }),
                _ => Box::new(NoTls),
            };
            respond(Respond { options, client, protocol, tls, oracle }).await;
        });
    }

    fn ledger(&self, to: &Endpoint, treatment: &str, why: &str) {
        self.accounts.ledger(LedgerLine {
            party: to.to_string(),
            treatment: treatment.to_owned(),
            why: Some(why.to_owned()),
            connections: 1,
            ..LedgerLine::default()
        });
    }
}

fn into_stream(captured: Captured) -> Stream {
    match captured {
        Captured::Tcp(stream) => stream.into(),
        Captured::Unix(stream) => stream.into(),
    }
}
