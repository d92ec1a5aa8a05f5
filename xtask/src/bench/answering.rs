//! How many calls a second the responder answers, against a web server that
//! returns the same bytes and against stub servers.
//!
//! The client is an app that calls its dependency in a loop when it is called
//! itself: under `rehearsal test` its calls are answered from the recording, and
//! in front of the others it makes the same calls to them.

use super::load::Connection;
use super::page::{Samples, Section, Table};
use super::process::{Started, free_port, loopback};
use super::shop::Recording;
use super::{Bench, replaying, stubs};
use anyhow::{Context as _, ensure};
use std::path::Path;
use std::process::Command;

const CONNECTIONS: usize = 16;
const MOCKS: [u64; 2] = [1, 500];

/// What answers the calls.
pub(crate) enum Answerer {
    /// A server with as many stubs as there are mocks.
    Server { name: &'static str, port: u16, stubs: u64, _running: Started },
    /// The recording of this name.
    Rehearsal { name: &'static str, port: u16, target: u16, mocks: u64 },
}

/// A run of the caller.
struct Caller {
    port: u16,
    target: u16,
    mocks: u64,
    calls: u64,
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut notes = Vec::new();
    let mut servers = Vec::new();
    for mocks in MOCKS {
        servers.extend(stubs::start(bench, mocks, &mut notes)?);
    }
    notes.sort_unstable();
    notes.dedup();
    let Some(Answerer::Server { name: "nginx", port: web_port, .. }) = servers.first() else {
        notes.push("nothing measured: the recording is made from nginx's answers".into());
        return Ok(Section { title: TITLE, tables: Vec::new(), notes });
    };
    let mut answerers = Vec::new();
    let names = ["responder-1", "responder-500"];
    for (name, mocks) in names.into_iter().zip(MOCKS) {
        answerers.push(record(bench, name, *web_port, mocks)?);
    }
    // A server's two rows stand together.
    answerers.extend(servers);
    let mut rows: Vec<(Answerer, Samples)> =
        answerers.into_iter().map(|answerer| (answerer, Samples::default())).collect();
    rows.sort_by_key(|(answerer, _)| answerer.name());
    // What runs on a virtual machine of its own needs some rounds to reach its speed.
    let warm_up = bench.rounds(3);
    for round in 0..warm_up + bench.rounds(5) {
        for (answerer, samples) in &mut rows {
            let rate = call(bench, answerer)?;
            if round >= warm_up {
                samples.add(rate);
            }
        }
    }
    notes.push("goals: 0.5 × nginx, 10 × the best of the stub servers, at most 10 % lost from 1 to 500 mocks".into());
    notes.push(format!("{CONNECTIONS} connections, one call at a time on each; the client shares the machine with what answers, and is the same for all"));
    Ok(Section { title: TITLE, tables: vec![table(&rows)], notes })
}

const TITLE: &str = "Answering calls";

const OWN: &str = "rehearsal test";

impl Answerer {
    fn name(&self) -> &'static str {
        match self {
            Answerer::Server { name, .. } => name,
            Answerer::Rehearsal { .. } => OWN,
        }
    }

    fn mocks(&self) -> u64 {
        match self {
            Answerer::Server { stubs, .. } => *stubs,
            Answerer::Rehearsal { mocks, .. } => *mocks,
        }
    }
}

fn table(rows: &[(Answerer, Samples)]) -> Table {
    let mut table = Table::new(&[
        "answered by",
        "mocks",
        "answers/s",
        "rehearsal ÷ this",
        "÷ same with 1 mock",
    ]);
    let samples_of = |name: &str, mocks: u64| {
        let row = rows.iter().find(|(other, _)| other.name() == name && other.mocks() == mocks);
        row.map(|(_, samples)| samples)
    };
    for (answerer, samples) in rows {
        let recording = samples_of(OWN, answerer.mocks()).map(|other| other.over(samples));
        let single = samples_of(answerer.name(), 1).map(|other| samples.over(other));
        table.row([
            answerer.name().to_owned(),
            answerer.mocks().to_string(),
            samples.shown(),
            recording.map_or(String::new(), |ratio| ratio.shown()),
            single.map_or(String::new(), |ratio| ratio.shown()),
        ]);
    }
    table
}

/// Makes a recording in which the app asks for every item while it starts.
fn record(
    bench: &Bench,
    name: &'static str,
    web_port: u16,
    mocks: u64,
) -> anyhow::Result<Answerer> {
    let caller = Caller { port: free_port()?, target: web_port, mocks, calls: 0 };
    let app = [bench.own.as_path(), Path::new("app"), Path::new("caller")];
    let recording = Recording::start(bench, name, caller.port, &app, |command| {
        caller.tell(bench, command);
    })?;
    trigger(caller.port)?;
    let (_, tests) = recording.stop()?;
    ensure!(tests == 1, "{tests} tests were recorded, not one");
    Ok(Answerer::Rehearsal { name, port: caller.port, target: web_port, mocks })
}

impl Caller {
    fn tell(&self, bench: &Bench, command: &mut Command) {
        command
            .env("PORT", self.port.to_string())
            .env("TARGET", loopback(self.target).to_string())
            .env("MOCKS", self.mocks.to_string())
            .env("CALLS", self.calls.to_string())
            .env("CONNECTIONS", CONNECTIONS.to_string())
            .env("RESULT", bench.folder().join("result"));
    }
}

fn trigger(port: u16) -> anyhow::Result<()> {
    let mut connection = Connection::open(loopback(port))?;
    connection.exchange(b"GET /run HTTP/1.1\r\nhost: shop.example\r\n\r\n", "200")
}

/// Calls per second that were answered.
fn call(bench: &Bench, answerer: &Answerer) -> anyhow::Result<f64> {
    let mocks = answerer.mocks();
    let calls = bench.scaled(20_000);
    let result = bench.folder().join("result");
    match answerer {
        Answerer::Server { port, name, .. } => {
            let caller = Caller { port: free_port()?, target: *port, mocks, calls };
            let mut command = Command::new(&bench.own);
            command.args(["app", "caller"]);
            caller.tell(bench, &mut command);
            let mut app = Started::new(bench.folder(), "caller", &mut command)?;
            app.listening(caller.port).with_context(|| format!("to call {name}"))?;
            trigger(caller.port).with_context(|| format!("to call {name}: {}", app.said()))?;
        }
        Answerer::Rehearsal { name, port, target, .. } => {
            let mut command = Command::new(&bench.rehearsal);
            command.arg("-C").arg(bench.folder()).args(["test", name]);
            Caller { port: *port, target: *target, mocks, calls }.tell(bench, &mut command);
            let replayed = replaying::run(bench, &mut command)?;
            ensure!(replayed.passed == 1, "the replayed test did not pass");
        }
    }
    let text = std::fs::read_to_string(&result).context("the caller gave no result")?;
    std::fs::remove_file(&result)?;
    let rate = text.split(' ').next().and_then(|rate| rate.parse().ok());
    rate.context("the caller's result is no number")
}
