//! `rehearsal test --watch`: runs the tests again whenever the app or a test changes.
//!
//! Each run is a `rehearsal test` of its own, with the same options: a change that comes in the midst of
//! one ends it and begins another. The tests that failed are run first; when they pass, the others are.

use crate::arguments::Test;
use crate::changes::Changes;
use crate::error::{CliError, Outcome};
use crate::selection;
use crate::signals::Signals;
use rehearsal_model::{Value, json};
use rehearsal_store::Project;
use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use tokio::task::{JoinHandle, spawn_blocking};

/// Names of changed files that are shown.
const NAMED: usize = 3;

/// What a change may concern.
struct Watched {
    recording: String,
    /// The files that the app is.
    app: BTreeSet<PathBuf>,
    /// The folder of the recording.
    folder: PathBuf,
}

/// What is known of the tests, by their files.
#[derive(Default)]
struct Known {
    failed: BTreeSet<String>,
    passed: BTreeSet<String>,
}

/// What came of a run.
enum Ran {
    Ended(ExitStatus),
    /// Something changed meanwhile.
    Overtaken(Vec<PathBuf>),
    Interrupted,
}

pub(super) fn run(arguments: &Test, folder: &Path) -> Result<Outcome, CliError> {
    let project = super::record::open(folder)?;
    let watched = watched(&project, arguments)?;
    super::runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let mut changes = Changes::new().map_err(CliError::io("watch files"))?;
        let settings = project.root().join("rehearsal.yaml");
        let own =
            watched.iter().flat_map(|it| it.app.iter().cloned().chain([it.folder.join("tests")]));
        for path in own.chain([settings]).chain(arguments.watch_path.iter().cloned()) {
            let watching = changes.watch(&path);
            watching.map_err(CliError::io(format!("watch {}", path.display())))?;
        }
        let mut watch = Watch { known: Known::default(), changes, watched };
        let mut changed = Vec::new();
        loop {
            match watch.round(std::mem::take(&mut changed), &mut signals).await? {
                Ran::Interrupted => return Ok(Outcome::Interrupted),
                Ran::Overtaken(more) => {
                    changed = more;
                    continue;
                }
                Ran::Ended(status) => say(&watch.summary(status)),
            }
            tokio::select! {
                more = watch.changes.next() => changed = more.map_err(CliError::io("watch files"))?,
                () = signals.next() => return Ok(Outcome::Interrupted),
            }
        }
    })
}

struct Watch {
    known: Known,
    changes: Changes,
    watched: Vec<Watched>,
}

impl Watch {
    /// Runs what a change concerns: everything, when nothing has changed yet.
    async fn round(
        &mut self,
        changed: Vec<PathBuf>,
        signals: &mut Signals,
    ) -> Result<Ran, CliError> {
        if changed.is_empty() {
            return self.ran(None, signals).await;
        }
        say(&format!("\n{}\n", headline(&changed)));
        let concerned = self.concerned(&changed);
        let is_concerned = |file: &&String| {
            let of = |it: &&Watched| file.starts_with(&format!("rehearsal/{}/", it.recording));
            concerned.iter().any(of)
        };
        let failed: Vec<String> = self.known.failed.iter().filter(is_concerned).cloned().collect();
        let others: Vec<String> = self.known.passed.iter().filter(is_concerned).cloned().collect();
        // A test that is new or of another name is known by a run of everything only.
        let edited =
            changed.iter().any(|path| self.watched.iter().any(|it| path.starts_with(&it.folder)));
        if edited || failed.is_empty() && concerned.len() == self.watched.len() {
            return self.ran(None, signals).await;
        }
        if !failed.is_empty() {
            let ran = self.ran(Some(&failed), signals).await?;
            let still = failed.iter().any(|file| self.known.failed.contains(file));
            if still || !matches!(ran, Ran::Ended(_)) || others.is_empty() {
                return Ok(ran);
            }
        }
        self.ran(Some(&others), signals).await
    }

