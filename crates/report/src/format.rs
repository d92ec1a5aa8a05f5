//! What every format is, and the list of them.

use crate::{allure, ctrf, github, gitlab, html, human, json, junit, sarif, tap};
use rehearsal_model::RunEvent;
use std::io::{self, Write};
use std::path::Path;

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
    /// Whether GitHub Actions reads the log: failures are groups that fold, and remarks on files.
    pub github: bool,
}

impl Default for Look {
    /// Text for a file.
    fn default() -> Self {
        Look { color: false, width: 100, verbose: false, live: false, github: false }
    }
}

/// A format by its name.
pub struct Format {
    /// The word for `--format`.
    pub name: &'static str,
    /// What it is, in a sentence without a full stop.
    pub doc: &'static str,
    /// How one is made.
    pub make: Make,
}

/// How a report is made.
#[derive(Clone, Copy)]
pub enum Make {
    /// One that writes there.
    Stream(fn(Box<dyn Write + Send>, Look) -> Box<dyn Report>),
    /// One that writes files into a folder.
    Folder(fn(&Path) -> io::Result<Box<dyn Report>>),
}

/// Every format; the first is the default.
pub static FORMATS: &[Format] = &[
    Format {
        name: "human",
        doc: "Text for people: each failure with what was expected and what came",
        make: Make::Stream(|out, look| Box::new(human::Human::new(out, look))),
    },
    Format {
        name: "html",
        doc: "A page for browsers, whole in one file: each test as a picture, with what differs",
        make: Make::Stream(|out, _| Box::new(html::Html::new(out))),
    },
    Format {
        name: "json",
        doc: "One JSON object a line for each event of the run, as it happens",
        make: Make::Stream(|out, _| Box::new(json::Json::new(out))),
    },
    Format {
        name: "junit",
        doc: "JUnit XML for continuous integration, written at the end of the run",
        make: Make::Stream(|out, _| Box::new(junit::Junit::new(out))),
    },
    Format {
        name: "tap",
        doc: "TAP version 14, with what differs as YAML",
        make: Make::Stream(|out, _| Box::new(tap::Tap::new(out))),
    },
    Format {
        name: "ctrf",
        doc: "The Common Test Report Format (JSON), written at the end of the run",
        make: Make::Stream(|out, _| Box::new(ctrf::Ctrf::new(out))),
    },
    Format {
        name: "allure",
        doc: "Results for Allure, a file for each test; its --output is a folder",
        make: Make::Folder(|folder| Ok(Box::new(allure::Allure::open(folder)?))),
    },
    Format {
        name: "sarif",
        doc: "SARIF 2.1.0 for code scanning: each finding at the file of its test",
        make: Make::Stream(|out, _| Box::new(sarif::Sarif::new(out))),
    },
    Format {
        name: "github",
        doc: "Markdown for the summary of a step of GitHub Actions, added to it by itself there",
        make: Make::Stream(|out, _| Box::new(github::GitHub::new(out))),
    },
    Format {
        name: "gitlab",
        doc: "A Code Quality report of GitLab (JSON), written at the end of the run",
        make: Make::Stream(|out, _| Box::new(gitlab::GitLab::new(out))),
    },
];
