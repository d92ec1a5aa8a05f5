//! `rehearsal select` and `rehearsal dedup`: what of large recordings to run, and what to keep.

use super::values::parse_duration;
use crate::coverage::By;
use clap::Args;
use std::time::Duration;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal select --budget 60s
  rehearsal select --budget 60s | rehearsal test --tests-from -

The files of the tests are printed, a line each, the most telling first. On standard error is what
they cover. How long a test takes, and how often it failed, is known of earlier runs.")]
pub(crate) struct Select {
    /// The recordings to choose from; all of them if absent
    #[arg(value_name = "RECORDING")]
    pub(crate) recordings: Vec<String>,

    /// How long the tests may take together
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) budget: Duration,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal dedup                                 what covers what, and nothing is changed
  rehearsal dedup checkout --by route+status --apply

Of tests that cover the same the first is kept. A later test may need what an earlier one did to the
app: run the tests after --apply.")]
pub(crate) struct Dedup {
    /// The recordings to look at; all of them if absent
    #[arg(value_name = "RECORDING")]
    pub(crate) recordings: Vec<String>,

    /// In which respects tests must be the same: of `route`, `status`, `shape` (keys and kinds of the
    /// bodies) and `calls` (the operations that are called, in order)
    #[arg(long, value_name = "RESPECTS", value_parser = By::parse, default_value = "route+status+shape+calls")]
    pub(crate) by: By,

    /// Remove the tests that others cover
    #[arg(long)]
    pub(crate) apply: bool,
}
