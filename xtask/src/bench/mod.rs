//! `cargo xtask bench`: measures Rehearsal side by side with its alternatives and
//! writes `docs/benchmarks.md`.
//!
//! It never passes or fails by time. Every measurement starts what it needs in a
//! temporary folder, on free loopback ports, and stops it again.

mod answering;
pub(crate) mod apps;
mod clock;
mod databases;
mod encrypted;
mod finding;
mod inbound;
mod ledger;
mod load;
mod memory;
mod page;
mod process;
mod replaying;
mod servers;
mod shop;
mod stopping;
mod stubs;
mod tools;
mod wall;

use crate::tree;
use anyhow::{Context as _, bail};
use page::Section;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

type Measure = fn(&Bench) -> anyhow::Result<Section>;

/// Every measurement, in the order of the page.
const MEASURES: &[(&str, Measure)] = &[
    ("inbound", inbound::measure),
    ("stopping", stopping::measure),
    ("replaying", replaying::measure),
    ("wall", wall::measure),
    ("clock", clock::measure),
    ("memory", memory::measure),
    ("answering", answering::measure),
    ("finding", finding::measure),
    ("databases", databases::measure),
    ("encrypted", encrypted::measure),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A tenth of the requests and few rounds: to see that it works, not to quote
    #[arg(long)]
    quick: bool,

    /// Install the tools to compare with (pip and npm) into target/bench-tools first
    #[arg(long)]
    install: bool,

    /// A shell line that replays the requests of `wall` by another tool: measured beside it. It is given APP,
    /// PORT, POSTGRES and REQUESTS, a file with a method and a path a line
    #[arg(long, value_name = "LINE")]
    against: Option<String>,

    /// What to measure: inbound, stopping, replaying, wall, clock, memory, answering, finding, databases, encrypted; all if absent
    names: Vec<String>,
}

/// What a measurement has to work with.
pub(crate) struct Bench {
    root: PathBuf,
    tools: tools::Tools,
    quick: bool,
    against: Option<String>,
    folder: tempfile::TempDir,
    /// The program that is measured, built for release.
    rehearsal: PathBuf,
    /// This program, which also has apps to measure with.
    own: PathBuf,
}

impl Bench {
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The same, but working in a folder of its own below another one.
    fn below(&self, parent: &Path) -> anyhow::Result<Bench> {
        let folder = tempfile::Builder::new().prefix("rehearsal-bench-").tempdir_in(parent)?;
        let Bench { root, rehearsal, own, .. } = self;
        Ok(Bench {
            root: root.clone(),
            tools: tools::Tools::new(root),
            quick: self.quick,
            against: self.against.clone(),
            folder,
            rehearsal: rehearsal.clone(),
            own: own.clone(),
        })
    }

    /// A number of requests, fewer when it has to be quick.
    fn scaled(&self, requests: u64) -> u64 {
        if self.quick { requests / 10 } else { requests }
    }

    fn rounds(&self, rounds: usize) -> usize {
        if self.quick { 2 } else { rounds }
    }

    /// Says how far it is, on stderr.
    fn progress(&self, text: &str) {
        // Nobody looks when stderr is closed.
        let _ = writeln!(std::io::stderr(), "  {text}");
    }
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let known = |name: &String| MEASURES.iter().any(|(other, _)| other == name);
    if let Some(name) = options.names.iter().find(|name| !known(name)) {
        let names: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
        bail!("no measurement is named {name}; there are {}", names.join(", "));
    }
    let root = tree::root();
    if cfg!(debug_assertions) {
        return run_for_release(&root);
    }
    let tools = tools::Tools::new(&root);
    if options.install {
        tools.install()?;
    }
    tools::run(Command::new(root.join("fixtures/build.sh")).args(["services", "go", "rust"]))?;
    process::catch_interrupts();
    let own = std::env::current_exe()?;
    let rehearsal = own.with_file_name("rehearsal");
    let folder = tempfile::Builder::new().prefix("rehearsal-bench-").tempdir()?;
    let (quick, against) = (options.quick, options.against.clone());
    let whole = Bench { root, tools, quick, against, folder, rehearsal, own };
    for (name, measure) in MEASURES {
        if !options.names.is_empty() && !options.names.iter().any(|other| other == name) {
            continue;
        }
        let bench = whole.below(&std::env::temp_dir())?;
        bench.progress(name);
        let section = measure(&bench).with_context(|| format!("failed to measure {name}"))?;
        let text = section.markdown() + &circumstances(name, options.quick, &whole.rehearsal);
        write!(std::io::stdout(), "\n{text}")?;
        page::write(&whole.root.join("docs/benchmarks.md"), name, &text)?;
    }
    Ok(())
}

/// How and where a section was measured.
fn circumstances(name: &str, quick: bool, rehearsal: &Path) -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "\n`cargo xtask bench {}{name}`, {}, {}; {}; load average at the end {}\n",
        if quick { "--quick " } else { "" },
        tools::version(rehearsal, "--version"),
        tools::date(),
        tools::machine(),
        load.split(' ').next().unwrap_or_default(),
    )
}

/// What is measured, and what measures, is built for release; this process becomes that.
fn run_for_release(root: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let packages = ["-p", "rehearsal", "-p", "xtask"];
    tools::run(Command::new(cargo).args(["build", "--release"]).args(packages).current_dir(root))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let error = Command::new(target.join("release/xtask")).args(std::env::args_os().skip(1)).exec();
    Err(error).context("failed to start the release build of this program")
}
