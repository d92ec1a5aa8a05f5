//! The options of `review`.

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal review                                    asks for each change, by single keys
  rehearsal review --accept-matching response.body.total
  rehearsal review --accept --json

The same change in many tests is one question. Accepting it rewrites that part of the tests' files and
nothing else. Exit codes: 0 nothing is left, 1 something is.")]
pub(crate) struct Review {
    /// Accept every change that can be accepted, without asking
    #[arg(long)]
    pub(crate) accept: bool,

    /// Accept the changes at or below this path, or with this text in their name
    #[arg(long, value_name = "PATH")]
    pub(crate) accept_matching: Vec<String>,

    /// Let the values at or below this path differ from now on
    #[arg(long, value_name = "PATH")]
    pub(crate) ignore_matching: Vec<String>,

    /// Take the last decision back: the files are byte for byte what they were
    #[arg(long, conflicts_with_all = ["accept", "accept_matching", "ignore_matching"])]
    pub(crate) undo: bool,

    /// Say what there is, and what was decided, as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Another run than the last one: the name of a folder in rehearsal/runs
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
}
