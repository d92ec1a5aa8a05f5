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
    /// A server with a stub for each mock.
    Server { name: &'static str, port: u16, _running: Started },
    /// The recording of this name.
    Rehearsal { name: &'static str, port: u16, target: u16 },
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
    let mut servers = stubs::start(bench, 500, &mut notes)?;
    let mut answerers = Vec::new();
    let Some(Answerer::Server { port: web_port, .. }) = servers.first() else {
        notes.push("nothing measured: the recording is made from nginx's answers".into());
        return Ok(Section { title: TITLE, tables: Vec::new(), notes });
    };
    let names = ["responder-1", "responder-500"];
    for (name, mocks) in names.into_iter().zip(MOCKS) {
        answerers.push(record(bench, name, *web_port, mocks)?);
    }
    answerers.append(&mut servers);

    // A row for each answerer and number of mocks, in which a recording has its own number.
    let mut rows: Vec<(usize, u64, Samples)> = Vec::new();
    for (index, answerer) in answerers.iter().enumerate() {
        for (place, mocks) in MOCKS.into_iter().enumerate() {
            if matches!(answerer, Answerer::Server { .. }) || index == place {
                rows.push((index, mocks, Samples::default()));
            }
        }
    }
    for round in 0..=bench.rounds(5) {
        for (index, mocks, samples) in &mut rows {
            let rate = call(bench, &answerers[*index], *mocks)?;
            if round > 0 {
                samples.add(rate);
            }
        }
    }
    notes.push("goals: 0.5 × nginx, 10 × the best of the stub servers, at most 10 % lost from 1 to 500 mocks".into());
    notes.push(format!("{CONNECTIONS} connections, one call at a time on each; the client shares the machine with what answers, and is the same for all"));
    Ok(Section { title: TITLE, tables: vec![table(&answerers, &rows)], notes })
}

const TITLE: &str = "Answering calls";

fn table(answerers: &[Answerer], rows: &[(usize, u64, Samples)]) -> Table {
    let mut table =
        Table::new(&["answered by", "mocks", "answers/s", "rehearsal ÷ this", "÷ own with 1 mock"]);
    for (index, mocks, samples) in rows {
        let with = |mocks: u64, wanted: &dyn Fn(usize) -> bool| {
            rows.iter().find(|(index, other, _)| *other == mocks && wanted(*index))
        };
        let is_recording = |index: usize| matches!(answerers[index], Answerer::Rehearsal { .. });
        let recording = with(*mocks, &is_recording);
        let single = if is_recording(*index) {
            with(1, &is_recording)
        } else {
            with(1, &|other| other == *index)
        };
        let over = |other: Option<&(usize, u64, Samples)>, own_first: bool| {
            other.map_or(String::new(), |(_, _, other)| {
                let ratio = if own_first { samples.over(other) } else { other.over(samples) };
                ratio.shown()
            })
        };
        let name = match &answerers[*index] {
            Answerer::Server { name, .. } => *name,
            Answerer::Rehearsal { .. } => "rehearsal test",
        };
        table.row([
            name.to_owned(),
            mocks.to_string(),
            samples.shown(),
            over(recording, false),
            over(single, true),
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
    Ok(Answerer::Rehearsal { name, port: caller.port, target: web_port })
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
fn call(bench: &Bench, answerer: &Answerer, mocks: u64) -> anyhow::Result<f64> {
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
        Answerer::Rehearsal { name, port, target } => {
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
