//! How long a recording of 15,000 exchanges takes to end.

use super::Bench;
use super::load::{self, Burst, NUMBER, Request};
use super::page::{Samples, Section, Table};
use super::process::{free_port, loopback};
use super::shop::{self, Ports, Recording, Services};
use anyhow::ensure;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Where a write ends in memory, if the machine has it.
const MEMORY: &str = "/dev/shm";

/// One kind of recording, and what its rounds gave.
struct Kind {
    name: &'static str,
    request: Request,
    tests: u64,
    disk: Samples,
    memory: Samples,
}

impl Kind {
    fn new(name: &'static str, request: Request, tests: u64) -> Self {
        Kind { name, request, tests, disk: Samples::default(), memory: Samples::default() }
    }
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let services = Services::start(bench)?;
    let exchanges = bench.scaled(15_000);
    let order = format!(r#"{{"sku":"item-7","quantity":2,"reference":"{NUMBER}"}}"#);
    let order = Request::post("/orders", &order, "201");
    let mut kinds = [
        Kind::new("tests without calls", Request::get("/health"), exchanges),
        Kind::new("tests of three exchanges", order, exchanges / 3),
    ];
    let in_memory =
        if Path::new(MEMORY).is_dir() { Some(bench.below(Path::new(MEMORY))?) } else { None };
    for round in 0..bench.rounds(5) {
        for (number, kind) in kinds.iter_mut().enumerate() {
            let name = format!("stopping-{round}-{number}");
            kind.disk.add(stop(bench, &services, kind, &name)?);
            if let Some(bench) = &in_memory {
                kind.memory.add(stop(bench, &services, kind, &name)?);
            }
        }
    }
    let mut table =
        Table::new(&["recording", "tests", "exchanges", "SIGINT to exit, disk, s", "in memory, s"]);
    for kind in &kinds {
        table.row([
            kind.name.to_owned(),
            kind.tests.to_string(),
            exchanges.to_string(),
            kind.disk.shown(),
            kind.memory.shown(),
        ]);
    }
    let notes = vec![
        "goal: within one second; no test was lost in any round".to_owned(),
        "the signal comes right after the last answer, so what is not yet written is written within this time".to_owned(),
        "before it exits, all files are on the disk (`syncfs`), which waits for whatever else the machine is writing; the last column is without a disk".to_owned(),
        "no recording is deleted before all are made: ext4 is slow to make files where many were deleted in the last minutes".to_owned(),
    ];
    Ok(Section { title: "Stopping a recording", tables: vec![table], notes })
}

/// Makes a recording; seconds that ending it took.
///
/// It stays until all are made: where thousands of files were deleted a moment ago, ext4 passes over
/// their inodes one by one for each new file, and that would be measured.
fn stop(bench: &Bench, services: &Services, kind: &Kind, name: &str) -> anyhow::Result<f64> {
    let ports =
        Ports { own: free_port()?, inventory: services.inventory, payments: services.payments };
    let program = shop::program(bench, "rust");
    let recording = Recording::start(bench, name, ports.own, &[&program], |command| {
        shop::tell(command, ports);
    })?;
    let burst = Burst { connections: 16, requests: kind.tests, time: Duration::from_secs(60) };
    let outcome = load::run(loopback(ports.own), &kind.request, burst, &AtomicU64::new(0))?;
    let (ended, tests) = recording.stop()?;
    ensure!(tests == outcome.answered, "{tests} tests of {} requests", outcome.answered);
    Ok(ended.took.as_secs_f64())
}
