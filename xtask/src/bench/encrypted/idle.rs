//! What a connection takes that nobody uses at the moment.

use super::fronts::{Front, Fronts};
use crate::bench::page::{Samples, Table};
use crate::bench::process::{Started, check, moment, resident_memory};
use crate::bench::{Bench, shop};
use anyhow::ensure;
use std::process::Command;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 1000;
/// How long it may take to open them.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) const NOTE: &str = "an idle connection has had one request and its answer; what the process has grown by (`VmRSS`) over 1,000 of them, that towards the app included; each process is a new one";

/// Opens connections, asks once on each, says so, and holds them until it is stopped.
const CLIENT: &str = "\
import signal, socket, ssl, sys
port, count, secure = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == 'tls'
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
held = []
for _ in range(count):
    held.append(socket.create_connection(('127.0.0.1', port)))
    if secure:
        held[-1] = context.wrap_socket(held[-1])
    held[-1].sendall(b'GET /health HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n')
    if not held[-1].recv(65536).startswith(b'HTTP/1.1 200'):
        sys.exit('it was not answered')
print('all are open', flush=True)
signal.pause()
";

/// Memory of each front per idle connection.
pub(super) fn measure(bench: &Bench) -> anyhow::Result<Table> {
    let mut series: Vec<(&str, [Samples; 2])> = Vec::new();
    for _ in 0..bench.rounds(3) {
        for (kind, secure) in [false, true].into_iter().enumerate() {
            let below = bench.below(bench.folder())?;
            let (fronts, _) = Fronts::start(&below, "idle")?;
            series.resize_with(fronts.all.len(), Default::default);
            for (front, (name, samples)) in fronts.all.iter().zip(&mut series) {
                *name = front.name;
                samples[kind].add(growth(&below, front, secure)?);
            }
            fronts.recording.stop()?;
            shop::forget(&below, "idle")?;
        }
    }
    let mut table = Table::new(&["KiB per idle connection", "without TLS", "over TLS"]);
    // What stands alone is the app.
    for (name, [plain, tls]) in &series[1..] {
        table.row([(*name).to_owned(), plain.shown(), tls.shown()]);
    }
    bench.progress("idle connections");
    Ok(table)
}

/// By how much a front's memory grows with each connection, in KiB.
fn growth(bench: &Bench, front: &Front, secure: bool) -> anyhow::Result<f64> {
    // What the first ones take stays, and what was needed to start goes.
    drop(open(bench, front, secure, CONNECTIONS / 10)?);
    let before = resident_memory(front.id)?;
    let _held = open(bench, front, secure, CONNECTIONS)?;
    let after = resident_memory(front.id)?;
    Ok((after as f64 - before as f64) / 1024.0 / CONNECTIONS as f64)
}

/// A client that holds so many connections until it is dropped.
fn open(bench: &Bench, front: &Front, secure: bool, count: usize) -> anyhow::Result<Started> {
    let port = if secure { front.http1 } else { front.plain };
    let mut command = Command::new("python3");
    command.args(["-c", CLIENT, &port.to_string(), &count.to_string()]);
    command.arg(if secure { "tls" } else { "plain" });
    let mut client = Started::new(bench.folder(), "idle-client", &mut command)?;
    let began = Instant::now();
    while !client.said().contains("all are open") {
        check()?;
        ensure!(
            began.elapsed() < PATIENCE && client.is_running()?,
            "{}: {}",
            front.name,
            client.said()
        );
        moment(Duration::from_millis(20));
    }
    Ok(client)
}
