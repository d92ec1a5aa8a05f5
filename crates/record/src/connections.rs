//! Carries every captured connection, one task each.

use crate::edges::{Parties, PartyId};
use crate::policy::{Dialled, Server};
use crate::queue::Queue;
use crate::sink::{Ear, Message};
use rehearsal_capture::{Captured, Endpoint, Notice};
use rehearsal_model::{LedgerLine, Role};
use rehearsal_proxy::{
    Clock, ConnectionId, ConnectionOptions, Gate, NoTls, Observe, OneAtATime, Stream, dial, observe,
};
use rehearsal_wire::Limits;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How long the app's hidden port may take to take a connection. It listens on this machine, so
/// only a full backlog makes it wait.
const INNER_DIAL_LIMIT: Duration = Duration::from_secs(30);

/// See the module.
pub(crate) struct Connections {
    queue: Arc<Queue<Message>>,
    parties: Arc<Parties>,
    ear: Arc<Ear>,
    clock: Clock,
    limits: Limits,
    gate: Option<Arc<OneAtATime>>,
    next: u64,
    tasks: JoinSet<()>,
}

impl Connections {
    pub(crate) fn new(
        queue: Arc<Queue<Message>>,
        parties: Arc<Parties>,
        clock: Clock,
        max_body: u64,
        serialize: bool,
    ) -> Self {
        let ear = Arc::new(Ear { queue: Arc::clone(&queue) });
        let body = usize::try_from(max_body).unwrap_or(usize::MAX);
        let limits = Limits { body, ..Limits::default() };
        let gate = serialize.then(|| Arc::new(OneAtATime::new()));
        Connections { queue, parties, ear, clock, limits, gate, next: 0, tasks: JoinSet::new() }
    }

    /// Until nothing can come any more and every connection is over.
    pub(crate) async fn carry(mut self, mut notices: mpsc::UnboundedReceiver<Notice>) {
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Some(notice) => self.take(notice),
                    None => break,
                },
                Some(_) = self.tasks.join_next() => {}
            }
        }
        while self.tasks.join_next().await.is_some() {}
    }

    fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Outbound { ticket, stream, .. } => match ticket.downcast::<Dialled>() {
                Ok(dialled) => self.outbound(*dialled, stream.into_stream()),
                Err(_) => stream.into_stream().reset(),
            },
            Notice::Inbound { visible, hidden, stream } => {
                self.inbound(&visible, &hidden, stream.into_stream());
            }
            Notice::Listening { visible, .. } => {
                self.parties.inbound(&visible);
                self.queue.push(Message::Listening(visible.to_string()), 64);
            }
            Notice::Passed { to, why } => self.ledger(&to, "passed through", why),
            Notice::Refused { to, why, .. } => self.ledger(&to, "refused", why),
            Notice::NameService { to, why } => self.ledger(&to, "turned away", why),
            Notice::Inner { to } => self.ledger(&to, "passed through", "the app called itself"),
            Notice::Trouble(text) => {
                let weight = text.len();
                self.queue.push(Message::Warning(text), weight);
            }
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
        self.queue.push(Message::Ledger(line), 0);
    }

    fn outbound(&mut self, dialled: Dialled, client: Stream) {
        let Dialled { party, server } = dialled;
        let carrier = self.carrier(party, Role::Outbound);
        let queue = Arc::clone(&self.queue);
        let clock = self.clock;
        self.tasks.spawn(async move {
            let started = clock.now();
            let server = match server {
                Server::Ready(stream) => Ok(stream),
                Server::Dialling(dialling) => match dialling.await {
                    Ok(dialled) => dialled,
                    Err(_) => return client.reset(),
                },
            };
            match server {
                Ok(server) => carrier.observe(client, server, None).await,
                Err(error) => {
                    // The app was told that it is connected; a reset is the nearest to the truth.
                    client.reset();
                    let (failure, finished) = (Some(error.failure), clock.now());
                    let exchange = rehearsal_model::Exchange {
                        failure,
                        started,
                        finished,
                        ..rehearsal_model::Exchange::default()
                    };
                    queue.push(Message::NotConnected { party, exchange: Box::new(exchange) }, 256);
                }
            }
        });
    }

    fn inbound(&mut self, visible: &Endpoint, hidden: &Endpoint, client: Stream) {
        let party = self.parties.inbound(visible);
        let carrier = self.carrier(party, Role::Inbound);
        let (hidden, gate) = (hidden.to_string(), self.gate.clone());
        self.tasks.spawn(async move {
            match dial(&hidden, INNER_DIAL_LIMIT).await {
                Ok(server) => carrier.observe(client, server, gate).await,
                Err(_) => client.reset(),
            }
        });
    }

    fn carrier(&mut self, party: PartyId, role: Role) -> Carrier {
        let connection = ConnectionId(self.next);
        self.next += 1;
        let ordinal = self.parties.connected(party);
        self.queue.push(Message::Connected { connection, party, role, ordinal }, 0);
        let mut options = ConnectionOptions::new(connection, self.clock);
        options.limits = self.limits;
        let known = self.parties.get(party).protocol;
        let protocol = known.as_deref().and_then(rehearsal_wire::protocol);
        Carrier { options, protocol, ear: Arc::clone(&self.ear) }
    }
}

/// What one connection's task takes along.
struct Carrier {
    options: ConnectionOptions,
    protocol: Option<&'static dyn rehearsal_wire::Protocol>,
    ear: Arc<Ear>,
}

impl Carrier {
    async fn observe(self, client: Stream, server: Stream, gate: Option<Arc<OneAtATime>>) {
        let observed = Observe {
            options: self.options,
            client,
            server,
            protocol: self.protocol,
            tls: Box::new(NoTls),
            gate: gate.map(|gate| gate as Arc<dyn Gate>),
            sink: self.ear,
        };
        observe(observed).await;
    }
}

/// The stream of a captured connection, as `proxy` takes it.
trait IntoStream {
    fn into_stream(self) -> Stream;
}

impl IntoStream for Captured {
    fn into_stream(self) -> Stream {
        match self {
            Captured::Tcp(stream) => stream.into(),
            Captured::Unix(stream) => stream.into(),
        }
    }
}
