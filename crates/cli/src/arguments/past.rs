//! The options of the commands that read the history of runs: `history`, `flaky`, `failures`,
//! `slow`, `defect`.

use clap::Args;

/// How much of the past is looked at.
#[derive(Args, Debug)]
pub(crate) struct Past {
    /// Look at this many runs, the newest
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    pub(crate) runs: usize,

    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Every `rehearsal test` notes in rehearsal/runs/history.db what it came to. `history` in rehearsal.yaml,
or REHEARSAL_HISTORY, names another file, or a PostgreSQL database that a team shares:
  history: postgres://ci@db.example/rehearsal?sslmode=verify-full
with the password in PGPASSWORD. A run that cannot be noted says so and is not failed by it.")]
pub(crate) struct History {
    /// List this many runs, the newest
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub(crate) runs: usize,

    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Failures are of one kind when they agree in edge, operation, the places that differ and how they
differ; numbers, ids and values do not count. `rehearsal defect` files one defect for each.")]
pub(crate) struct Failures {
    #[command(flatten)]
    pub(crate) past: Past,

    /// Only kinds that the latest runs of their tests still have
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The median of the latest three runs is compared with that of up to 50 before them on the same
machine. What lies within four standard deviations (by the median absolute deviation), 20 % and
2 ms is noise. With less than eight runs that passed nothing is said of a test.")]
pub(crate) struct Slow {
    #[command(flatten)]
    pub(crate) past: Past,

    /// List all tests, not only those that became slower
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
A defect is a file in rehearsal/defects, and an issue of Jira, GitHub or GitLab where `defects` in
rehearsal.yaml says so. However often a failure comes, there is one for each fingerprint.")]
pub(crate) struct Defect {
    /// Only failures of these fingerprints; all that the latest runs still have, if absent
    #[arg(value_name = "FINGERPRINT")]
    pub(crate) fingerprints: Vec<String>,

    /// Print what would be filed, and file nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Look at this many runs, the newest
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    pub(crate) runs: usize,
}
