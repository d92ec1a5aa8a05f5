//! Small apps that a measurement puts under `rehearsal`: one that takes and gives
//! any number of bytes, one that calls a dependency as fast as it can, one that
//! runs a load generator, one with a database, which is in `ledger`, and one that reads clocks, in `clock`.
//!
//! They are configured by environment variables, as the fixtures are.

use super::clock::Watch;
use super::ledger::Ledger;
use super::load::{self, Burst, Connection, NUMBER, Request};
use super::process;
use anyhow::Context as _;
use clap::Subcommand;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// The size of what is read and written at once.
const PIECE: usize = 64 * 1024;

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum App {
    /// Takes bodies of any size; `GET /<n>` gives n bytes
    Bytes {
        #[arg(env = "PORT")]
        port: u16,
    },
    /// Calls a dependency when it is called
    Caller(Caller),
    /// Runs a shell line when it is called
    Runner(Runner),
    /// Asks a PostgreSQL database when it is called
    Ledger(Ledger),
    /// Reads clocks when it is called
    Watch(Watch),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Runner {
    #[arg(env = "PORT")]
    port: u16,
    /// The line
    #[arg(env = "RUN")]
    line: String,
    /// A line to run before it listens
    #[arg(env = "RUN_FIRST")]
    first: Option<String>,
    /// Where to write what it says
    #[arg(env = "RESULT")]
    result: PathBuf,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Caller {
    #[arg(env = "PORT")]
    port: u16,
    /// The dependency
    #[arg(env = "TARGET")]
    target: SocketAddr,
    /// How many different requests there are; each is made once before the app listens
    #[arg(env = "MOCKS")]
    mocks: u64,
    /// How many calls to make when called
    #[arg(env = "CALLS")]
    calls: u64,
    #[arg(env = "CONNECTIONS")]
    connections: usize,
    /// Where to write the calls answered per second
    #[arg(env = "RESULT")]
    result: PathBuf,
}

impl App {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            App::Bytes { port } => serve(port, take_and_give),
            App::Caller(caller) => caller.run(),
            App::Runner(runner) => runner.run(),
            App::Ledger(ledger) => ledger.run(),
            App::Watch(watch) => watch.run(),
        }
    }
}

/// What the caller asks of its dependency.
pub(crate) fn call() -> Request {
    Request::get(&format!("/item/{NUMBER}"))
}

impl Caller {
    fn run(self) -> anyhow::Result<()> {
        let mut connection = Connection::open(self.target)?;
        let mut request = call();
        for number in 0..self.mocks {
            connection.exchange(request.with_number(number), "200")?;
        }
        drop(connection);
        serve(self.port, move |_, _, stream| {
            if self.calls > 0 {
                self.call()?;
            }
            answer(stream, b"\"called\"")
        })
    }

    fn call(&self) -> anyhow::Result<()> {
        let request = call().cycling(self.mocks);
        let burst = Burst {
            connections: self.connections,
            requests: self.calls,
            time: Duration::from_secs(3),
        };
        let outcome = load::run(self.target, &request, burst, &AtomicU64::new(0))?;
        let line = format!("{} {}", outcome.per_second(), outcome.answered);
        std::fs::write(&self.result, line).context("failed to write the result")
    }
}

impl Runner {
    fn run(self) -> anyhow::Result<()> {
        if let Some(first) = &self.first {
            said(first)?;
        }
        serve(self.port, move |_, _, stream| {
            std::fs::write(&self.result, said(&self.line)?)
                .context("failed to write the result")?;
            answer(stream, b"\"ran\"")
        })
    }
}

/// What a shell line writes.
fn said(line: &str) -> anyhow::Result<Vec<u8>> {
    let ran = Command::new("sh").args(["-c", line]).stdin(Stdio::null()).output()?;
    anyhow::ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Ok(ran.stdout)
}

/// A thread for each connection; an app that is stopped by a signal needs no more.
pub(crate) fn serve(
    port: u16,
    answer: impl Fn(u64, &str, &mut BufReader<TcpStream>) -> anyhow::Result<()> + Send + Sync,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(process::loopback(port))?;
    std::thread::scope(|scope| {
        for stream in listener.incoming() {
            let answer = &answer;
            let stream = stream?;
            scope.spawn(move || converse(stream, answer));
        }
        Ok(())
    })
}

/// Until the client has no more requests. Its errors are seen by the client.
fn converse(
    stream: TcpStream,
    answer: impl Fn(u64, &str, &mut BufReader<TcpStream>) -> anyhow::Result<()>,
) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::with_capacity(PIECE, stream);
    while let Ok(Some((path, length))) = head(&mut stream) {
        if answer(length, &path, &mut stream).is_err() {
            return;
        }
    }
}

/// The path and the length of the body.
fn head(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Option<(String, u64)>> {
    let (mut path, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(Some((path, length)));
        }
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        } else if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
}

fn take_and_give(length: u64, path: &str, stream: &mut BufReader<TcpStream>) -> anyhow::Result<()> {
    let taken = std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink())?;
    anyhow::ensure!(taken == length, "the body is cut off");
    let Ok(wanted) = path.trim_start_matches('/').parse::<u64>() else {
        return answer(stream, format!("{{\"received\":{taken}}}").as_bytes());
    };
    let out = stream.get_mut();
    write!(
        out,
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {wanted}\r\n\r\n"
    )?;
    send_bytes(out, wanted)?;
    Ok(())
}

/// Sends bytes that are no text and do not repeat within a piece.
pub(crate) fn send_bytes(out: &mut impl std::io::Write, length: u64) -> std::io::Result<()> {
    let mut state = length | 1;
    let piece: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(PIECE)
    .collect();
    let mut left = length;
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        out.write_all(&piece[..count])?;
        left -= count as u64;
    }
    Ok(())
}

pub(crate) fn answer(stream: &mut BufReader<TcpStream>, json: &[u8]) -> anyhow::Result<()> {
    let mut text = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        json.len()
    )
    .into_bytes();
    text.extend_from_slice(json);
    stream.get_mut().write_all(&text)?;
    Ok(())
}
