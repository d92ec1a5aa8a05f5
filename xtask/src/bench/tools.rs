//! The programs that Rehearsal is compared with: where they are, and which version.
//!
//! HAProxy and nginx come from the system's packages. The others are installed
//! into `target/bench-tools` by `--install`. What is missing is named in the
//! results as not measured; nothing is left out in silence.

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Found programs.
#[derive(Debug)]
pub(crate) struct Tools {
    folder: PathBuf,
}

/// npm packages with the stub servers.
const STUB_SERVERS: &[&str] = &["wiremock@3", "mountebank@2", "mockserver-node@8"];

impl Tools {
    pub(crate) fn new(root: &Path) -> Self {
        Tools { folder: root.join("target/bench-tools") }
    }

    /// Installs what the package managers of Python and Node have.
    pub(crate) fn install(&self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        if self.mitmdump().is_none() {
            let environment = self.folder.join("python");
            run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
            run(Command::new(environment.join("bin/pip")).args(["install", "-q", "mitmproxy"]))?;
        }
        let manifest = self.folder.join("package.json");
        if !manifest.exists() {
            std::fs::write(manifest, "{\"private\": true}\n")?;
        }
        let install = ["install", "--no-audit", "--no-fund", "--silent"];
        run(Command::new("npm").args(install).args(STUB_SERVERS).current_dir(&self.folder))
    }

    pub(crate) fn haproxy(&self) -> Option<PathBuf> {
        on_path("haproxy")
    }

    pub(crate) fn nginx(&self) -> Option<PathBuf> {
        on_path("nginx")
    }

    pub(crate) fn h2load(&self) -> Option<PathBuf> {
        on_path("h2load")
    }

    /// The folder of PostgreSQL's programs, of the newest version that is installed.
    pub(crate) fn postgres(&self) -> Option<PathBuf> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let folders = versions.map(|version| version.path().join("bin"));
        let newest = folders.filter(|folder| folder.join("postgres").is_file()).max();
        newest.or_else(|| on_path("postgres")?.parent().map(Path::to_path_buf))
    }

    pub(crate) fn redis(&self) -> Option<PathBuf> {
        on_path("redis-server")
    }

    pub(crate) fn mitmdump(&self) -> Option<PathBuf> {
        let own = self.folder.join("python/bin/mitmdump");
        if own.is_file() { Some(own) } else { on_path("mitmdump") }
    }

    pub(crate) fn mountebank(&self) -> Option<PathBuf> {
        let own = self.folder.join("node_modules/.bin/mb");
        own.is_file().then_some(own)
    }

    pub(crate) fn wiremock(&self) -> Option<PathBuf> {
        jar(&self.folder.join("node_modules/wiremock/build"))
    }

    pub(crate) fn mockserver(&self) -> Option<PathBuf> {
        jar(&self.folder.join("node_modules/mockserver-node"))
    }
}

fn jar(folder: &Path) -> Option<PathBuf> {
    on_path("java")?;
    let mut entries = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    entries.find(|path| path.extension().is_some_and(|extension| extension == "jar"))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    // Where Debian puts servers, which is not on the path of an ordinary user.
    folders.push("/usr/sbin".into());
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("failed to start {shown}"))?;
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(())
}

/// The first line that a program says of its version.
pub(crate) fn version(program: &Path, argument: &str) -> String {
    let Ok(said) = Command::new(program).arg(argument).stdin(Stdio::null()).output() else {
        return format!("{}: unknown version", program.display());
    };
    let text = if said.stdout.is_empty() { said.stderr } else { said.stdout };
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().unwrap_or_default();
    // Addresses of projects say nothing of the version.
    let words = line.split_whitespace().filter(|word| !word.contains("://") && *word != "-");
    words.collect::<Vec<_>>().join(" ")
}

/// The machine, in a line.
pub(crate) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let model = field(&processors, "model name");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let kibibytes: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(f64::NAN);
    let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
    format!("{model}, {cores} cores, {:.0} GiB, Linux {kernel}", kibibytes / 1048576.0)
}

pub(crate) fn date() -> String {
    let said = Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]).output();
    said.map_or(String::new(), |said| String::from_utf8_lossy(&said.stdout).trim().to_owned())
}