    /// The recordings whose tests may have another outcome.
    fn concerned(&self, changed: &[PathBuf]) -> Vec<&Watched> {
        let of =
            |it: &&Watched, path: &PathBuf| it.app.contains(path) || path.starts_with(&it.folder);
        let of_any = |path: &&PathBuf| self.watched.iter().any(|it| of(&it, path));
        // What is nobody's own may concern all.
        if !changed.iter().all(|path| of_any(&path)) {
            return self.watched.iter().collect();
        }
        self.watched.iter().filter(|it| changed.iter().any(|path| of(it, path))).collect()
    }

    /// Runs the tests of these files, all of them for none.
    async fn ran(
        &mut self,
        files: Option<&[String]>,
        signals: &mut Signals,
    ) -> Result<Ran, CliError> {
        let place = tempfile::tempdir().map_err(CliError::io("create a folder"))?;
        let (events, list) = (place.path().join("events"), place.path().join("tests"));
        if let Some(files) = files {
            fs::write(&list, files.join("\n")).map_err(CliError::io("write a list of tests"))?;
        }
        let words = words(env::args_os().skip(1), &events, files.map(|_| list.as_path()));
        let program = env::current_exe().map_err(CliError::io("find this program"))?;
        let mut command = Command::new(program);
        let child = command.args(words).stdin(Stdio::null()).spawn();
        let (id, mut waiting) = wait(child.map_err(CliError::io("run the tests"))?);
        let ran = tokio::select! {
            ended = &mut waiting => return self.ended(ended, &events),
            changed = self.changes.next() => {
                Ran::Overtaken(changed.map_err(CliError::io("watch files"))?)
            }
            () = signals.next() => Ran::Interrupted,
        };
        // SAFETY: a call without pointers; the process is ours and has not been waited for.
        unsafe { libc::kill(id, libc::SIGTERM) };
        let _ = waiting.await;
        Ok(ran)
    }

    fn ended(
        &mut self,
        ended: Result<io::Result<ExitStatus>, tokio::task::JoinError>,
        events: &Path,
    ) -> Result<Ran, CliError> {
        let status = ended.map_err(io::Error::other).and_then(|status| status);
        let text = fs::read_to_string(events).unwrap_or_default();
        text.lines().filter_map(|line| json::parse(line).ok()).for_each(|it| self.known.note(&it));
        Ok(Ran::Ended(status.map_err(CliError::io("wait for the tests"))?))
    }

    fn summary(&self, status: ExitStatus) -> String {
        let Known { failed, passed } = &self.known;
        let state = match (status.code(), failed.len()) {
            (Some(0 | 1), 0) => format!("all {} pass", passed.len()),
            (Some(0 | 1), count) => format!("{count} of {} fail", count + passed.len()),
            _ => "the tests could not be run".to_owned(),
        };
        format!("\n{state} · waiting for changes · Ctrl-C ends\n")
    }
}

impl Known {
    /// Takes in an event of a run.
    fn note(&mut self, event: &Value) {
        let Some(event) = event.as_map() else { return };
        let text = |key: &str| event.get(key).and_then(Value::as_text);
        if let (Some("test-finished"), Some(file)) = (text("event"), text("file")) {
            let (to, from) = match text("outcome") {
                Some("passed") => (&mut self.passed, &mut self.failed),
                // One that was not run is to be run first.
                _ => (&mut self.failed, &mut self.passed),
            };
            from.remove(file);
            to.insert(file.to_owned());
        }
    }
}

/// Waits for a process where that holds up nobody.
fn wait(mut child: Child) -> (i32, JoinHandle<io::Result<ExitStatus>>) {
    (child.id().cast_signed(), spawn_blocking(move || child.wait()))
}

/// The words for a run: those that we were given, and where its events go.
fn words(
    given: impl Iterator<Item = OsString>,
    events: &Path,
    list: Option<&Path>,
) -> Vec<OsString> {
    let given: Vec<OsString> = given.collect();
    let end = given.iter().position(|word| word == "--").unwrap_or(given.len());
    let (options, app) = given.split_at(end);
    let mut words = Vec::new();
    let mut options = options.iter();
    while let Some(word) = options.next() {
        match word.as_encoded_bytes() {
            b"--watch" => {}
            b"--watch-path" => drop(options.next()),
            own if own.starts_with(b"--watch-path=") => {}
            _ => words.push(word.clone()),
        }
    }
    if !words.iter().any(|word| word.as_encoded_bytes().starts_with(b"--format")) {
        words.extend(["--format".into(), "human".into()]);
    }
    words.extend(["--format".into(), "json".into(), "--output".into(), events.into()]);
    words.extend(list.into_iter().flat_map(|list| ["--tests-from".into(), list.into()]));
    words.extend_from_slice(app);
    words
}

