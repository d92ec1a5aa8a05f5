//! `rehearsal merge`: joins the results of shards into those of one run, in any format.

use crate::arguments::{Color, Merge};
use crate::error::{CliError, Outcome};
use crate::merge::{Results, merge};
use crate::outputs::Outputs;
use clap::ArgMatches;
use rehearsal_model::{RunEvent, Summary};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// What holds the events in the folder of a run.
const EVENTS: &str = "events.jsonl";

pub(super) fn run(
    arguments: &Merge,
    folder: &Path,
    color: Color,
    matches: &ArgMatches,
) -> Result<Outcome, CliError> {
    let runs = arguments.results.iter().map(|path| read(path, folder));
    let events = merge(runs.collect::<Result<_, _>>()?)?;
    let mut outputs = Outputs::open(matches, color, arguments.verbose)?;
    outputs.add_step_summary();
    let mut summary = Summary::default();
    for event in events {
        outputs.tell(&event);
        if let RunEvent::RunFinished { summary: whole } = event {
            summary = whole;
        }
    }
    Ok(super::test::outcome(&summary))
}

/// The results at a path: a file of events, the folder of a run, or the name of one in the project.
fn read(given: &Path, project: &Path) -> Result<Results, CliError> {
    let kept = project.join("rehearsal").join("runs").join(given);
    let place = match (given.is_dir(), given.exists(), kept.is_dir()) {
        (true, ..) => given.join(EVENTS),
        (false, false, true) => kept.join(EVENTS),
        _ => PathBuf::from(given),
    };
    let name = given.display().to_string();
    let wrong = |problem: String| CliError::Wrong(format!("merge {name}: {problem}"));
    let file = File::open(&place).map_err(|error| wrong(error.to_string()))?;
    let mut events = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| wrong(error.to_string()))?;
        let event = RunEvent::from_json(&line);
        events.push(event.map_err(|error| wrong(format!("line {}: {error}", number + 1)))?);
    }
    Ok(Results { name, events })
}
