//! What carrying costs: small messages over connections that are kept, direct and observed.
//!
//! `cargo run --release -p rehearsal-proxy --example overhead [WORDS]`, where the words choose from
//! the lines of the result. Peers and loops share the cores of one machine, so the figures say what
//! an app under test would feel, not what the loops could do alone.

#[path = "../tests/line/protocol.rs"]
#[allow(dead_code)] // Tests use more of it.
mod protocol;

use protocol::LINE;
use rehearsal_model::{Exchange, ExchangeId, Moment};
use rehearsal_proxy::{
    Clock, ConnectionId, ConnectionOptions, ConnectionReport, NoTls, Observe, Sink, Watch, observe,
};
use rehearsal_wire::{Limits, Protocol};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long each measurement takes.
const SPAN: Duration = Duration::from_secs(2);

static PROTOCOLS: &[&dyn Protocol] = &[LINE];

/// Takes everything and keeps nothing.
struct Nobody;

impl Watch for Nobody {
    fn warning(&self, _connection: ConnectionId, _text: &str) {}
    fn finished(&self, _connection: ConnectionId, _report: ConnectionReport) {}
}

impl Sink for Nobody {
    fn begin(&self, _connection: ConnectionId, _id: ExchangeId, _at: Moment) {}
    fn emit(
        &self,
        _connection: ConnectionId,
        _protocol: &'static dyn Protocol,
        _id: ExchangeId,
        _exchange: Box<Exchange>,
    ) {
    }
    fn abandon(&self, _connection: ConnectionId, _id: ExchangeId) {}
}

/// A server that sends back what it gets, with a thread for each connection.
fn echo() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || -> io::Result<()> {
                let mut stream = stream;
                stream.set_nodelay(true)?;
                let mut buffer = vec![0; 256 << 10];
                loop {
                    match stream.read(&mut buffer)? {
                        0 => return Ok(()),
                        count => stream.write_all(&buffer[..count])?,
                    }
                }
            });
        }
    });
    Ok(address)
}

/// A proxy in front of that server.
fn carry(server: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let sink: Arc<dyn Sink> = Arc::new(Nobody);
            loop {
                let (client, _) = listener.accept().await?;
                let server = tokio::net::TcpStream::connect(server).await?;
                let options = ConnectionOptions {
                    id: ConnectionId(0),
                    protocols: PROTOCOLS,
                    limits: Limits::default(),
                    clock: Clock::start(),
                    words: Arc::default(),
                };
                tokio::spawn(observe(Observe {
                    options,
                    client: client.into(),
                    server: server.into(),
                    protocol: None,
                    tls: Box::new(NoTls),
                    gate: None,
                    sink: Arc::clone(&sink),
                }));
            }
            #[allow(unreachable_code)] // It gives the block its type.
            io::Result::Ok(())
        })
    });
    Ok(address)
}

/// Sends messages over so many connections, each waiting for its answer; returns how many there
/// were in a second, and how long the median one took.
fn measure(to: SocketAddr, connections: usize, message: &[u8]) -> io::Result<(f64, Duration)> {
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let message = message.to_vec();
            std::thread::spawn(move || -> io::Result<Vec<Duration>> {
                let mut stream = TcpStream::connect(to)?;
                stream.set_nodelay(true)?;
                let (mut back, mut times) = (message.clone(), Vec::new());
                let end = Instant::now() + SPAN;
                loop {
                    let start = Instant::now();
                    if start > end {
                        return Ok(times);
                    }
                    stream.write_all(&message)?;
                    stream.read_exact(&mut back)?;
                    times.push(start.elapsed());
                }
            })
        })
        .collect();
    let mut times = Vec::new();
    for worker in workers {
        times.extend(worker.join().map_err(|_| io::Error::other("a worker panicked"))??);
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok((times.len() as f64 / SPAN.as_secs_f64(), median))
}

fn main() -> io::Result<()> {
    let direct = echo()?;
    let observed = carry(direct)?;
    let mut out = io::stdout().lock();
    let mut small = vec![b'a'; 128];
    small[127] = b'\n';
    let mut large = vec![b'a'; 64 << 10];
    large[(64 << 10) - 1] = b'\n';
    let unread = vec![0; 128];
    let large_unread = vec![0; 64 << 10];
    let cases = [
        ("128 B", &small),
        ("128 B unread", &unread),
        ("64 KiB", &large),
        ("64 KiB unread", &large_unread),
    ];
    let words = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    for (name, message) in cases {
        for connections in [1, 16] {
            for (way, to) in [("direct", direct), ("observed", observed)] {
                let label = format!("{name} {connections} {way}");
                if label.contains(&words) {
                    let (rate, median) = measure(to, connections, message)?;
                    writeln!(out, "{label:28} {rate:9.0}/s  median {median:?}")?;
                }
            }
        }
    }
    Ok(())
}