/// What there is to watch of each recording.
fn watched(project: &Project, arguments: &Test) -> Result<Vec<Watched>, CliError> {
    let known = project.recordings()?;
    if let Some(name) = arguments.recordings.iter().find(|name| !known.contains(name)) {
        return Err(selection::unknown(name, &known));
    }
    let names = if arguments.recordings.is_empty() { known } else { arguments.recordings.clone() };
    let mut watched = Vec::new();
    for name in names {
        let folder = project.recording_folder(&name)?;
        let manifest = rehearsal_store::read_manifest(&folder)?;
        let given = crate::app::given(&arguments.app);
        let words = given.or_else(|| crate::app::set(project.settings()));
        let words = words.unwrap_or_else(|| manifest.command.iter().map(OsString::from).collect());
        let app = files(project.root(), &words);
        let folder = std::path::absolute(&folder).map_err(CliError::io("find a recording"))?;
        watched.push(Watched { recording: name, app, folder });
    }
    Ok(watched)
}

/// The files that a command names: its program, and scripts that are given to one.
fn files(root: &Path, words: &[OsString]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let line = words.get(2).filter(|_| words.first().is_some_and(|word| word == "sh"));
    let line = line.and_then(|line| line.to_str()).unwrap_or_default();
    let inner = line.split_whitespace().map(OsStr::new);
    for (place, word) in words.iter().map(OsString::as_os_str).chain(inner).enumerate() {
        let path = Path::new(word);
        let file = match path.components().count() {
            1 if place == 0 => in_path(word),
            _ => Some(root.join(path)),
        };
        if let Some(file) = file.filter(|file| file.is_file())
            && let Ok(file) = std::path::absolute(&file)
        {
            found.extend(fs::canonicalize(&file).ok());
            found.insert(file);
        }
    }
    found
}

fn in_path(name: &OsStr) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn headline(changed: &[PathBuf]) -> String {
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut names: Vec<String> = changed.iter().map(name).collect();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("── {}{more} changed ──", rehearsal_report::visible(&shown))
}

/// Talks to people.
fn say(text: &str) {
    // Whoever closed standard error does not want to be told.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expected: &str) {
        let given = given.split(' ').map(OsString::from);
        let words = words(given, Path::new("E"), Some(Path::new("L")));
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn a_run_has_the_words_of_the_watch() {
        check(
            "-C shop test a --watch --watch-path src -- ./app --watch",
            "-C shop test a --format human --format json --output E --tests-from L -- ./app --watch",
        );
        check(
            "test --format tap --watch-path=src --watch",
            "test --format tap --format json --output E --tests-from L",
        );
    }

    #[test]
    fn what_was_told_last_of_a_test_holds() {
        let mut known = Known::default();
        let mut tell = |outcome: &str| {
            let event = format!(r#"{{"event":"test-finished","file":"a","outcome":"{outcome}"}}"#);
            known.note(&json::parse(&event).unwrap());
            (known.failed.len(), known.passed.len())
        };
        assert_eq!(tell("failed"), (1, 0));
        assert_eq!(tell("passed"), (0, 1));
        assert_eq!(tell("not-run"), (1, 0));
    }

    #[test]
    fn the_files_of_a_command_are_its_program_and_its_scripts() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app.py"), "").unwrap();
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        let script = fs::canonicalize(folder.path()).unwrap().join("app.py");
        assert!(files(folder.path(), &words("env app.py 8080")).contains(&script));
        let line = ["sh", "-c", "PORT=1 ./app.py"].map(OsString::from);
        assert!(files(folder.path(), &line).contains(&script));
        assert!(files(folder.path(), &words("no-such-program nothing")).is_empty());
    }
}
