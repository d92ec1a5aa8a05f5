//! The tasks of the project that are not the product: `cargo xtask <command>`.
//!
//! The rules of the tree (floors and tidiness) are also tests of this crate, so
//! that `cargo test` finds a broken one. Nothing here is shipped.

mod bench;
mod floors;
mod rust_source;
mod tidy;
mod tree;

use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::process::ExitCode;

/// Tasks of the project
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check the floors of the crates and the rules of the tree
    Check,
    /// Measure Rehearsal beside its alternatives, and write docs/benchmarks.md
    Bench(bench::Options),
    /// An app that a measurement puts under `rehearsal`
    #[command(hide = true)]
    App {
        #[command(subcommand)]
        app: bench::apps::App,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Check => check(),
        Task::Bench(options) => bench::run(&options).map(|()| ExitCode::SUCCESS),
        Task::App { app } => app.run().map(|()| ExitCode::SUCCESS),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell when stderr is closed.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn check() -> anyhow::Result<ExitCode> {
    let root = tree::root();
    let mut broken = floors::check(&floors::metadata(&root)?)?;
    broken.extend(tidy::check(&root)?);
    let mut out = std::io::stdout().lock();
    for line in &broken {
        writeln!(out, "{line}")?;
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
