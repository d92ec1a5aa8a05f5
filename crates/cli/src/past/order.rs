//! Which tests were found to depend on which others, kept for the next run: it confirms that instead of
//! searching for it again.
//!
//! A line of JSON for each in `rehearsal/runs/order.jsonl`. Nothing is believed unseen: what is here only
//! says what to try first, so a file that cannot be read or written, or is out of date, changes no verdict.

use super::json_lines;
use rehearsal_model::{Map, RetryCause, RunEvent, TestId, Value, json};
use rehearsal_store::Project;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// So many are kept.
const MOST: usize = 10_000;
/// No file that we wrote is as large.
const MOST_BYTES: u64 = 16 << 20;

/// By recording and test, the test without which it fails.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    file: PathBuf,
    known: BTreeMap<(String, TestId), TestId>,
    changed: bool,
}

impl Order {
    /// What earlier runs of a project found.
    pub(crate) fn read(project: &Project) -> Self {
        let file = project.folder().join("runs").join("order.jsonl");
        let fits = fs::metadata(&file).is_ok_and(|about| about.len() <= MOST_BYTES);
        let text = fits.then(|| fs::read_to_string(&file).ok()).flatten().unwrap_or_default();
        let known = text.lines().filter_map(entry).take(MOST).collect();
        Order { file, known, changed: false }
    }

    /// What was found of the tests of a recording.
    pub(crate) fn of(&self, recording: &str) -> BTreeMap<TestId, TestId> {
        let theirs = self.known.iter().filter(|((name, _), _)| name == recording);
        theirs.map(|((_, test), on)| (*test, *on)).collect()
    }

    /// Takes down what a run finds.
    pub(crate) fn event(&mut self, event: &RunEvent) {
        let RunEvent::Retried { recording, number, cause, depends_on, .. } = event else { return };
        let key = (recording.clone(), *number);
        let before = self.known.get(&key).copied();
        match (cause, depends_on) {
            (RetryCause::OrderDependent, Some(on)) if self.known.len() < MOST => {
                self.known.insert(key.clone(), *on);
            }
            // Nothing was found out about it.
            (RetryCause::Unexplained | RetryCause::OrderDependent, _) => {}
            (RetryCause::Flaky, _) => _ = self.known.remove(&key),
        }
        self.changed |= self.known.get(&key).copied() != before;
    }

    /// Keeps it for the next run.
    pub(crate) fn end(self) {
        if self.changed
            && let Err(error) = self.write()
        {
            let _ = writeln!(
                io::stderr().lock(),
                "rehearsal: which tests depend on others will be searched for again: failed to \
                 write {}: {error}",
                self.file.display()
            );
        }
    }

    fn write(&self) -> io::Result<()> {
        let lines = self.known.iter().map(|((recording, test), on)| {
            Map::from([
                ("recording", Value::from(recording.as_str())),
                ("number", Value::from(u64::from(test.0))),
                ("depends_on", Value::from(u64::from(on.0))),
            ])
        });
        let folder = self.file.parent().ok_or(io::ErrorKind::NotFound)?;
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(json_lines(lines).as_bytes())?;
        file.persist(&self.file).map_err(|error| error.error).map(drop)
    }
}

fn entry(line: &str) -> Option<((String, TestId), TestId)> {
    let value = json::parse(line).ok()?;
    let map = value.as_map()?;
    let number = |name: &str| map.get(name)?.as_i64().and_then(|it| u32::try_from(it).ok());
    let recording = map.get("recording")?.as_text()?.to_owned();
    Some(((recording, TestId(number("number")?)), TestId(number("depends_on")?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retried(number: u32, cause: RetryCause, depends_on: Option<u32>) -> RunEvent {
        RunEvent::Retried {
            recording: "shop".to_owned(),
            number: TestId(number),
            name: "GET /".to_owned(),
            cause,
            depends_on: depends_on.map(TestId),
            findings: Vec::new(),
        }
    }

    #[test]
    fn what_a_run_finds_the_next_one_knows() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::open(folder.path()).unwrap();
        let mut order = Order::read(&project);
        assert!(order.of("shop").is_empty());
        order.event(&retried(4, RetryCause::OrderDependent, Some(2)));
        order.event(&retried(9, RetryCause::OrderDependent, Some(7)));
        order.end();
        let mut order = Order::read(&project);
        let known = BTreeMap::from([(TestId(4), TestId(2)), (TestId(9), TestId(7))]);
        assert_eq!(order.of("shop"), known);
        assert!(order.of("other").is_empty());
        order.event(&retried(4, RetryCause::Unexplained, None));
        order.event(&retried(9, RetryCause::Flaky, None));
        order.end();
        assert_eq!(Order::read(&project).of("shop"), BTreeMap::from([(TestId(4), TestId(2))]));
    }

    #[test]
    fn junk_is_nothing_that_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::open(folder.path()).unwrap();
        let file = project.folder().join("runs").join("order.jsonl");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let junk = "\n{}\n[\n{\"recording\":1,\"number\":2,\"depends_on\":3}\n{\"recording\":\"shop\",\"number\":-1,\"depends_on\":3}\n";
        fs::write(&file, junk).unwrap();
        assert!(Order::read(&project).of("shop").is_empty());
        fs::write(&file, [0xff, 0xfe]).unwrap();
        assert!(Order::read(&project).of("shop").is_empty());
    }
}
