//! How long a recording of 15,000 exchanges takes to end.

use super::Bench;
use super::load::{self, Burst, NUMBER, Request};
use super::page::{Samples, Section, Table};
use super::process::{free_port, loopback};
use super::shop::{self, Ports, Recording, Services};
use anyhow::ensure;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let services = Services::start(bench)?;
    let exchanges = bench.scaled(15_000);
    let order = format!(r#"{{"sku":"item-7","quantity":2,"reference":"{NUMBER}"}}"#);
    let kinds = [
        ("tests without calls", Request::get("/health"), exchanges),
        ("tests of three exchanges", Request::post("/orders", &order, "201"), exchanges / 3),
    ];
    let mut table = Table::new(&["recording", "tests", "exchanges", "SIGINT to exit, s"]);
    let mut seconds = vec![Samples::default(); kinds.len()];
    for _ in 0..bench.rounds(3) {
        for ((_, request, requests), seconds) in kinds.iter().zip(&mut seconds) {
            let ports = Ports {
                own: free_port()?,
                inventory: services.inventory,
                payments: services.payments,
            };
            let program = shop::program(bench, "rust");
            let recording =
                Recording::start(bench, "stopping", ports.own, &[&program], |command| {
                    shop::tell(command, ports);
                })?;
            let burst =
                Burst { connections: 16, requests: *requests, time: Duration::from_secs(60) };
            let outcome = load::run(loopback(ports.own), request, burst, &AtomicU64::new(0))?;
            let (ended, tests) = recording.stop()?;
            ensure!(tests == outcome.answered, "{tests} tests of {} requests", outcome.answered);
            seconds.add(ended.took.as_secs_f64());
            shop::forget(bench, "stopping")?;
        }
    }
    for ((name, _, requests), seconds) in kinds.iter().zip(&seconds) {
        table.row([
            (*name).to_owned(),
            requests.to_string(),
            exchanges.to_string(),
            seconds.shown(),
        ]);
    }
    let notes = vec![
        "goal: within one second; no test was lost in any round".to_owned(),
        "the signal comes right after the last answer, so what is not yet written is written within this time".to_owned(),
    ];
    Ok(Section { title: "Stopping a recording", tables: vec![table], notes })
}
