//! What recording costs the app: requests per second and latency of the Rust shop,
//! alone, recorded, and behind two other proxies.
//!
//! Each proxy stands at the same three edges: before the shop, and before both of
//! its dependencies.

use super::load::{self, Burst, NUMBER, Request};
use super::page::{Samples, Section, Table, number};
use super::process::{Started, free_port, loopback};
use super::shop::{self, Ports, Recording, Services};
use super::{Bench, tools};
use anyhow::ensure;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// Something that the shop stands behind.
struct Target {
    name: &'static str,
    port: u16,
    sent: AtomicU64,
    /// Stopped when the target goes.
    _running: Vec<Started>,
}

/// What was measured of one target.
#[derive(Clone, Default)]
struct Series {
    rate: Samples,
    middle: Samples,
    slow: Samples,
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let services = Services::start(bench)?;
    let mut targets = vec![alone(bench, &services)?];
    let mut notes = Vec::new();
    match bench.tools.haproxy() {
        Some(program) => {
            notes.push(tools::version(&program, "-v"));
            targets.push(haproxy(bench, &services, &program)?);
        }
        None => notes.push("HAProxy is not installed: not measured".into()),
    }
    match bench.tools.mitmdump() {
        Some(program) => {
            notes.push(tools::version(&program, "--version"));
            targets.push(mitmproxy(bench, &services, &program)?);
        }
        None => notes.push("mitmproxy is not installed: not measured".into()),
    }
    let ports = ports(services.inventory, services.payments)?;
    let program = shop::program(bench, "rust");
    let recording = Recording::start(bench, "inbound", ports.own, &[&program], |command| {
        shop::tell(command, ports);
    })?;
    targets.push(target("rehearsal record", ports.own, Vec::new()));

    let order = format!(r#"{{"sku":"item-7","quantity":2,"reference":"{NUMBER}"}}"#);
    let kinds = [
        ("GET /health (no calls)", Request::get("/health")),
        ("POST /orders (two calls)", Request::post("/orders", &order, "201")),
    ];
    let mut tables = Vec::new();
    for (title, request) in &kinds {
        tables.push(rounds(bench, &targets, title, request)?);
    }
    let sent =
        targets.last().map_or(0, |target| target.sent.load(std::sync::atomic::Ordering::Relaxed));
    let (ended, recorded) = recording.stop()?;
    shop::forget(bench, "inbound")?;
    notes.push(format!(
        "recorded {recorded} tests of {sent} requests sent ({}); stopping took {:.2} s",
        if recorded == sent { "none lost" } else { "they differ" },
        ended.took.as_secs_f64(),
    ));
    notes.push("goals: `record` at least 0.8 × HAProxy and 20 × mitmproxy; at one connection at most 75 µs added to p50; no exchange lost".into());
    notes.push(
        "the load generator, the shop, its services and what is measured share the machine's cores"
            .into(),
    );
    Ok(Section { title: "Recording: requests per second and latency", tables, notes })
}

fn rounds(
    bench: &Bench,
    targets: &[Target],
    title: &str,
    request: &Request,
) -> anyhow::Result<Table> {
    let mut table = Table::new(&[
        title,
        "connections",
        "requests/s",
        "record ÷ this",
        "p50 µs",
        "p99 µs",
        "p50 − alone µs",
    ]);
    for connections in CONNECTIONS {
        let requests = bench.scaled(if connections == 1 { 2000 } else { 5000 });
        let burst = Burst { connections, requests, time: Duration::from_secs(2) };
        let mut series = vec![Series::default(); targets.len()];
        // The first round warms everything up and is not counted.
        for round in 0..=bench.rounds(5) {
            for (target, series) in targets.iter().zip(&mut series) {
                let outcome = load::run(loopback(target.port), request, burst, &target.sent)?;
                ensure!(outcome.answered > 0, "{} answered nothing", target.name);
                if round > 0 {
                    series.rate.add(outcome.per_second());
                    series.middle.add(outcome.within(0.5));
                    series.slow.add(outcome.within(0.99));
                }
            }
        }
        let (Some(alone), Some(recorded)) = (series.first(), series.last()) else { continue };
        for (target, own) in targets.iter().zip(&series) {
            table.row([
                target.name.to_owned(),
                connections.to_string(),
                own.rate.shown(),
                recorded.rate.over(&own.rate).shown(),
                own.middle.shown(),
                own.slow.shown(),
                number(own.middle.paired(&alone.middle, |own, alone| own - alone).median()),
            ]);
        }
        bench.progress(&format!("{title}, {connections} connections"));
    }
    Ok(table)
}

fn target(name: &'static str, port: u16, running: Vec<Started>) -> Target {
    Target { name, port, sent: AtomicU64::new(0), _running: running }
}

fn ports(inventory: u16, payments: u16) -> anyhow::Result<Ports> {
    Ok(Ports { own: free_port()?, inventory, payments })
}

fn alone(bench: &Bench, services: &Services) -> anyhow::Result<Target> {
    let ports = ports(services.inventory, services.payments)?;
    let shop = shop::alone(bench, "shop-alone", "rust", ports)?;
    Ok(target("alone", ports.own, vec![shop]))
}

/// Where a proxy listens, and where it goes on to: the shop, inventory, payments.
fn edges(services: &Services) -> anyhow::Result<([(u16, u16); 3], Ports)> {
    let (front, inventory, payments) = (free_port()?, free_port()?, free_port()?);
    let shop = ports(inventory, payments)?;
    let edges = [(front, shop.own), (inventory, services.inventory), (payments, services.payments)];
    Ok((edges, shop))
}

fn haproxy(
    bench: &Bench,
    services: &Services,
    program: &std::path::Path,
) -> anyhow::Result<Target> {
    let (edges, ports) = edges(services)?;
    let mut settings = String::from(
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 5m\n  timeout server 5m\n",
    );
    for (from, to) in edges {
        writeln!(
            settings,
            "listen from-{from}\n  bind 127.0.0.1:{from}\n  server to 127.0.0.1:{to}"
        )?;
    }
    let file = bench.folder().join("haproxy.cfg");
    std::fs::write(&file, settings)?;
    let shop = shop::alone(bench, "shop-haproxy", "rust", ports)?;
    let mut command = Command::new(program);
    command.args(["-db", "-f"]).arg(file);
    let mut proxy = Started::new(bench.folder(), "haproxy", &mut command)?;
    proxy.listening(edges[0].0)?;
    Ok(target("HAProxy (TCP)", edges[0].0, vec![proxy, shop]))
}

fn mitmproxy(
    bench: &Bench,
    services: &Services,
    program: &std::path::Path,
) -> anyhow::Result<Target> {
    let (edges, ports) = edges(services)?;
    let mut command = Command::new(program);
    command.arg("-q").arg("--set").arg(format!("confdir={}", bench.folder().display()));
    for (from, to) in edges {
        command.arg("--mode").arg(format!("reverse:http://127.0.0.1:{to}@127.0.0.1:{from}"));
    }
    let shop = shop::alone(bench, "shop-mitmproxy", "rust", ports)?;
    let mut proxy = Started::new(bench.folder(), "mitmproxy", &mut command)?;
    for (from, _) in edges {
        proxy.listening(from)?;
    }
    Ok(target("mitmproxy (reverse)", edges[0].0, vec![proxy, shop]))
}
