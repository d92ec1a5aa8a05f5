//! Plays the dependency at the other end of one connection of the app, and then the one with which it
//! has the app connected, as a proxy does.

use crate::oracle::{Accounts, EdgeOracle};
use crate::routes::{Route, Routes};
use crate::shelf::EdgeNumber;
use crate::stage::Stage;
use crate::suite::Voice;
use crate::tls::{self, PlayedMidway};
use rehearsal_model::{Certificate, Finding};
use rehearsal_proxy::{
    Clock, ConnectionId, ConnectionOptions, NoTls, Reached, Respond, Stream, Tls, dial, respond,
};
use rehearsal_store::scrub::Scrubber;
use rehearsal_tls::Played;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often a connection may be passed on: from one proxy to the next.
const MOST_PARTIES: usize = 8;
/// How long a party that is let through may take to take a connection.
const DIAL_LIMIT: Duration = Duration::from_secs(30);

/// See the module. Clones share everything.
#[derive(Clone)]
pub(crate) struct Player {
    pub(crate) stage: Arc<Stage>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) scrubber: Arc<Scrubber>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) clock: Clock,
    /// The number of the next connection.
    pub(crate) next: Arc<AtomicU64>,
    /// What plays the servers that speak TLS.
    pub(crate) tls: Option<Arc<Played>>,
    /// What the app was given.
    pub(crate) words: Arc<[String]>,
    /// Who makes the calls, when they are those of another test runner.
    pub(crate) voice: Option<Voice>,
}

impl Player {
    /// Plays an edge whose host the app calls by that name, and whoever comes after it.
    pub(crate) async fn play(self, mut edge: EdgeNumber, mut called: String, mut client: Stream) {
        for _ in 0..MOST_PARTIES {
            let Some(Reached { party, client: next }) = self.play_one(edge, called, client).await
            else {
                return;
            };
            client = next;
            match self.routes.named(&party) {
                Route::Edge(next) => edge = next,
                Route::Real(_) => return self.pass(&party, client).await,
                Route::Aside | Route::Unknown => {
                    self.stage.note(Finding::UnknownEdge { address: party });
                    return client.reset();
                }
            }
            let host = party.rsplit_once(':').map_or(party.as_str(), |(host, _)| host);
            called = host.trim_matches(['[', ']']).to_owned();
        }
        self.accounts.warn("a connection was passed on from proxy to proxy too often".to_owned());
        client.reset();
    }

    async fn play_one(&self, edge: EdgeNumber, called: String, client: Stream) -> Option<Reached> {
        let known = &self.stage.shelf.edges[edge as usize];
        let client = match known.tls.first {
            None => client,
            Some(how) => self.secure(edge, &called, how, client).await?,
        };
        let tls: Box<dyn Tls> = match (self.tls.clone(), known.tls.midway) {
            (Some(played), Some(how)) => Box::new(PlayedMidway { played, called, how }),
            _ => Box::new(NoTls),
        };
        let id = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed));
        let (words, limits) = (Arc::clone(&self.words), self.stage.shelf.limits);
        let options = ConnectionOptions { words, limits, ..ConnectionOptions::new(id, self.clock) };
        let oracle = Arc::new(EdgeOracle {
            stage: Arc::clone(&self.stage),
            routes: Arc::clone(&self.routes),
            edge,
            scrubber: Arc::clone(&self.scrubber),
            accounts: Arc::clone(&self.accounts),
            voice: self.voice.clone(),
        });
        let protocol =
            if known.is_unheard() { rehearsal_wire::unheard() } else { known.protocol() };
        respond(Respond { options, client, protocol, tls, oracle }).await
    }

    /// Lays TLS over a connection that begins with it.
    async fn secure(
        &self,
        edge: EdgeNumber,
        called: &str,
        how: Certificate,
        client: Stream,
    ) -> Option<Stream> {
        let known = &self.stage.shelf.edges[edge as usize];
        let (silent, played) = (!known.said_anything, self.tls.clone());
        match tls::accept(played, (called, how), silent, known.spoken, client).await {
            Ok(client) => {
                if silent && how != Certificate::Valid {
                    let (name, how) = (&known.name, how.word());
                    self.accounts.warn(format!(
                        "edge {name}: the app accepted a certificate that is {how}, which it had refused when it was recorded"
                    ));
                }
                Some(client)
            }
            Err(error) => {
                self.accounts.ledger(tls::refused(&known.name, how));
                // Of a certificate with a flaw that is what was to be expected.
                if how == Certificate::Valid {
                    let name = &known.name;
                    self.accounts.warn(format!("edge {name}: failed to establish TLS: {error}"));
                }
                None
            }
        }
    }

    /// Lets the app talk with a party itself.
    async fn pass(&self, party: &str, mut client: Stream) {
        match dial(party, DIAL_LIMIT).await {
            Ok(mut server) => {
                // Which of them ended it, and how, is nobody's concern here.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
            Err(error) => {
                self.accounts.warn(format!("failed to let the app through: {error}"));
                client.reset();
            }
        }
    }
}
