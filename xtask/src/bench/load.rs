//! The load generator: keep-alive HTTP/1.1 connections, a thread for each, one
//! request at a time on each.
//!
//! It is the same for everything it is pointed at and does as little as it can:
//! no header is interpreted but the length of the body and whether the
//! connection goes on.

use super::process;
use anyhow::{Context as _, bail};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// No answer takes longer than this.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ten digits in a request that are replaced by the request's number.
pub(crate) const NUMBER: &str = "##########";

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    numbers: Vec<usize>,
    /// How many numbers there are; after the last, the first comes again.
    distinct: u64,
    /// The status that every answer has to have.
    status: &'static str,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self::new(&format!("GET {path} HTTP/1.1\r\nhost: shop.example\r\n\r\n"), "200")
    }

    pub(crate) fn post(path: &str, json: &str, status: &'static str) -> Self {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: shop.example\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            json.len()
        );
        Self::new(&(head + json), status)
    }

    fn new(text: &str, status: &'static str) -> Self {
        let numbers = text.match_indices(NUMBER).map(|(at, _)| at).collect();
        Request { bytes: text.as_bytes().to_vec(), numbers, distinct: u64::MAX, status }
    }

    pub(crate) fn cycling(self, distinct: u64) -> Self {
        Request { distinct, ..self }
    }

    pub(crate) fn with_number(&mut self, number: u64) -> &[u8] {
        let digits = format!("{:010}", number % self.distinct);
        for at in &self.numbers {
            self.bytes[*at..*at + digits.len()].copy_from_slice(digits.as_bytes());
        }
        &self.bytes
    }
}

/// How long to go on: the first of the two that is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Burst {
    pub(crate) connections: usize,
    pub(crate) requests: u64,
    pub(crate) time: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) answered: u64,
    pub(crate) elapsed: Duration,
    /// In order of size.
    latencies: Vec<Duration>,
}

impl Outcome {
    pub(crate) fn per_second(&self) -> f64 {
        self.answered as f64 / self.elapsed.as_secs_f64()
    }

    /// Microseconds within which a share of the requests was answered.
    pub(crate) fn within(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.latencies.get(at).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
    }
}

/// Sends requests, all answers being awaited. `numbers` goes on from burst to burst, so that no two
/// requests have the same number.
pub(crate) fn run(
    address: SocketAddr,
    request: &Request,
    burst: Burst,
    numbers: &AtomicU64,
) -> anyhow::Result<Outcome> {
    let left = AtomicU64::new(burst.requests);
    // Connections are open before the clock starts: what is measured are requests.
    let connections: Vec<Connection> =
        (0..burst.connections).map(|_| Connection::open(address)).collect::<Result<_, _>>()?;
    let began = Instant::now();
    let worker = |mut connection: Connection| -> anyhow::Result<Vec<Duration>> {
        let mut request = request.clone();
        let status = request.status;
        let mut latencies = Vec::with_capacity(4096);
        let take = |left: u64| left.checked_sub(1);
        while began.elapsed() < burst.time
            && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
        {
            process::check()?;
            let bytes = request.with_number(numbers.fetch_add(1, Ordering::Relaxed));
            let sent = Instant::now();
            connection.exchange(bytes, status)?;
            latencies.push(sent.elapsed());
        }
        Ok(latencies)
    };
    let mut latencies = std::thread::scope(|scope| {
        let threads: Vec<_> =
            connections.into_iter().map(|connection| scope.spawn(|| worker(connection))).collect();
        let mut all = Vec::new();
        for thread in threads {
            let done = thread.join().map_err(|_| anyhow::anyhow!("a connection's thread died"))?;
            all.extend(done?);
        }
        anyhow::Ok(all)
    })?;
    let elapsed = began.elapsed();
    latencies.sort_unstable();
    Ok(Outcome { answered: latencies.len() as u64, elapsed, latencies })
}

/// A client's connection.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        Ok(Connection { address, stream: connect(address)?, buffer: vec![0; 64 * 1024], filled: 0 })
    }

    /// One request and its answer, whose body is passed over.
    pub(crate) fn exchange(&mut self, request: &[u8], status: &str) -> anyhow::Result<()> {
        self.stream.write_all(request).context("failed to send a request")?;
        self.answer(status)
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    pub(crate) fn answer(&mut self, status: &str) -> anyhow::Result<()> {
        self.filled = 0;
        let head = loop {
            self.read_more().context("failed to receive an answer")?;
            let end = find(&self.buffer[..self.filled], b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        if text.get(9..12) != Some(status) {
            let body = String::from_utf8_lossy(&self.buffer[head..self.filled]).into_owned();
            bail!("expected status {status}, got {text}{body}");
        }
        if text.contains("transfer-encoding: chunked") {
            while !self.buffer[head - 2..self.filled].ends_with(b"\r\n0\r\n\r\n") {
                self.read_more()?;
            }
        } else {
            let length = text
                .split_once("\r\ncontent-length:")
                .and_then(|(_, rest)| rest.split("\r\n").next()?.trim().parse::<usize>().ok());
            let length = length.context("an answer without a length")?;
            self.pass_over((head + length).saturating_sub(self.filled))?;
        }
        if text.contains("\r\nconnection: close") {
            self.stream = connect(self.address)?;
        }
        Ok(())
    }

    fn read_more(&mut self) -> anyhow::Result<()> {
        if self.filled == self.buffer.len() {
            bail!("an answer is too long for the load generator");
        }
        let count = receive(&mut self.stream, &mut self.buffer[self.filled..])?;
        if count == 0 {
            bail!("the connection ended in the middle of an answer");
        }
        self.filled += count;
        Ok(())
    }

    fn pass_over(&mut self, mut length: usize) -> anyhow::Result<()> {
        while length > 0 {
            let most = length.min(self.buffer.len());
            let count = receive(&mut self.stream, &mut self.buffer[..most])?;
            if count == 0 {
                bail!("the connection ended in the middle of a body");
            }
            length -= count;
        }
        Ok(())
    }
}

/// Reads what is there. A signal that comes meanwhile, such as that of a server's end, is no failure.
fn receive(stream: &mut TcpStream, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(into) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
