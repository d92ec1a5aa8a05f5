//! What reading the clock costs an app whose wall clock shows another time, beside one that runs by itself.

use super::Bench;
use super::apps::{answer, serve};
use super::load::{self, Burst, Request};
use super::page::{Samples, Section, Table};
use super::process::{Started, free_port, loopback};
use super::replaying;
use super::shop::Recording;
use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// Readings of which one figure is made: through the functions that the kernel maps into each process, and
/// by asking the kernel itself, which is notified while testing.
const READINGS: [u32; 2] = [1_000_000, 10_000];
const NAMES: [&str; 3] = ["CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_REALTIME by system call"];

/// Reads clocks when it is called.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Watch {
    #[arg(env = "PORT")]
    port: u16,
    /// Where to write what each way took, in nanoseconds
    #[arg(env = "RESULT")]
    result: PathBuf,
}

impl Watch {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        serve(self.port, move |_, _, stream| {
            let wall = each(READINGS[0], || mapped(libc::CLOCK_REALTIME));
            let monotonic = each(READINGS[0], || mapped(libc::CLOCK_MONOTONIC));
            let asked = each(READINGS[1], asked);
            std::fs::write(&self.result, format!("{wall} {monotonic} {asked}"))?;
            answer(stream, b"\"read\"")
        })
    }
}

fn mapped(clock: libc::clockid_t) -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer leads to a live local.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now.tv_nsec
}

fn asked() -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer leads to a live local, and the call takes these two arguments.
    unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_REALTIME, &raw mut now) };
    now.tv_nsec
}

/// Nanoseconds for each of so many readings.
fn each(readings: u32, read: fn() -> i64) -> f64 {
    let began = Instant::now();
    for _ in 0..readings {
        std::hint::black_box(read());
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(readings)
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let (port, result) = (free_port()?, bench.folder().join("clock.txt"));
    let tell = |command: &mut Command| {
        command.env("PORT", port.to_string()).env("RESULT", &result);
    };
    let app = [bench.own.as_path(), Path::new("app"), Path::new("watch")];
    let recording = Recording::start(bench, "clock", port, &app, tell)?;
    send(port)?;
    recording.stop()?;
    let mut series: [[Samples; 3]; 2] = Default::default();
    for _ in 0..bench.rounds(9) {
        let mut command = Command::new(&bench.own);
        command.args(["app", "watch"]);
        tell(&mut command);
        let mut alone = Started::new(bench.folder(), "watch", &mut command)?;
        alone.listening_asked_every(port, Duration::from_micros(100))?;
        let sent = send(port);
        alone.end(libc::SIGTERM)?;
        sent?;
        take(&result, &mut series[0])?;
        let mut command = Command::new(&bench.rehearsal);
        command.arg("-C").arg(bench.folder()).args(["test", "clock", "-j1"]);
        tell(&mut command);
        let replayed = replaying::run(bench, &mut command)?;
        ensure!(replayed.passed == 1, "{} tests passed", replayed.passed);
        take(&result, &mut series[1])?;
    }
    let mut table = Table::new(&["one reading, ns", "alone", "while tested", "÷ alone"]);
    let [alone, tested] = &series;
    for ((name, alone), tested) in NAMES.iter().zip(alone).zip(tested) {
        let ratio = tested.over(alone).shown();
        table.row([(*name).to_owned(), alone.shown(), tested.shown(), ratio]);
    }
    let [mapped, asked] = READINGS.map(|readings| super::page::number(f64::from(readings)));
    let notes = vec![format!(
        "each figure is the mean of {mapped} readings in a row, by system call of {asked}; programs make \
         that call only where they avoid the C library and the kernel's mapped functions"
    )];
    Ok(Section { title: "Reading the clock", tables: vec![table], notes })
}

fn send(port: u16) -> anyhow::Result<()> {
    let burst = Burst { connections: 1, requests: 1, time: Duration::from_secs(60) };
    let sent = load::run(loopback(port), &Request::get("/clock"), burst, &AtomicU64::new(0))?;
    ensure!(sent.answered == 1, "the app did not answer");
    Ok(())
}

fn take(result: &Path, series: &mut [Samples; 3]) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(result).context("failed to read what the app measured")?;
    // What is read once is not to be taken for the next round's.
    std::fs::remove_file(result)?;
    for (figure, samples) in text.split(' ').zip(series) {
        samples.add(figure.parse()?);
    }
    Ok(())
}
