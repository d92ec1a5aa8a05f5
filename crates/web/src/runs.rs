//! Runs that are kept on disk: which there are, how each stands, and what was said in one.
//!
//! A run may be under way, or may have broken off in the middle of a line; another release may have
//! written it. What cannot be read is counted and passed over.

use crate::Problem;
use rehearsal_model::{RunEvent, Summary};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The longest line that is read, and the bytes of a run that a page shows.
const LONGEST: u64 = 64 << 20;
const MOST: u64 = 512 << 20;
/// Where the last line of a run is looked for.
const TAIL: u64 = 64 << 10;

/// A run's folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub(crate) name: String,
    pub(crate) events: PathBuf,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// It has come to its end.
    Ended(Box<Summary>),
    /// Whoever runs it is alive.
    UnderWay,
    /// Nobody writes it any more.
    BrokenOff,
}

/// What was said in a run, up to a place.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) events: Vec<RunEvent>,
    /// Lines that are no events that we know.
    pub(crate) unread: usize,
    /// Where the first line begins that is not whole yet.
    pub(crate) offset: u64,
}

/// The names of the runs that are kept, the newest first.
pub(crate) fn names(runs: &Path) -> Vec<String> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| Folder::find(runs, name).is_ok())
        .collect();
    names.sort_unstable_by(|one, other| other.cmp(one));
    names
}

impl Folder {
    /// The run of a name.
    pub(crate) fn find(runs: &Path, name: &str) -> Result<Self, Problem> {
        let plain = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
        let events = runs.join(name).join("events.jsonl");
        if name.is_empty() || !name.chars().all(plain) || !events.is_file() {
            let why = format!(
                "find the run {name:?}: the last twenty are kept, and this is none of them"
            );
            return Err(Problem::Missing(why));
        }
        Ok(Folder { name: name.to_owned(), events })
    }

    /// When it began, in milliseconds since 1970, by its name.
    pub(crate) fn began_ms(&self) -> Option<i64> {
        self.name.split('-').next()?.parse().ok()
    }

    /// How it stands, by its last line.
    pub(crate) fn state(&self) -> State {
        let last = last_line(&self.events).ok().flatten();
        match last.and_then(|line| RunEvent::from_json(&line).ok()) {
            Some(RunEvent::RunFinished { summary }) => State::Ended(Box::new(summary)),
            _ if self.is_written() => State::UnderWay,
            _ => State::BrokenOff,
        }
    }

    /// Whether the process that its name tells is there. Where that cannot be seen, it is.
    fn is_written(&self) -> bool {
        let pid = self.name.split('-').nth(1).unwrap_or_default();
        let known = !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit());
        !Path::new("/proc/self").exists() || known && Path::new("/proc").join(pid).exists()
    }

    /// Reads what was said from an offset on, as far as its lines are whole.
    pub(crate) fn read(&self, from: u64, most: u64) -> Result<Said, Problem> {
        read(&self.events, from, most.min(MOST))
            .map_err(|error| Problem::Failed(format!("read {}: {error}", self.events.display())))
    }

    /// All that was said.
    pub(crate) fn whole(&self) -> Result<Said, Problem> {
        self.read(0, MOST)
    }
}

fn read(path: &Path, from: u64, most: u64) -> io::Result<Said> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut file = BufReader::new(file);
    let mut said = Said { offset: from, ..Said::default() };
    let mut line = Vec::new();
    while said.offset - from < most {
        line.clear();
        let length = file.by_ref().take(LONGEST).read_until(b'\n', &mut line)? as u64;
        if line.last() != Some(&b'\n') && length < LONGEST {
            break;
        }
        said.offset += length;
        match std::str::from_utf8(&line).ok().and_then(|it| RunEvent::from_json(it).ok()) {
            Some(event) => said.events.push(event),
            None => said.unread += 1,
        }
    }
    Ok(said)
}

fn last_line(path: &Path) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    Ok(whole.rsplit('\n').next().filter(|line| !line.is_empty()).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> (tempfile::TempDir, Folder) {
        let runs = tempfile::tempdir().unwrap();
        fs::create_dir(runs.path().join("1-999999999")).unwrap();
        fs::write(runs.path().join("1-999999999/events.jsonl"), text).unwrap();
        let folder = Folder::find(runs.path(), "1-999999999").unwrap();
        (runs, folder)
    }

    #[test]
    fn a_half_written_run_is_read_as_far_as_it_is_whole() {
        let ready = "{\"event\":\"app-ready\",\"recording\":\"a\",\"took_ms\":2.5}\n";
        let (_runs, folder) = run(&format!("{ready}nonsense\n\u{0}\n{ready}{{\"event\":\"app-"));
        let said = folder.whole().unwrap();
        assert_eq!((said.events.len(), said.unread), (2, 2));
        assert_eq!(folder.read(said.offset, MOST).unwrap().offset, said.offset);
        assert_eq!(folder.state(), State::BrokenOff);
    }

    #[test]
    fn an_ended_run_has_its_summary() {
        let end = RunEvent::RunFinished { summary: Summary { passed: 3, ..Summary::default() } };
        let (runs, folder) = run(&(end.to_json() + "\n"));
        assert!(matches!(folder.state(), State::Ended(summary) if summary.passed == 3));
        assert_eq!(names(runs.path()), ["1-999999999"]);
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        let (runs, _) = run("");
        for name in ["", "..", ".", "../1-999999999", "1-999999999/", "x", "a\0b"] {
            assert!(matches!(Folder::find(runs.path(), name), Err(Problem::Missing(_))), "{name}");
        }
    }
}
