//! What becomes of the app's attempts to reach others while it is recorded: they are dialled first,
//! so that a refusal stays a refusal, and then carried.

use crate::desk::Desk;
use crate::edges::{Parties, PartyId};
use crate::sink::Message;
use rehearsal_capture::{BoxFuture, Caller, Endpoint, InPlace, Policy, Verdict};
use rehearsal_model::{Exchange, Failure, LedgerLine, Moment};
use rehearsal_proxy::{
    Clock, Datagrams, DialError, Stream, ask_name_server, dial, errno, observe_datagram,
};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Why datagrams are in the ledger. Resolvers send them to try which addresses can be reached.
pub const DATAGRAMS: &str = "UDP is recorded for names only";

/// How long a connect of the app may wait for the dependency to take the connection, before it is
/// told that it is connected.
const HEAD_START: Duration = Duration::from_millis(50);
/// How long a dependency may take to take a connection.
const DIAL_LIMIT: Duration = Duration::from_secs(127);

/// A dialled connection, on its way to the loop that carries it.
pub(crate) struct Dialled {
    pub(crate) party: PartyId,
    /// By whom, where that is of interest.
    pub(crate) caller: Option<Caller>,
    pub(crate) server: Server,
}

/// The dependency's side of a connection.
pub(crate) enum Server {
    Ready(Stream),
    /// It does not answer yet; since when it is tried.
    Dialling(Moment, JoinHandle<Result<Stream, DialError>>),
}

/// See the module.
pub(crate) struct RecordPolicy {
    pub(crate) parties: Arc<Parties>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) clock: Clock,
    /// Asked instead of the name server that the app asks.
    pub(crate) name_server: Option<SocketAddr>,
    /// What the app reads in the place of other files.
    pub(crate) files: Vec<InPlace>,
    /// Where the tests of another test runner leave their names.
    pub(crate) tests: Option<PathBuf>,
}

impl RecordPolicy {
    /// Dials where the app wants to connect to: `host` where a name stands behind the address.
    async fn dial_first(
        &self,
        to: Endpoint,
        host: Option<&str>,
        caller: Option<Caller>,
    ) -> Verdict {
        let party = self.parties.outbound(&to, host);
        let started = self.clock.now();
        let target = host.map_or_else(|| to.to_string(), str::to_owned);
        let mut dialling = tokio::spawn(async move { dial(&target, DIAL_LIMIT).await });
        let server = match tokio::time::timeout(HEAD_START, &mut dialling).await {
            Ok(Ok(Ok(stream))) => Server::Ready(stream),
            Ok(Ok(Err(error))) => {
                let errno = error.errno();
                let (failure, finished) = (Some(error.failure), self.clock.now());
                let exchange = Exchange { failure, started, finished, ..Exchange::default() };
                let exchange = Box::new(exchange);
                self.desk.tell(Message::NotConnected { party, tried: None, exchange });
                return Verdict::Refuse(errno, "it could not be reached");
            }
            Ok(Err(_)) => return Verdict::Refuse(errno(Failure::Refused), "dialling it broke off"),
            Err(_) => Server::Dialling(started, dialling),
        };
        Verdict::Redirect(Box::new(Dialled { party, caller, server }))
    }

    async fn ask(&self, server: SocketAddr, query: Vec<u8>) -> Option<Vec<u8>> {
        let at = self.clock.now();
        let answer = ask_name_server(self.name_server.unwrap_or(server), &query).await?;
        let dns = rehearsal_wire::protocol("dns")?;
        let reply = Some((answer.as_slice(), self.clock.now()));
        let datagrams = Datagrams { query: (&query, at), reply };
        let seen = observe_datagram(dns, rehearsal_wire::Limits::default(), datagrams);
        for exchange in seen.unwrap_or_default() {
            if let Some(name) = rehearsal_wire::queried_name(&exchange.request)
                && let Some(answer) = &exchange.response
            {
                for address in rehearsal_wire::addresses(&exchange.request, answer) {
                    self.parties.resolved(&name, address);
                }
            }
            let (party, exchange) = (self.parties.resolver(), Box::new(exchange));
            self.desk.tell(Message::Resolved { party, exchange });
        }
        Some(answer)
    }
}

impl Policy for RecordPolicy {
    fn files(&self) -> Vec<InPlace> {
        self.files.clone()
    }

    fn connect(&self, to: &Endpoint) -> BoxFuture<'_, Verdict> {
        Box::pin(self.dial_first(to.clone(), None, None))
    }

    fn connect_by(&self, thread: i32, to: &Endpoint) -> BoxFuture<'_, Verdict> {
        let caller = self.tests.as_ref().map(|tests| Caller::of(thread, tests));
        Box::pin(self.dial_first(to.clone(), None, caller))
    }

    fn connect_named<'a>(&'a self, name: &'a str, to: &'a Endpoint) -> BoxFuture<'a, Verdict> {
        Box::pin(self.dial_first(to.clone(), Some(name), None))
    }

    fn resolve(&self, server: SocketAddr, query: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>> {
        Box::pin(self.ask(server, query))
    }

    fn datagram(&self, to: SocketAddr) -> Result<(), i32> {
        let line = LedgerLine {
            party: to.to_string(),
            treatment: "passed through".to_owned(),
            why: Some(DATAGRAMS.to_owned()),
            connections: 1,
            ..LedgerLine::default()
        };
        self.desk.tell(Message::Ledger(line));
        Ok(())
    }
}
