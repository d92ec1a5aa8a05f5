//! The fixtures as a measurement needs them: the shops, the services behind them,
//! and `rehearsal` in front.

use super::Bench;
use super::process::{Ended, Started, free_port};
use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The two dependencies of every shop.
#[derive(Debug)]
pub(crate) struct Services {
    _started: Started,
    pub(crate) inventory: u16,
    pub(crate) payments: u16,
}

impl Services {
    pub(crate) fn start(bench: &Bench) -> anyhow::Result<Self> {
        let (inventory, payments) = (free_port()?, free_port()?);
        let address = |port: u16| format!("127.0.0.1:{port}");
        let mut command = Command::new(bench.root.join("fixtures/target/services"));
        command.args(["--inventory", &address(inventory), "--payments", &address(payments)]);
        command.args(["--log", "1"]);
        let mut started = Started::new(bench.folder(), "services", &mut command)?;
        started.listening(inventory)?;
        started.listening(payments)?;
        Ok(Services { _started: started, inventory, payments })
    }
}

/// Where a shop listens and what it calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) own: u16,
    pub(crate) inventory: u16,
    pub(crate) payments: u16,
}

/// Tells a command of a shop, or what runs it, the ports.
pub(crate) fn tell(command: &mut Command, ports: Ports) {
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    command.env("PORT", ports.own.to_string());
    command.env("INVENTORY_URL", url(ports.inventory)).env("PAYMENTS_URL", url(ports.payments));
}

/// A shop of the fixtures: `rust` or `go`.
pub(crate) fn program(bench: &Bench, language: &str) -> PathBuf {
    bench.root.join(format!("fixtures/target/shop-{language}"))
}

pub(crate) fn alone(
    bench: &Bench,
    name: &str,
    language: &str,
    ports: Ports,
) -> anyhow::Result<Started> {
    let mut command = Command::new(program(bench, language));
    tell(&mut command, ports);
    let mut started = Started::new(bench.folder(), name, &mut command)?;
    started.listening(ports.own)?;
    Ok(started)
}

/// A recording that goes on.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) started: Started,
    name: String,
    project: PathBuf,
}

impl Recording {
    /// Starts `rehearsal record`; `prepare` gives it the app's environment.
    pub(crate) fn start(
        bench: &Bench,
        name: &str,
        port: u16,
        app: &[&Path],
        prepare: impl FnOnce(&mut Command),
    ) -> anyhow::Result<Self> {
        let project = bench.folder().to_path_buf();
        let mut command = Command::new(&bench.rehearsal);
        command
            .arg("-C")
            .arg(&project)
            .args(["record", "--name", name, "--no-verify", "--"])
            .args(app);
        prepare(&mut command);
        let mut started = Started::new(bench.folder(), &format!("record-{name}"), &mut command)?;
        started.listening(port)?;
        Ok(Recording { started, name: name.to_owned(), project })
    }

    /// Ends it as Ctrl-C does, and says how many tests it has.
    pub(crate) fn stop(self) -> anyhow::Result<(Ended, u64)> {
        let folder = self.project.join("rehearsal").join(&self.name);
        let log = bench_log(&self.project, &self.name);
        let ended = self.started.end(libc::SIGINT)?;
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        ensure!(ended.status.success(), "rehearsal record: {}\n{}", ended.status, said());
        let tests = std::fs::read_dir(folder.join("tests"))
            .with_context(|| format!("failed to read the recording\n{}", said()))?;
        Ok((ended, tests.count() as u64))
    }
}

fn bench_log(project: &Path, name: &str) -> PathBuf {
    project.join(format!("record-{name}.log"))
}

/// Deletes a recording, so that the disk does not fill up.
pub(crate) fn forget(bench: &Bench, name: &str) -> anyhow::Result<()> {
    std::fs::remove_dir_all(bench.folder().join("rehearsal").join(name))
        .with_context(|| format!("failed to delete the recording {name}"))
}
