//! What recording costs a database's clients, and how fast the responder answers them: the load
//! generators that come with the servers, run directly, through HAProxy, recorded and replayed.
//!
//! A load generator is run by an app that starts it when it is called, so that all that it asks
//! belongs to one test.

use super::Bench;
use super::load::Connection;
use super::page::{Samples, Section, Table, number};
use super::process::{Started, free_port, loopback};
use super::replaying;
use super::servers::{Reached, Servers, USER};
use super::shop::{self, Recording};
use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

const CLIENTS: u64 = 8;
/// Requests of which a recording is made to be replayed.
const FEW: u64 = 16 * CLIENTS;

/// One way to load a server.
#[derive(Clone, Copy)]
struct Load {
    title: &'static str,
    /// Its name in the recording.
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// `pgbench -M <mode>`, asking the same question again and again.
    Pgbench(&'static str),
    /// `redis-benchmark -t <command> -P <pipeline>`
    Redis { command: &'static str, pipeline: u64 },
}

const LOADS: &[Load] = &[
    Load { title: "pgbench, simple", name: "simple", kind: Kind::Pgbench("simple") },
    Load { title: "pgbench, extended", name: "extended", kind: Kind::Pgbench("extended") },
    Load { title: "pgbench, prepared", name: "prepared", kind: Kind::Pgbench("prepared") },
    redis("redis-benchmark, SET", "set", 1),
    redis("redis-benchmark, GET", "get", 1),
    redis("redis-benchmark, GET, 16 at once", "get", 16),
];

const fn redis(title: &'static str, command: &'static str, pipeline: u64) -> Load {
    Load { title, name: command, kind: Kind::Redis { command, pipeline } }
}

/// The question that pgbench asks; it stands for what an app asks of a table by its key.
const QUESTION: &str = "SELECT abalance FROM pgbench_accounts WHERE aid = 4242;\n";

/// What was measured of one load.
#[derive(Default)]
struct Series {
    direct: Samples,
    haproxy: Samples,
    recorded: Samples,
    replayed: Samples,
    bytes: f64,
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let servers = Servers::start(bench)?;
    std::fs::write(bench.folder().join("question.sql"), QUESTION)?;
    let (mut recording, mut answering) = (recording_table(), answering_table());
    for load in LOADS {
        let series = load.measure(bench, &servers)?;
        recording.row([
            load.title.to_owned(),
            series.direct.shown(),
            series.haproxy.shown(),
            series.recorded.shown(),
            series.recorded.over(&series.haproxy).shown(),
            number(series.bytes),
        ]);
        answering.row([
            load.title.to_owned(),
            series.direct.shown(),
            series.replayed.shown(),
            series.replayed.over(&series.direct).shown(),
        ]);
        bench.progress(load.title);
    }
    let mut notes = servers.versions.clone();
    notes.push(format!("{CLIENTS} connections; a request is a query by key, or a command"));
    notes.push("goals: recorded at least 0.8 × HAProxy; replayed at least 1 × PostgreSQL, and 0.5 × Redis with 16 commands at once".into());
    notes.push(
        "the load generator, the server and what is measured share the machine's cores".into(),
    );
    Ok(Section {
        title: "Databases: recording and answering",
        tables: vec![recording, answering],
        notes,
    })
}

fn recording_table() -> Table {
    Table::new(&[
        "requests/s while recording",
        "direct",
        "HAProxy (TCP)",
        "rehearsal record",
        "record ÷ HAProxy",
        "bytes per exchange",
    ])
}

fn answering_table() -> Table {
    Table::new(&[
        "answers/s",
        "the server",
        "rehearsal test, the server out of reach",
        "test ÷ server",
    ])
}

impl Load {
    fn measure(self, bench: &Bench, servers: &Servers) -> anyhow::Result<Series> {
        let (mut series, name) = (Series::default(), self.recording());
        let requests = bench.scaled(20_000);
        let own = free_port()?;
        let app = [bench.own.as_path(), Path::new("app"), Path::new("runner")];
        let recording = Recording::start(bench, &name, own, &app, |command| {
            self.tell(bench, command, own, servers.direct, requests);
        })?;
        let rounds = bench.rounds(5);
        for round in 0..=rounds {
            let direct = self.run(bench, servers.direct, requests)?;
            let haproxy =
                servers.haproxy.map(|front| self.run(bench, front, requests)).transpose()?;
            let recorded = self.triggered(bench, own)?;
            // The first round warms everything up.
            if round > 0 {
                series.direct.add(direct);
                series.recorded.add(recorded);
                haproxy.into_iter().for_each(|rate| series.haproxy.add(rate));
            }
        }
        let (_, tests) = recording.stop()?;
        ensure!(tests == rounds as u64 + 1, "{tests} tests were recorded");
        let folder = bench.folder().join("rehearsal").join(&name);
        series.bytes = size(&folder)? as f64 / (requests * tests) as f64;
        shop::forget(bench, &name)?;
        if self.repeats() {
            self.replay(bench, servers, &mut series)?;
        }
        Ok(series)
    }

    /// Whether asking more often than was recorded is answered: a write is not.
    fn repeats(self) -> bool {
        !matches!(self.kind, Kind::Redis { command: "set", .. })
    }

    /// Records few requests, made before the app listens so that they belong to no test, and asks
    /// for many.
    fn replay(self, bench: &Bench, servers: &Servers, series: &mut Series) -> anyhow::Result<()> {
        let (own, name) = (free_port()?, self.recording());
        let app = [bench.own.as_path(), Path::new("app"), Path::new("runner")];
        let recording = Recording::start(bench, &name, own, &app, |command| {
            self.tell(bench, command, own, servers.direct, 0);
            command.env("RUN", "true").env("RUN_FIRST", self.line(bench, servers.direct, FEW));
        })?;
        trigger(own)?;
        recording.stop()?;
        for round in 0..=bench.rounds(5) {
            let mut command = Command::new(&bench.rehearsal);
            command.arg("-C").arg(bench.folder()).args(["test", &name]);
            self.tell(bench, &mut command, own, servers.direct, bench.scaled(40_000));
            command.env("RUN_FIRST", self.line(bench, servers.direct, FEW));
            let replayed = replaying::run(bench, &mut command)?;
            ensure!(replayed.passed == 1, "the replayed test did not pass");
            let rate = self.rate(bench)?;
            if round > 0 {
                series.replayed.add(rate);
            }
        }
        shop::forget(bench, &name)
    }

    /// Tells the app that runs the load what to run.
    fn tell(self, bench: &Bench, command: &mut Command, own: u16, at: Reached, requests: u64) {
        command.env("PORT", own.to_string()).env("RUN", self.line(bench, at, requests));
        command.env("RESULT", bench.folder().join("result"));
    }

    fn line(self, bench: &Bench, at: Reached, requests: u64) -> String {
        let clients = CLIENTS.to_string();
        let text = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        match self.kind {
            Kind::Pgbench(mode) => {
                let program = program(bench.tools.postgres().map(|path| path.join("pgbench")));
                let script = bench.folder().join("question.sql");
                let (port, each) = (at.postgres.to_string(), (requests / CLIENTS).to_string());
                let mut words = vec![program];
                words.extend(text(&["-n", "-h", "127.0.0.1", "-p", &port, "-U", USER]));
                words.extend(text(&["-c", &clients, "-t", &each, "-M", mode, "-f"]));
                words.extend([script.display().to_string(), "postgres".to_owned()]);
                words.join(" ")
            }
            Kind::Redis { command, pipeline } => {
                let benchmark = bench.tools.redis();
                let program =
                    program(benchmark.map(|server| server.with_file_name("redis-benchmark")));
                let (port, pipeline) = (at.redis.to_string(), pipeline.to_string());
                let requests = requests.to_string();
                let mut words = vec![program];
                words.extend(text(&["-h", "127.0.0.1", "-p", &port, "-c", &clients, "--csv"]));
                words.extend(text(&["-t", command, "-n", &requests, "-P", &pipeline]));
                words.join(" ")
            }
        }
    }

    fn recording(self) -> String {
        match self.kind {
            Kind::Pgbench(_) => self.name.to_owned(),
            Kind::Redis { pipeline, .. } => format!("{}-{pipeline}", self.name),
        }
    }

    /// Runs it before a server or a proxy.
    fn run(self, bench: &Bench, at: Reached, requests: u64) -> anyhow::Result<f64> {
        let own = free_port()?;
        let mut command = Command::new(&bench.own);
        command.args(["app", "runner"]);
        self.tell(bench, &mut command, own, at, requests);
        let mut app = Started::new(bench.folder(), "runner", &mut command)?;
        app.listening(own)?;
        self.triggered(bench, own).with_context(|| app.said())
    }

    fn triggered(self, bench: &Bench, port: u16) -> anyhow::Result<f64> {
        trigger(port)?;
        self.rate(bench)
    }

    /// What the load generator says that it reached, in requests per second.
    fn rate(self, bench: &Bench) -> anyhow::Result<f64> {
        let result = bench.folder().join("result");
        let text = std::fs::read_to_string(&result).context("the load gave no result")?;
        std::fs::remove_file(&result)?;
        let rate = match self.kind {
            // `tps = 1234.5 (without initial connection time)`
            Kind::Pgbench(_) => {
                text.split_once("tps = ").and_then(|(_, rest)| rest.split(' ').next())
            }
            // `"GET","12345.6","0.1",…` below a line of names
            Kind::Redis { .. } => text.lines().last().and_then(|line| line.split('"').nth(3)),
        };
        rate.and_then(|rate| rate.parse().ok()).with_context(|| format!("no rate in: {text}"))
    }
}

fn trigger(port: u16) -> anyhow::Result<()> {
    let mut connection = Connection::open(loopback(port))?;
    connection.exchange(b"GET /run HTTP/1.1\r\nhost: shop.example\r\n\r\n", "200")
}

fn program(found: Option<PathBuf>) -> String {
    found.map_or_else(String::new, |path| path.display().to_string())
}

/// The bytes of the files in a folder.
fn size(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
