//! How fast recorded tests are replayed, and what starting a replay costs beyond
//! the app's own start.

use super::Bench;
use super::load::{self, Burst, NUMBER, Request};
use super::page::{Samples, Section, Table};
use super::process::{Started, free_port, loopback};
use super::shop::{self, Ports, Recording, Services};
use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// What the rounds gave for one shop, in milliseconds or per second.
#[derive(Default)]
struct Series {
    /// Tests per second, from the first one's beginning to the last one's end.
    tests: Samples,
    /// The whole command.
    whole: Samples,
    /// The app alone, until it listens.
    own: Samples,
    /// The command with one test, less the app's own start and the test itself.
    beyond: Samples,
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let languages = ["go", "rust"];
    let tests = bench.scaled(1000);
    let mut ports = Vec::new();
    for language in languages {
        ports.push(record(bench, language, tests)?);
    }
    let mut series: [Series; 2] = Default::default();
    for round in 0..=bench.rounds(7) {
        for ((language, ports), series) in languages.into_iter().zip(&ports).zip(&mut series) {
            let all = replay(bench, language, *ports, &[])?;
            ensure!(all.passed == tests, "{} of {tests} tests passed", all.passed);
            let one = replay(bench, language, *ports, &["--test", "1"])?;
            let own = start_alone(bench, language, *ports)?;
            // The first round makes caches and warms files up.
            if round > 0 {
                series.tests.add(all.passed as f64 / (all.tests_took / 1e3));
                series.whole.add(all.took);
                series.own.add(own);
                series.beyond.add(one.took - one.tests_took - own);
            }
        }
    }
    let mut table = Table::new(&[
        "shop",
        "tests",
        "tests/s",
        "whole command, ms",
        "app alone until it listens, ms",
        "start and stop beyond that, ms",
    ]);
    for (language, series) in languages.iter().zip(&series) {
        table.row([
            (*language).to_owned(),
            tests.to_string(),
            series.tests.shown(),
            series.whole.shown(),
            series.own.shown(),
            series.beyond.shown(),
        ]);
    }
    let notes = vec![
        "goals: 2,000 tests per second; start-up under 50 ms beyond the app's own".to_owned(),
        "half of the tests are `GET /products/{sku}` (one call), half `POST /orders` (two calls); one worker; the services are stopped".to_owned(),
        "the last column is the whole command for one selected test, its recording loaded and its app stopped, less the test and the app's own start".to_owned(),
    ];
    Ok(Section { title: "Replaying tests", tables: vec![table], notes })
}

/// Records the tests; the services end with it.
fn record(bench: &Bench, language: &str, tests: u64) -> anyhow::Result<Ports> {
    let services = Services::start(bench)?;
    let ports =
        Ports { own: free_port()?, inventory: services.inventory, payments: services.payments };
    let program = shop::program(bench, language);
    let recording = Recording::start(bench, language, ports.own, &[&program], |command| {
        shop::tell(command, ports);
    })?;
    let order = format!(r#"{{"sku":"item-7","quantity":2,"reference":"{NUMBER}"}}"#);
    let requests = [
        (Request::get("/products/item-7"), tests / 2),
        (Request::post("/orders", &order, "201"), tests - tests / 2),
    ];
    for (request, requests) in requests {
        let burst = Burst { connections: 1, requests, time: Duration::from_secs(120) };
        load::run(loopback(ports.own), &request, burst, &AtomicU64::new(0))?;
    }
    let (_, recorded) = recording.stop()?;
    ensure!(recorded == tests, "recorded {recorded} tests of {tests} requests");
    Ok(ports)
}

/// One `rehearsal test`; times in milliseconds.
pub(crate) struct Replayed {
    pub(crate) passed: u64,
    pub(crate) took: f64,
    pub(crate) tests_took: f64,
}

fn replay(
    bench: &Bench,
    language: &str,
    ports: Ports,
    options: &[&str],
) -> anyhow::Result<Replayed> {
    let mut command = Command::new(&bench.rehearsal);
    command.arg("-C").arg(bench.folder()).args(["test", language]).args(options);
    shop::tell(&mut command, ports);
    run(bench, &mut command)
}

/// Runs `rehearsal test` and reads its events.
pub(crate) fn run(bench: &Bench, command: &mut Command) -> anyhow::Result<Replayed> {
    let events = bench.folder().join("events.json");
    command.args(["--timeout", "60s", "--format", "json", "--output"]).arg(&events);
    let began = Instant::now();
    let mut started = Started::new(bench.folder(), "test", command)?;
    let ended = started.wait()?;
    let took = began.elapsed().as_secs_f64() * 1e3;
    ensure!(ended.status.code().is_some_and(|code| code <= 1), "{}", started.said());
    let (passed, tests_took) = read_events(&events)?;
    Ok(Replayed { passed, took, tests_took })
}

fn read_events(path: &Path) -> anyhow::Result<(u64, f64)> {
    let text = std::fs::read_to_string(path).context("failed to read the events")?;
    let (mut passed, mut tests_took) = (0, 0.0);
    for line in text.lines() {
        let event: Value = serde_json::from_str(line)?;
        if event["event"] == "test-finished" {
            tests_took += event["took_ms"].as_f64().unwrap_or(f64::NAN);
            passed += u64::from(event["outcome"] == "passed");
        }
    }
    Ok((passed, tests_took))
}

/// Milliseconds from starting the app to its first accepted connection.
fn start_alone(bench: &Bench, language: &str, ports: Ports) -> anyhow::Result<f64> {
    let mut command = Command::new(shop::program(bench, language));
    shop::tell(&mut command, ports);
    let began = Instant::now();
    let mut app = Started::new(bench.folder(), "shop", &mut command)?;
    app.listening_asked_every(ports.own, Duration::from_micros(100))?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}
