//! `rehearsal mock`: runs another test runner, and records or plays what its tests ask of others.

use crate::arguments::{Color, Miss, Mock, MockRecord, MockReplay};
use crate::error::{CliError, Outcome};
use crate::live::count;
use crate::signals::Signals;
use crate::{app, look, selection};
use rehearsal_capture::TESTS_VARIABLE;
use rehearsal_model::Manifest;
use rehearsal_record::{Ends, Progress, RecordOptions, record};
use rehearsal_replay::{Missed, News, OnMiss, Played, Suite, play};
use rehearsal_report::{evidence, visible};
use rehearsal_store::Project;
use rehearsal_store::writer::Writer;
use rehearsal_supervise::{Ending, Output, Program};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// Misses that are shown with all that is known of them.
const SHOWN: usize = 10;
/// What a shell adds to the number of a signal.
const SIGNALLED: i32 = 128;

pub(super) fn run(arguments: Mock, folder: &Path, color: Color) -> Result<Outcome, CliError> {
    match arguments {
        Mock::Record(arguments) => recorded(arguments, folder, color),
        Mock::Replay(arguments) => replayed(&arguments, folder, color),
    }
}

/// A folder in which tests leave their names, removed in the end.
struct Tests(tempfile::TempDir);

impl Tests {
    fn open() -> Result<Self, CliError> {
        let folder = tempfile::Builder::new().prefix("rehearsal-tests-").tempdir();
        folder.map(Tests).map_err(CliError::io("create a folder for the names of tests"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    /// The runner, which is told of the folder.
    fn program(&self, project: &Project, words: Vec<OsString>) -> Program {
        let mut program = app::program(project, words, Output::Inherit);
        program.env.push((TESTS_VARIABLE.into(), self.path().into()));
        program.remove.push(self.path());
        program
    }
}

fn recorded(arguments: MockRecord, folder: &Path, color: Color) -> Result<Outcome, CliError> {
    let project = super::record::open(folder)?;
    let words = app::given(&arguments.app).ok_or_else(|| {
        CliError::Wrong("record mocks: give the test runner after `--`".to_owned())
    })?;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => app::runner_name(&arguments.app, &words)?,
    };
    if arguments.replace {
        replace(&project, &name)?;
    }
    let tests = Tests::open()?;
    let options = RecordOptions {
        name: name.clone(),
        append: arguments.append,
        program: tests.program(&project, words),
        way: arguments.capture.way(project.settings()),
        serialize: false,
        keylog: None,
        ends: Ends::default(),
        tests: Some(tests.path()),
        keep: None,
        rotate: None,
    };
    let began = Instant::now();
    let recorded = super::runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let (progress, _seen) = watch::channel(Progress::default());
        let stop = async move {
            signals.next().await;
            signals.leave_at_next();
        };
        record(&project, options, progress, stop).await.map_err(CliError::from)
    })?;
    let summary = super::record::mocks_summary(&recorded, &name, began, look::stderr(color));
    say(&summary);
    Ok(recorded.app_ended.map_or(Outcome::Interrupted, outcome))
}

/// Removes a recording of mocks that is to be made anew.
fn replace(project: &Project, name: &str) -> Result<(), CliError> {
    if !project.recordings()?.iter().any(|known| known == name) {
        return Ok(());
    }
    let loaded = project.load(name)?;
    if !loaded.tests.is_empty() {
        let text = format!("replace {name}: it holds tests of an app; choose another --name");
        return Err(CliError::Wrong(text));
    }
    let folder = project.recording_folder(name)?;
    fs::remove_dir_all(&folder).map_err(CliError::io(format!("remove {}", folder.display())))
}

