//! What recording costs over TLS: HTTP/1.1, HTTP/2, gRPC and many streams at once, beside the two proxies that
//! end TLS most often and one that reads as we do; and what an idle connection takes.
//!
//! h2load is the client of all. The app is nginx: it is the same before every proxy, and quick enough to be no
//! part of the answer.

mod fronts;
mod idle;

use super::Bench;
use super::page::{Samples, Section, Table, number};
use super::process::{check, processor_time};
use super::shop;
use anyhow::{Context as _, ensure};
use fronts::{Front, Fronts};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// One way to load a front.
struct Load {
    title: &'static str,
    /// Whether it speaks HTTP/1.1.
    first: bool,
    connections: u64,
    /// Requests on a connection at a time.
    streams: u64,
    requests: u64,
    grpc: bool,
}

const LOADS: &[Load] = &[
    Load {
        title: "HTTPS/1.1, 16 connections",
        first: true,
        connections: 16,
        streams: 1,
        requests: 5_000,
        grpc: false,
    },
    Load {
        title: "HTTP/2, 16 connections, 1 stream each",
        first: false,
        connections: 16,
        streams: 1,
        requests: 5_000,
        grpc: false,
    },
    Load {
        title: "HTTP/2, 4 connections, 16 streams each",
        first: false,
        connections: 4,
        streams: 16,
        requests: 5_000,
        grpc: false,
    },
    Load {
        title: "gRPC, unary, 4 connections, 16 calls each",
        first: false,
        connections: 4,
        streams: 16,
        requests: 5_000,
        grpc: true,
    },
    Load {
        title: "HTTP/2, 1 connection, 1,000 streams",
        first: false,
        connections: 1,
        streams: 1_000,
        requests: 10_000,
        grpc: false,
    },
    Load {
        title: "HTTP/2, 8 connections, 125 streams each",
        first: false,
        connections: 8,
        streams: 125,
        requests: 10_000,
        grpc: false,
    },
];

/// What was measured of one front.
#[derive(Clone, Default)]
struct Series {
    rate: Samples,
    processor: Samples,
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let h2load = bench.tools.h2load().context("h2load is not installed (nghttp2-client)")?;
    let (fronts, mut notes) = Fronts::start(bench, "encrypted")?;
    let mut table = Table::new(&[
        "over TLS",
        "through",
        "requests/s",
        "record ÷ this",
        "processor time of it, µs per request",
    ]);
    for load in LOADS {
        let series = rounds(bench, &h2load, &fronts, load)?;
        let Some(recorded) = series.last() else { continue };
        for (front, own) in fronts.all.iter().zip(&series) {
            table.row([
                load.title.to_owned(),
                front.name.to_owned(),
                own.rate.shown(),
                recorded.rate.over(&own.rate).shown(),
                number(own.processor.median()),
            ]);
        }
        bench.progress(load.title);
    }
    let sent = fronts.all.last().map_or(0, |front| front.sent.get());
    let (ended, recorded) = fronts.recording.stop()?;
    shop::forget(bench, "encrypted")?;
    let lost = if recorded == sent { "none lost" } else { "they differ" };
    notes.push(format!(
        "recorded {recorded} tests of {sent} requests sent ({lost}); stopping took {:.2} s",
        ended.took.as_secs_f64()
    ));
    notes.push("goals: `record` at least 0.8 × HAProxy and nginx, and 20 × mitmproxy".into());
    notes.push("every proxy ends TLS, and begins it again towards the app; nginx speaks HTTP/1.1 to the app, and is left out of gRPC".into());
    notes.push("h2load, the app (nginx) and what is measured share the machine's cores; keys of P-256; opening the connections is a part of the time".into());
    let idle = idle::measure(bench)?;
    notes.push(idle::NOTE.into());
    Ok(Section { title: "Recording over TLS", tables: vec![table, idle], notes })
}

fn rounds(
    bench: &Bench,
    h2load: &Path,
    fronts: &Fronts,
    load: &Load,
) -> anyhow::Result<Vec<Series>> {
    let mut series = vec![Series::default(); fronts.all.len()];
    // The first round warms everything up and is not counted.
    for round in 0..=bench.rounds(5) {
        for (front, series) in fronts.all.iter().zip(&mut series) {
            check()?;
            // It takes what the app says of a call's body after its answer for another call's, and fails some.
            if load.grpc && front.name == "nginx" {
                continue;
            }
            let requests = (bench.scaled(load.requests) / front.slower).max(load.streams);
            let before = processor_time(front.id)?;
            let rate = run(bench, h2load, front, load, requests)?;
            let spent = processor_time(front.id)?.saturating_sub(before);
            if round > 0 {
                series.rate.add(rate);
                series.processor.add(per_request(spent, requests));
            }
        }
    }
    Ok(series)
}

fn per_request(spent: Duration, requests: u64) -> f64 {
    spent.as_secs_f64() * 1e6 / requests as f64
}

/// Runs h2load; requests per second. All must be answered with a success.
fn run(
    bench: &Bench,
    h2load: &Path,
    front: &Front,
    load: &Load,
    requests: u64,
) -> anyhow::Result<f64> {
    let mut command = Command::new(h2load);
    command.args(["-n", &requests.to_string(), "-t", "1"]);
    command.args(["-c", &load.connections.to_string(), "-m", &load.streams.to_string()]);
    let port = if load.first { front.http1 } else { front.http2 };
    if load.first {
        command.arg("--h1");
    }
    let mut path = "/health";
    if load.grpc {
        path = "/bench.Bench/Look";
        command.arg("-d").arg(bench.folder().join("message"));
        command.args(["-H", "content-type: application/grpc", "-H", "te: trailers"]);
    }
    command.arg(format!("https://127.0.0.1:{port}{path}"));
    let said = command.stdin(Stdio::null()).output().context("failed to start h2load")?;
    let text = String::from_utf8_lossy(&said.stdout);
    front.sent.set(front.sent.get() + requests);
    let all = format!("{requests} done, {requests} succeeded");
    let successes = format!("status codes: {requests} 2xx");
    ensure!(
        text.contains(&all) && text.contains(&successes),
        "through {}, {}: {text}",
        front.name,
        load.title
    );
    // `finished in 178.01ms, 28089.10 req/s, 4.53MB/s`
    let rate = text.split_once(" req/s").and_then(|(before, _)| before.rsplit(' ').next());
    rate.and_then(|rate| rate.parse().ok()).with_context(|| format!("no rate in: {text}"))
}
