//! How long it takes to replay a thousand recorded tests of an app with a database: beside the same requests
//! sent to the app with its real database by a plain client, and beside another tool, if one is given.
//!
//! Each is the wall time of the whole, with the app's start and end.

use super::Bench;
use super::load::{self, Burst, NUMBER, Request};
use super::page::{Samples, Section, Table};
use super::process::{Started, free_port, loopback};
use super::replaying;
use super::servers::Servers;
use super::shop::Recording;
use anyhow::ensure;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// One way to send or replay all of it.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// The requests, over so many connections, to the app with its database.
    Client(usize),
    /// `rehearsal test` with so many copies.
    Replay(usize),
    /// A shell line.
    Other(&'a str),
}

impl Way<'_> {
    fn title(self) -> String {
        match self {
            Way::Client(connections) => {
                format!("HTTP client, real database, connections: {connections}")
            }
            Way::Replay(copies) => format!("rehearsal test -j{copies}"),
            Way::Other(line) => format!("`{line}`"),
        }
    }
}

/// What all of them work with.
struct Scene<'a> {
    bench: &'a Bench,
    own: u16,
    postgres: u16,
    tests: u64,
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let servers = Servers::start(bench)?;
    let (own, postgres) = (free_port()?, servers.direct.postgres);
    let scene = Scene { bench, own, postgres, tests: bench.scaled(1000) };
    scene.record()?;
    let mut ways = vec![Way::Client(1), Way::Client(2), Way::Replay(1), Way::Replay(2)];
    ways.extend(bench.against.as_deref().map(Way::Other));
    let mut series: Vec<Samples> = ways.iter().map(|_| Samples::default()).collect();
    for round in 0..=bench.rounds(7) {
        for (way, series) in ways.iter().zip(&mut series) {
            let took = scene.once(*way)?;
            // The first round makes caches and warms files up.
            if round > 0 {
                series.add(took.as_secs_f64() * 1e3);
            }
        }
    }
    let mut table = Table::new(&["way", "requests", "wall time, ms", "÷ client, 1 connection"]);
    for (way, took) in ways.iter().zip(&series) {
        let ratio = took.over(&series[0]);
        table.row([way.title(), scene.tests.to_string(), took.shown(), ratio.shown()]);
    }
    let mut notes = servers.versions.clone();
    notes.push("goal: replayed in no more time than the plain client needs".to_owned());
    notes.push(
        "half of the requests read an account (one statement), half withdraw from one (four, in a \
         transaction); wall time of the whole, with the app's start and end; while replaying, \
         nothing is said to the database"
            .to_owned(),
    );
    if bench.against.is_none() {
        let how = "another tool is measured with `--against LINE`, a shell line that replays them";
        notes.push(how.to_owned());
    }
    Ok(Section { title: "A thousand tests, beside their requests", tables: vec![table], notes })
}

impl Scene<'_> {
    fn requests(&self) -> [(Request, u64); 2] {
        let withdrawal = Request::post(&format!("/withdrawals/{NUMBER}"), "{}", "200");
        let half = self.tests / 2;
        [(Request::get(&format!("/accounts/{NUMBER}")), half), (withdrawal, self.tests - half)]
    }

    fn send(&self, connections: usize) -> anyhow::Result<()> {
        let numbers = AtomicU64::new(0);
        for (request, requests) in self.requests() {
            let burst = Burst { connections, requests, time: Duration::from_secs(120) };
            let sent = load::run(loopback(self.own), &request, burst, &numbers)?;
            ensure!(sent.answered == requests, "{} of {requests} were answered", sent.answered);
        }
        Ok(())
    }

    fn tell(&self, command: &mut Command) {
        command.env("PORT", self.own.to_string()).env("POSTGRES", self.postgres.to_string());
    }

    fn record(&self) -> anyhow::Result<()> {
        let app = [self.bench.own.as_path(), Path::new("app"), Path::new("ledger")];
        let recording =
            Recording::start(self.bench, "wall", self.own, &app, |command| self.tell(command))?;
        self.send(1)?;
        let (_, tests) = recording.stop()?;
        ensure!(tests == self.tests, "recorded {tests} tests of {} requests", self.tests);
        let mut lines = String::new();
        for number in 0..tests {
            let read = number < tests / 2;
            let (method, path) = if read { ("GET", "accounts") } else { ("POST", "withdrawals") };
            writeln!(lines, "{method} /{path}/{number:010}")?;
        }
        Ok(std::fs::write(self.bench.folder().join("requests.txt"), lines)?)
    }

    fn once(&self, way: Way) -> anyhow::Result<Duration> {
        let bench = self.bench;
        let began = Instant::now();
        match way {
            Way::Client(connections) => {
                let mut command = Command::new(&bench.own);
                command.args(["app", "ledger"]);
                self.tell(&mut command);
                let mut app = Started::new(bench.folder(), "ledger", &mut command)?;
                app.listening_asked_every(self.own, Duration::from_micros(100))?;
                let sent = self.send(connections);
                app.end(libc::SIGTERM)?;
                sent?;
            }
            Way::Replay(copies) => {
                let mut command = Command::new(&bench.rehearsal);
                command.arg("-C").arg(bench.folder()).args(["test", "wall"]);
                command.arg(format!("-j{copies}"));
                self.tell(&mut command);
                let replayed = replaying::run(bench, &mut command)?;
                ensure!(replayed.passed == self.tests, "{} tests passed", replayed.passed);
            }
            Way::Other(line) => {
                let mut command = Command::new("sh");
                command.args(["-c", line]).current_dir(bench.folder());
                command.env("APP", format!("{} app ledger", bench.own.display()));
                command.env("REQUESTS", bench.folder().join("requests.txt"));
                self.tell(&mut command);
                let mut other = Started::new(bench.folder(), "other", &mut command)?;
                let ended = other.wait()?;
                ensure!(ended.status.success(), "{line}: {}\n{}", ended.status, other.said());
            }
        }
        Ok(began.elapsed())
    }
}
