//! The options of the commands that read recordings and change nothing: `show`, `graph`, `impact`;
//! and of `demo`, which makes one to look at.

use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The recording; all of them, a line each, if absent
    #[arg(value_name = "RECORDING")]
    pub(crate) recording: Option<String>,

    /// The number of a test, to read it as a story
    #[arg(value_name = "NUMBER")]
    pub(crate) test: Option<u32>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal graph --format html --output graph.html
  rehearsal graph checkout --format mermaid")]
pub(crate) struct Graph {
    /// The recordings to draw; all of them if absent
    #[arg(value_name = "RECORDING")]
    pub(crate) recordings: Vec<String>,

    /// As what
    #[arg(long, value_name = "FORMAT", default_value = "svg")]
    pub(crate) format: Drawn,

    /// Into which file; to standard output if absent
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

/// In which form a graph is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Drawn {
    /// A picture
    Svg,
    /// A page with the picture and every operation
    Html,
    /// A flow chart that GitHub and GitLab draw in Markdown
    Mermaid,
    /// The language of Graphviz
    Dot,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal impact --edge payments --field amount
  rehearsal impact --edge shop-db --field orders --json")]
pub(crate) struct Impact {
    /// The recordings to search; all of them if absent
    #[arg(value_name = "RECORDING")]
    pub(crate) recordings: Vec<String>,

    /// The edge that changes: a dependency, or `inbound`
    #[arg(long, value_name = "EDGE")]
    pub(crate) edge: String,

    /// The field that changes: a name such as `amount`, the end of a path such as `body.amount`, or
    /// a word of a statement of SQL; everything on the edge if absent
    #[arg(long, value_name = "FIELD")]
    pub(crate) field: Option<String>,

    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Keep what was recorded in this new folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) keep: Option<PathBuf>,
}
