//! What every format is, and the list of them.

use crate::{html, human, json, junit, tap};
use rehearsal_model::RunEvent;
use std::io::{self, Write};

/// A face of a run. It is given every event in order and writes what it has to say when it can.
pub trait Report: Send {
    /// Takes the next event.
    ///
    /// # Errors
    /// When its writer fails.
    fn event(&mut self, event: &RunEvent) -> io::Result<()>;
}

/// How text for people shall look. Formats for machines ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether colour is used.
    pub color: bool,
    /// How many characters fit on a line.
    pub width: usize,
    /// Whether tests that pass are named too.
    pub verbose: bool,
    /// Whether the reader watches: a line of progress is kept up to date.
    pub live: bool,
}

impl Default for Look {
    /// Text for a file.
    fn default() -> Self {
        Look { color: false, width: 100, verbose: false, live: false }
    }
}

/// A format by its name.
pub struct Format {
    /// The word for `--format`.
    pub name: &'static str,
    /// What it is, in a sentence without a full stop.
    pub doc: &'static str,
    /// Makes one that writes there.
    pub make: fn(Box<dyn Write + Send>, Look) -> Box<dyn Report>,
}

/// Every format; the first is the default.
pub static FORMATS: &[Format] = &[
    Format {
        name: "human",
        doc: "Text for people: each failure with what was expected and what came",
        make: |out, look| Box::new(human::Human::new(out, look)),
    },
    Format {
        name: "html",
        doc: "A page for browsers, whole in one file: each test as a picture, with what differs",
        make: |out, _| Box::new(html::Html::new(out)),
    },
    Format {
        name: "json",
        doc: "One JSON object a line for each event of the run, as it happens",
        make: |out, _| Box::new(json::Json::new(out)),
    },
    Format {
        name: "junit",
        doc: "JUnit XML for continuous integration, written at the end of the run",
        make: |out, _| Box::new(junit::Junit::new(out)),
    },
    Format {
        name: "tap",
        doc: "TAP version 14, with what differs as YAML",
        make: |out, _| Box::new(tap::Tap::new(out)),
    },
];