fn replayed(arguments: &MockReplay, folder: &Path, color: Color) -> Result<Outcome, CliError> {
    let mut project = super::record::open(folder)?;
    project.settings_mut().clock = arguments.clock;
    let given = app::given(&arguments.app);
    let name = chosen(&project, arguments, given.as_deref())?;
    let recording = project.load(&name)?;
    if !recording.tests.is_empty() {
        let text = format!(
            "replay {name} as mocks: it holds tests of an app, which `rehearsal test {name}` runs"
        );
        return Err(CliError::Wrong(text));
    }
    let command = &recording.manifest.command;
    let words = given.unwrap_or_else(|| command.iter().map(OsString::from).collect());
    let tests = Tests::open()?;
    let (manifest, mocks) = (recording.manifest.clone(), recording.mocks.len());
    let suite = Suite {
        program: tests.program(&project, words),
        recording,
        settings: project.settings().clone(),
        scrubber: Arc::new(project.scrubber()?),
        way: arguments.capture.way(project.settings()),
        tests: tests.path(),
        on_miss: match arguments.on_miss {
            Miss::Fail => OnMiss::Fail,
            Miss::Real => OnMiss::Real,
            Miss::Record => OnMiss::Record,
        },
    };
    let played = super::runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        tokio::select! {
            played = play(suite) => played.map(Some).map_err(CliError::from),
            () = signals.next() => Ok(None),
        }
    })?;
    let Some(mut played) = played else { return Ok(Outcome::Interrupted) };
    let added = add(&project, &name, manifest, std::mem::take(&mut played.news))?;
    let text = look::stderr(color);
    for warning in &played.warnings {
        say(&format!("warning: {}\n", visible(warning)));
    }
    let shown = played.missed.iter().take(SHOWN);
    shown.for_each(|missed| say(&told(missed, text)));
    say(&closing(&name, mocks, added, &played));
    let refused = played.missed.iter().any(|missed| !missed.answered);
    match outcome(played.ending) {
        Outcome::Ran(0) if refused => Ok(Outcome::TestsFailed),
        outcome => Ok(outcome),
    }
}

/// The recording that is meant.
fn chosen(
    project: &Project,
    arguments: &MockReplay,
    given: Option<&[OsString]>,
) -> Result<String, CliError> {
    let known = project.recordings()?;
    if let Some(name) = &arguments.name {
        let is_known = known.contains(name);
        return if is_known { Ok(name.clone()) } else { Err(selection::unknown(name, &known)) };
    }
    let mut named = Vec::new();
    if let Some(words) = given {
        named.push(app::runner_name(&arguments.app, words)?);
        named.push(app::default_name(&arguments.app, words)?);
    }
    let mut mocks = Vec::new();
    for name in known {
        if project.load(&name)?.tests.is_empty() {
            mocks.push(name);
        }
    }
    if let Some(name) = named.into_iter().find(|name| mocks.contains(name)) {
        return Ok(name);
    }
    match mocks.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(CliError::Wrong(
            "replay mocks: there are none yet; make them by `rehearsal mock record -- <runner>`"
                .to_owned(),
        )),
        several => Err(CliError::Wrong(format!(
            "replay mocks: name one of the recordings {}",
            several.join(", ")
        ))),
    }
}

/// Adds what was met to the recording; how many mocks that were.
fn add(project: &Project, name: &str, manifest: Manifest, news: News) -> Result<usize, CliError> {
    let News { edges, mocks } = news;
    if mocks.is_empty() {
        return Ok(0);
    }
    let mut manifest = manifest;
    manifest.edges.extend(edges);
    let folder = project.recording_folder(name)?;
    let mut writer = Writer::create(project.root(), folder, manifest.clone(), true)?;
    let count = mocks.len();
    mocks.into_iter().try_for_each(|mock| writer.mock(mock))?;
    writer.finish(manifest)?;
    Ok(count)
}

/// What is known of a call that was missed.
fn told(missed: &Missed, look: rehearsal_report::Look) -> String {
    let who = missed.test.as_deref().map_or_else(String::new, |it| format!(" of {}", visible(it)));
    let how = if missed.answered { ", answered by the real dependency" } else { "" };
    format!("\nMissed a call{who}{how}:\n{}", evidence(&missed.finding, look))
}

fn closing(name: &str, mocks: usize, added: usize, played: &Played) -> String {
    let missed = played.missed.len();
    let mut text = match missed {
        0 => format!(
            "\nrehearsal: every call was answered by the {} of {name}",
            count(mocks as u64, "mock")
        ),
        _ => {
            format!("\nrehearsal: {} that no mock of {name} answers", count(missed as u64, "call"))
        }
    };
    if missed > SHOWN {
        text.push_str(&format!("; the first {SHOWN} are shown"));
    }
    if added > 0 {
        text.push_str(&format!("; {} added to it", count(added as u64, "mock")));
    }
    if played.ending != Ending::Code(0) {
        text.push_str(&format!("; the runner ended with {}", played.ending));
    }
    text + "\n"
}

/// The runner's exit code, as a shell gives it.
fn outcome(ending: Ending) -> Outcome {
    let code = match ending {
        Ending::Code(code) => code,
        Ending::Signal(signal) => SIGNALLED + signal,
        Ending::Unknown => return Outcome::AppDied,
    };
    Outcome::Ran(u8::try_from(code).unwrap_or(u8::MAX))
}

/// Talks to people: standard output is the runner's.
fn say(text: &str) {
    // Whoever closed standard error does not want to be told.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
