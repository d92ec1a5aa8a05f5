//! Sockets on loopback, and a log of what the loops tell.

use rehearsal_model::{Exchange, ExchangeId, Moment};
use rehearsal_proxy::{
    Clock, ConnectionId, ConnectionOptions, ConnectionReport, NoTls, Observe, Sink, Tls, Watch,
    observe,
};
use rehearsal_wire::{Limits, Protocol};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::protocol::{HELD, LINE, SECRET, SHOUT};

/// What no test takes, unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// The protocols of the tests; the last takes nothing.
pub(crate) static PROTOCOLS: &[&dyn Protocol] = &[LINE, SECRET, HELD, SHOUT];

/// One thing that a loop told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    Begin(u64),
    /// Number, protocol, request, response or failure.
    Emit(u64, &'static str, String, String),
    Abandon(u64),
    /// What was emitted is to be kept.
    Settle,
    Reached(String),
    Warning(String),
    Finished(ConnectionReport),
}

/// What the loops told, in order.
#[derive(Default)]
pub(crate) struct Log {
    told: Mutex<Vec<(ConnectionId, Told)>>,
    more: Notify,
}

impl Log {
    fn push(&self, connection: ConnectionId, told: Told) {
        self.told.lock().unwrap().push((connection, told));
        self.more.notify_waiters();
    }

    /// Everything so far.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().iter().map(|(_, told)| told.clone()).collect()
    }

    /// All that was told of exchanges and warnings.
    pub(crate) fn exchanges(&self) -> Vec<Told> {
        let told = self.told();
        let beside = |told: &Told| matches!(told, Told::Finished(_) | Told::Settle);
        told.into_iter().filter(|told| !beside(told)).collect()
    }

    /// The reports so far.
    pub(crate) fn reports(&self) -> Vec<ConnectionReport> {
        let reports = self.told().into_iter().filter_map(|told| match told {
            Told::Finished(report) => Some(report),
            _ => None,
        });
        reports.collect()
    }

    /// Whether all that was emitted was to be kept before anything further began.
    pub(crate) fn is_settled_between(&self) -> bool {
        let mut unsettled = false;
        self.told().iter().all(|told| match told {
            Told::Emit(..) => {
                unsettled = true;
                true
            }
            Told::Settle => std::mem::replace(&mut unsettled, false),
            Told::Begin(_) => !unsettled,
            _ => true,
        })
    }

    /// Waits until something is told.
    pub(crate) async fn until(&self, enough: impl Fn(&[Told]) -> bool) {
        within(async {
            loop {
                let more = self.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                if enough(&self.told()) {
                    return;
                }
                more.await;
            }
        })
        .await;
    }

    /// Waits for the report of the only connection.
    pub(crate) async fn report(&self) -> ConnectionReport {
        self.until(|told| told.iter().any(|told| matches!(told, Told::Finished(_)))).await;
        let mut reports = self.reports();
        assert_eq!(reports.len(), 1, "a connection reports once: {reports:?}");
        reports.remove(0)
    }
}

impl Watch for Log {
    fn warning(&self, connection: ConnectionId, text: &str) {
        self.push(connection, Told::Warning(text.to_owned()));
    }

    fn finished(&self, connection: ConnectionId, report: ConnectionReport) {
        self.push(connection, Told::Finished(report));
    }
}

impl Sink for Log {
    fn begin(&self, connection: ConnectionId, id: ExchangeId, _at: Moment) {
        self.push(connection, Told::Begin(id.0));
    }

    fn emit(
        &self,
        connection: ConnectionId,
        protocol: &'static dyn Protocol,
        id: ExchangeId,
        exchange: Box<Exchange>,
    ) {
        let text = |map: &rehearsal_model::Map| map.text("line").unwrap_or_default().to_owned();
        let answer = match (&exchange.response, exchange.failure) {
            (Some(response), _) => text(response),
            (None, failure) => failure.map_or("nothing", |failure| failure.as_str()).to_owned(),
        };
        let asked = text(&exchange.request);
        self.push(connection, Told::Emit(id.0, protocol.name(), asked, answer));
    }

    fn settle(&self) {
        // The rig of a test has one connection.
        self.push(ConnectionId(1), Told::Settle);
    }

    fn abandon(&self, connection: ConnectionId, id: ExchangeId) {
        self.push(connection, Told::Abandon(id.0));
    }

    fn reached(&self, connection: ConnectionId, party: &str) -> Option<Box<dyn Tls>> {
        self.push(connection, Told::Reached(party.to_owned()));
        (party != "nobody:1").then(|| Box::new(NoTls) as Box<dyn Tls>)
    }
}

/// Fails rather than hangs.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(LIMIT, work).await.expect("finishes in time")
}

/// Two ends of a connection over loopback: who opened it, who accepted it.
pub(crate) async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (opened, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    (opened.unwrap(), accepted.unwrap().0)
}

/// Options of a connection with that number.
pub(crate) fn options(id: u64) -> ConnectionOptions {
    ConnectionOptions {
        id: ConnectionId(id),
        protocols: PROTOCOLS,
        limits: Limits { in_flight: 1 << 16, ..Limits::default() },
        clock: Clock::start(),
        words: Arc::default(),
    }
}

/// A connection that is observed.
pub(crate) struct Rig {
    pub(crate) client: TcpStream,
    pub(crate) server: TcpStream,
    pub(crate) log: Arc<Log>,
    pub(crate) task: JoinHandle<()>,
}

/// A connection that is observed, after the settings are changed.
pub(crate) async fn rig(change: impl FnOnce(&mut Observe)) -> Rig {
    let log = Arc::new(Log::default());
    let (client, client_end) = pair().await;
    let (server_end, server) = pair().await;
    let mut what = Observe {
        options: options(1),
        client: client_end.into(),
        server: server_end.into(),
        protocol: None,
        tls: Box::new(NoTls),
        gate: None,
        sink: Arc::clone(&log) as Arc<dyn Sink>,
    };
    change(&mut what);
    let task = tokio::spawn(observe(what));
    Rig { client, server, log, task }
}

/// Sends text.
pub(crate) async fn say(stream: &mut TcpStream, text: &str) {
    within(stream.write_all(text.as_bytes())).await.expect("is taken");
}

/// Receives exactly that text.
#[track_caller]
pub(crate) fn hear<'a>(stream: &'a mut TcpStream, text: &'a str) -> impl Future<Output = ()> + 'a {
    let caller = std::panic::Location::caller();
    async move {
        let mut bytes = vec![0; text.len()];
        within(stream.read_exact(&mut bytes)).await.unwrap_or_else(|error| {
            panic!("hears {text:?} at {caller}: {error}");
        });
        assert_eq!(String::from_utf8_lossy(&bytes), text, "at {caller}");
    }
}

/// Receives the end of the stream, after nothing else.
pub(crate) async fn hear_end(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    within(stream.read_to_end(&mut rest)).await.expect("ends in order");
    assert_eq!(String::from_utf8_lossy(&rest), "");
}

/// Receives a reset, after nothing else.
pub(crate) async fn hear_reset(stream: &mut TcpStream) {
    let error = within(stream.read(&mut [0; 16])).await.expect_err("is reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
}

/// Ends a connection by a reset.
pub(crate) fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}
