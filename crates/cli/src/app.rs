//! The app's command, from wherever it is given.

use crate::arguments::App;
use crate::error::CliError;
use rehearsal_model::Settings;
use rehearsal_store::Project;
use rehearsal_supervise::{Output, Program};
use std::ffi::OsString;
use std::path::Path;

/// The words of the command line, if any are given there.
pub(crate) fn given(app: &App) -> Option<Vec<OsString>> {
    match (&app.line, app.words.as_slice()) {
        (Some(line), _) => Some(vec!["sh".into(), "-c".into(), line.clone()]),
        (None, []) => None,
        (None, words) => Some(words.to_vec()),
    }
}

/// The words that the settings give.
pub(crate) fn set(settings: &Settings) -> Option<Vec<OsString>> {
    let words = settings.command.as_ref().filter(|words| !words.is_empty())?;
    Some(words.iter().map(OsString::from).collect())
}

/// The program to run in a project.
pub(crate) fn program(project: &Project, words: Vec<OsString>, output: Output) -> Program {
    let settings = project.settings();
    let env = settings.env.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let here = project.root() == Path::new(".") || project.root() == Path::new("");
    let folder = (!here).then(|| project.root().to_owned());
    Program { words, env, folder, output, ..Program::default() }
}

/// A name for a recording of this command: that of its program.
pub(crate) fn default_name(app: &App, words: &[OsString]) -> Result<String, CliError> {
    let program = match &app.line {
        Some(line) => line.to_string_lossy().split_whitespace().next().map(str::to_owned),
        None => words.first().map(|word| word.to_string_lossy().into_owned()),
    };
    let stem = program.as_deref().map(Path::new).and_then(Path::file_stem);
    let name: String = stem
        .map(|stem| stem.to_string_lossy().to_lowercase())
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .collect();
    match name.trim_matches('-') {
        "" => Err(CliError::Wrong("name the recording: give it a name by --name".to_owned())),
        name => Ok(name.to_owned()),
    }
}
