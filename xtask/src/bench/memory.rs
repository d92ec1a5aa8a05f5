//! How much memory recording takes when a lot is sent.

use super::Bench;
use super::apps::send_bytes;
use super::load::Connection;
use super::page::{Section, Table, number};
use super::process::{free_port, loopback, peak_memory, same_program_below};
use super::shop::{self, Recording};
use std::io::Write as _;
use std::path::Path;

const MIB: u64 = 1024 * 1024;

/// What is sent: how often, how many bytes up, how many down.
struct Traffic {
    name: &'static str,
    requests: u64,
    up: u64,
    down: u64,
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let scale = if bench.quick { 16 } else { 1 };
    let kinds = [
        Traffic {
            name: "64 × 8 MiB up, 8 MiB down",
            requests: 64 / scale,
            up: 8 * MIB,
            down: 8 * MIB,
        },
        Traffic { name: "1,024 × 1 MiB up", requests: 1024 / scale, up: MIB, down: 0 },
        Traffic { name: "one body of 1 GiB up", requests: 1, up: 1024 * MIB / scale, down: 0 },
        Traffic { name: "one body of 1 GiB down", requests: 1, up: 0, down: 1024 * MIB / scale },
    ];
    let mut table = Table::new(&[
        "traffic",
        "MiB",
        "tests recorded",
        "peak, MiB",
        "guard, MiB",
        "peak while it stops, MiB",
        "MiB/s",
        "stopped in, s",
    ]);
    for traffic in &kinds {
        table.row(record(bench, traffic)?);
        bench.progress(traffic.name);
    }
    let notes = vec![
        "goal: under 200 MiB".to_owned(),
        "`VmHWM` of `rehearsal`, before it is told to stop and until it has; the app takes bodies and forgets them".to_owned(),
    ];
    Ok(Section { title: "Memory while recording 1 GiB", tables: vec![table], notes })
}

fn record(bench: &Bench, traffic: &Traffic) -> anyhow::Result<[String; 8]> {
    let port = free_port()?;
    let app = [bench.own.as_path(), Path::new("app"), Path::new("bytes")];
    let recording = Recording::start(bench, "memory", port, &app, |command| {
        command.env("PORT", port.to_string());
    })?;
    let mut connection = Connection::open(loopback(port))?;
    let began = std::time::Instant::now();
    for _ in 0..traffic.requests {
        super::process::check()?;
        let head = format!(
            "POST /{} HTTP/1.1\r\nhost: shop.example\r\ncontent-type: application/octet-stream\r\n\
             content-length: {}\r\n\r\n",
            traffic.down, traffic.up
        );
        connection.stream().write_all(head.as_bytes())?;
        send_bytes(connection.stream(), traffic.up)?;
        connection.answer("200")?;
    }
    let seconds = began.elapsed().as_secs_f64();
    drop(connection);
    let id = recording.started.id();
    let own = recording.started.peak_memory()?;
    // One that has just ended has no memory any more.
    let guard: u64 = same_program_below(id).into_iter().filter_map(|id| peak_memory(id).ok()).sum();
    let (ended, tests) = recording.stop()?;
    shop::forget(bench, "memory")?;
    let mib = |bytes: u64| bytes as f64 / MIB as f64;
    let sent = mib(traffic.requests * (traffic.up + traffic.down));
    Ok([
        traffic.name.to_owned(),
        number(sent),
        format!("{tests} of {}", traffic.requests),
        number(mib(own)),
        number(mib(guard)),
        number(mib(ended.peak_memory)),
        number(sent / seconds),
        number(ended.took.as_secs_f64()),
    ])
}
