//! What was decided of a run, kept beside its events so that it can be undone and a kill loses nothing.
//!
//! The files of tests follow from what they were and from what was decided; whichever was written last,
//! the other can be made of it.

use crate::error::CliError;
use rehearsal_model::{Map, Value, json};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Where, in the folder of the run.
pub(super) const FILE: &str = "decisions.jsonl";

/// What is to become of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// The tests expect it from now on.
    Accept,
    /// Its values may differ from now on.
    Ignore,
    /// It is a mistake of the app.
    Reject,
}

impl Verb {
    const ALL: [(Verb, &str); 3] =
        [(Verb::Accept, "accept"), (Verb::Ignore, "ignore"), (Verb::Reject, "reject")];

    pub(super) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(verb, _)| *verb == self).map_or("", |(_, word)| word)
    }

    /// What has been done.
    pub(super) fn done(self) -> &'static str {
        match self {
            Verb::Accept => "accepted",
            Verb::Ignore => "ignored",
            Verb::Reject => "rejected",
        }
    }
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) verb: Verb,
    /// The key of the cause.
    pub(super) cause: String,
    /// The tests that it is about, as places in the events.
    pub(super) tests: Vec<usize>,
}

/// What was decided of a run, in order.
pub(super) fn read(run: &Path) -> Result<Vec<Decision>, CliError> {
    let path = run.join(FILE);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(CliError::io(format!("read {}", path.display())))?,
    };
    Ok(text.lines().filter_map(decision).collect())
}

fn decision(line: &str) -> Option<Decision> {
    let value = json::parse(line).ok()?;
    let map = value.as_map()?;
    let (verb, _) = Verb::ALL.into_iter().find(|(_, word)| map.text("decision") == Some(*word))?;
    let tests = map.get("tests")?.as_list()?.iter().filter_map(Value::as_i64);
    let tests = tests.filter_map(|test| usize::try_from(test).ok()).collect();
    Some(Decision { verb, cause: map.text("cause")?.to_owned(), tests })
}

/// Writes what was decided, all of it at once.
pub(super) fn write(run: &Path, decisions: &[Decision]) -> Result<(), CliError> {
    let path = run.join(FILE);
    let mut text = String::new();
    for Decision { verb, cause, tests } in decisions {
        let tests: Vec<Value> =
            tests.iter().map(|test| Value::from(i64::try_from(*test).unwrap_or(0))).collect();
        let map = Map::from([
            ("decision", Value::from(verb.as_str())),
            ("cause", Value::from(cause.as_str())),
            ("tests", Value::List(tests)),
        ]);
        text.push_str(&json::to_string(&Value::Map(map)));
        text.push('\n');
    }
    keep(&path, text.as_bytes())
}

/// Writes a file of the run at once and durably.
fn keep(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let doing = || format!("write {}", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(CliError::io(doing()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = File::create(&aside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&aside, path))
        .and_then(|()| File::open(folder)?.sync_all());
    written.map_err(CliError::io(doing()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read_back() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(read(run.path()).unwrap(), []);
        let all = [Verb::Accept, Verb::Ignore, Verb::Reject].map(|verb| Decision {
            verb,
            cause: "new field: response.body.\"x\"\n is new".to_owned(),
            tests: vec![0, 7],
        });
        write(run.path(), &all).unwrap();
        assert_eq!(read(run.path()).unwrap(), all);
        assert_eq!(fs::read_dir(run.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
