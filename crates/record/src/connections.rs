//! Carries every captured connection, one task each, on the lanes.

use crate::desk::Desk;
use crate::edges::{Parties, PartyId};
use crate::lanes::Turns;
use crate::policy::{Dialled, Server};
use crate::sink::{Ear, Message};
use crate::tls::{Called, Secured};
use rehearsal_capture::{Caller, Captured, Endpoint, Notice};
use rehearsal_model::{Exchange, Failure, LedgerLine, Role};
use rehearsal_proxy::{
    Clock, ConnectionId, ConnectionOptions, DialError, Gate, NoTls, Observe, OneAtATime, Stream,
    Tls, dial, observe,
};
use rehearsal_wire::{Limits, Schemas};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the app's hidden port may take to take a connection. It listens on this machine, so
/// only a full backlog makes it wait.
const INNER_DIAL_LIMIT: Duration = Duration::from_secs(30);
/// How long a dependency that does not answer is waited for when the app has closed its side.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// See the module.
pub(crate) struct Connections {
    desk: Arc<Desk>,
    parties: Arc<Parties>,
    /// That of those who call the app.
    inbound: Arc<Ear>,
    outbound: Arc<Ear>,
    clock: Clock,
    limits: Limits,
    gate: Option<Arc<OneAtATime>>,
    next: u64,
    lanes: Turns,
    secured: Secured,
}

impl Connections {
    pub(crate) fn new(
        secured: Secured,
        clock: Clock,
        max_body: u64,
        serialize: bool,
        lanes: Turns,
    ) -> Self {
        let (desk, parties) = (Arc::clone(&secured.desk), Arc::clone(&secured.parties));
        let ear = |beyond| Arc::new(Ear { desk: Arc::clone(&desk), beyond });
        let (inbound, outbound) = (ear(None), ear(Some(secured.clone())));
        let body = usize::try_from(max_body).unwrap_or(usize::MAX);
        let limits = Limits { body, ..Limits::default() };
        let gate = serialize.then(|| Arc::new(OneAtATime::new()));
        Connections {
            desk,
            parties,
            inbound,
            outbound,
            clock,
            limits,
            gate,
            next: 0,
            lanes,
            secured,
        }
    }

    /// With what is known of messages.
    pub(crate) fn with_schemas(self, schemas: Option<&'static Schemas>) -> Self {
        Connections { limits: Limits { schemas, ..self.limits }, ..self }
    }

    /// Until nothing can come any more.
    pub(crate) async fn carry(mut self, mut notices: mpsc::UnboundedReceiver<Notice>) {
        while let Some(notice) = notices.recv().await {
            self.take(notice);
        }
    }

    fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Outbound { ticket, stream, to, name } => match ticket.downcast::<Dialled>() {
                Ok(dialled) => {
                    let called = Called::new(&to, name.as_deref());
                    self.outbound(*dialled, called, stream);
                }
                Err(_) => drop(settled(stream).map(Stream::reset)),
            },
            Notice::Inbound { visible, hidden, stream } => {
                let called = Called::app(host(&stream, &visible), &hidden);
                self.inbound(&visible, &hidden, called, stream);
            }
            Notice::Listening { visible, .. } => {
                self.parties.inbound(&visible);
                self.desk.tell(Message::Listening(visible.to_string()));
            }
            Notice::Passed { to, why } => self.ledger(&to, "passed through", why),
            Notice::Refused { to, why, .. } => self.ledger(&to, "refused", why),
            Notice::NameService { to, why } => self.ledger(&to, "turned away", why),
            Notice::Inner { to } => self.ledger(&to, "passed through", "the app called itself"),
            Notice::Trouble(text) => self.desk.tell(Message::Warning(text)),
            Notice::Closed { .. } | Notice::Ended => {}
        }
    }

    fn ledger(&self, to: &Endpoint, treatment: &str, why: &str) {
        let line = LedgerLine {
            party: to.to_string(),
            treatment: treatment.to_owned(),
            why: Some(why.to_owned()),
            connections: 1,
            ..LedgerLine::default()
        };
        self.desk.tell(Message::Ledger(line));
    }

    fn outbound(&mut self, dialled: Dialled, called: Called, client: Captured) {
        let Dialled { party, caller, server } = dialled;
        self.parties.dialled(party, called.target());
        let mut carrier = self.carrier(party, Role::Outbound, caller);
        carrier.tls = self.secured.over(party, called);
        let (started, dialling) = match server {
            Server::Ready(server) => {
                self.lanes.carry(async move {
                    let (Ok(client), Ok(server)) = (settled(client), server.settle_here()) else {
                        return;
                    };
                    carrier.observe(client, server, None).await;
                });
                return;
            }
            Server::Dialling(started, dialling) => (started, dialling),
        };
        let connection = carrier.options.id;
        let (desk, clock) = (Arc::clone(&self.desk), self.clock);
        desk.tell(Message::Dialling { connection, at: started });
        self.lanes.carry(async move {
            let Ok(mut client) = settled(client) else { return };
            let server = answered(dialling, &mut client).await;
            match server {
                Ok(server) => {
                    let Ok(server) = server.settle_here() else { return };
                    desk.tell(Message::Dialled { connection });
                    carrier.observe(client, server, None).await;
                }
                Err(failure) => {
                    // The app was told that it is connected; a reset is the nearest to the truth.
                    client.reset();
                    let (failure, finished) = (Some(failure), clock.now());
                    let exchange = Exchange { failure, started, finished, ..Exchange::default() };
                    let (exchange, tried) = (Box::new(exchange), Some(connection));
                    desk.tell(Message::NotConnected { party, tried, exchange });
                }
            }
        });
    }

    fn inbound(&mut self, visible: &Endpoint, hidden: &Endpoint, called: Called, client: Captured) {
        let party = self.parties.inbound(visible);
        self.parties.dialled(party, called.target());
        let mut carrier = self.carrier(party, Role::Inbound, None);
        carrier.tls = self.secured.over(party, called);
        let (hidden, gate) = (hidden.to_string(), self.gate.clone());
        self.lanes.carry(async move {
            let Ok(client) = settled(client) else { return };
            match dial(&hidden, INNER_DIAL_LIMIT).await {
                Ok(server) => carrier.observe(client, server, gate).await,
                Err(_) => client.reset(),
            }
        });
    }

    fn carrier(&mut self, party: PartyId, role: Role, caller: Option<Caller>) -> Carrier {
        let connection = ConnectionId(self.next);
        self.next += 1;
        let ordinal = self.parties.connected(party);
        self.desk.tell(Message::Connected { connection, party, role, ordinal, caller });
        let mut options = ConnectionOptions::new(connection, self.clock);
        options.limits = self.limits;
        let known = self.parties.get(party).protocol;
        let protocol = known.as_deref().and_then(rehearsal_wire::protocol);
        let ear = match role {
            Role::Inbound => &self.inbound,
            Role::Outbound => &self.outbound,
        };
        Carrier { options, protocol, ear: Arc::clone(ear), tls: Box::new(NoTls) }
    }
}

/// The dependency's side of a connection that the app believes to have, or why there is none. An app
/// that closes its side has given up, unless it only says that it will not send more; so the
/// dependency has a moment left then.
async fn answered(
    mut dialling: JoinHandle<Result<Stream, DialError>>,
    client: &mut Stream,
) -> Result<Stream, Failure> {
    let dialled = tokio::select! {
        dialled = &mut dialling => Some(dialled),
        () = client.ended() => timeout(LAST_MOMENT, &mut dialling).await.ok(),
    };
    match dialled {
        Some(Ok(dialled)) => dialled.map_err(|error| error.failure),
        Some(Err(_)) => Err(Failure::Refused),
        None => {
            dialling.abort();
            Err(Failure::TimedOut)
        }
    }
}

/// What one connection's task takes along.
struct Carrier {
    options: ConnectionOptions,
    protocol: Option<&'static dyn rehearsal_wire::Protocol>,
    ear: Arc<Ear>,
    tls: Box<dyn Tls>,
}

impl Carrier {
    async fn observe(self, client: Stream, server: Stream, gate: Option<Arc<OneAtATime>>) {
        let observed = Observe {
            options: self.options,
            client,
            server,
            protocol: self.protocol,
            tls: self.tls,
            gate: gate.map(|gate| gate as Arc<dyn Gate>),
            sink: self.ear,
        };
        observe(observed).await;
    }
}

/// A captured connection in the event loop in which this is called. It fails where the process may
/// watch no more of them, say; the socket closes then, which its peer sees.
fn settled(captured: Captured) -> io::Result<Stream> {
    match captured {
        Captured::Tcp(stream) => stream.try_into(),
        Captured::Unix(stream) => stream.try_into(),
    }
}

/// The host at which the client of an inbound connection sees the app.
fn host(captured: &Captured, visible: &Endpoint) -> String {
    let asked = match visible {
        Endpoint::Tcp(address) => Some(*address),
        Endpoint::Unix(_) => None,
    };
    // One that listens at every address is called at one of them.
    let called = match captured {
        Captured::Tcp(stream) if asked.is_none_or(|asked| asked.ip().is_unspecified()) => {
            stream.local_addr().ok()
        }
        _ => None,
    };
    let address = called.or(asked).map(|address| address.ip().to_canonical());
    address.map_or_else(|| "localhost".to_owned(), |address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::oneshot;

    /// The two sides of a connection.
    async fn pair() -> (TcpStream, Stream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (theirs, listener.accept().await.unwrap().0.into())
    }

    #[tokio::test]
    async fn an_app_that_has_said_all_may_still_be_answered() {
        let ((mut app, mut client), (_far, server)) = (pair().await, pair().await);
        app.write_all(b"hello").await.unwrap();
        app.shutdown().await.unwrap();
        let (tell, told) = oneshot::channel();
        let dialling = tokio::spawn(async move {
            let _ = told.await;
            Ok(server)
        });
        let waiting = tokio::spawn(async move { answered(dialling, &mut client).await.is_ok() });
        assert!(timeout(Duration::from_millis(50), pending::<()>()).await.is_err());
        tell.send(()).unwrap();
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn an_app_that_has_gone_is_not_waited_for() {
        let (mut app, mut client) = pair().await;
        app.write_all(b"hello").await.unwrap();
        drop(app);
        let dialling = tokio::spawn(pending());
        assert_eq!(answered(dialling, &mut client).await.err(), Some(Failure::TimedOut));
    }

    #[tokio::test]
    async fn why_a_dependency_was_not_reached_is_told() {
        let (_app, mut client) = pair().await;
        let error = DialError {
            endpoint: "db:1".to_owned(),
            failure: Failure::Unreachable,
            errno: None,
            reason: String::new(),
        };
        let dialling = tokio::spawn(async { Err(error) });
        assert_eq!(answered(dialling, &mut client).await.err(), Some(Failure::Unreachable));
    }
}
