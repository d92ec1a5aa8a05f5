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
    let said = said(app, words);
    named(&stem(said.first().map(String::as_str).unwrap_or_default()))
}

/// A name for the mocks of the tests that this command runs: `pytest` of `python3 -m pytest -q`, `go-test`
/// of `go test ./...`.
///
/// A program that many things are run by says nothing of what is run, and an app that is recorded by the
/// same one has its name already.
pub(crate) fn runner_name(app: &App, words: &[OsString]) -> Result<String, CliError> {
    let said = said(app, words);
    let mut words = said.iter().map(String::as_str).skip_while(|word| is_assignment(word));
    let mut name = stem(words.next().unwrap_or_default());
    while STARTERS.contains(&name.as_str()) || name.starts_with("python") {
        // Options of what starts it, and `run` or `exec`, are no runner; what follows `-c` is a program.
        let is_aside = |word: &&str| word.starts_with('-') || is_assignment(word);
        let next = words.find(|word| *word == "-c" || !(is_aside(word) || STEPS.contains(word)));
        let Some(next) = next.filter(|next| *next != "-c") else { break };
        name = stem(next);
    }
    if DOES_MUCH.contains(&name.as_str())
        && let Some(task) = words.find(|word| !word.starts_with('-'))
    {
        name = format!("{name}-{}", stem(task));
    }
    named(&name)
}

/// They start what is named after them.
const STARTERS: &[&str] = &[
    "env", "npx", "bunx", "bundle", "poetry", "uv", "pipenv", "hatch", "nice", "time", "xvfb-run",
];
/// What some of them are told before that.
const STEPS: &[&str] = &["run", "exec"];
/// They do many things, of which testing is one.
const DOES_MUCH: &[&str] = &[
    "go", "cargo", "npm", "pnpm", "yarn", "bun", "deno", "node", "mvn", "mvnw", "gradle",
    "gradlew", "dotnet", "make", "rake", "mix", "composer",
];

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains('/'))
}

/// The words of a command, or of the line that a shell is given.
fn said(app: &App, words: &[OsString]) -> Vec<String> {
    match &app.line {
        Some(line) => line.to_string_lossy().split_whitespace().map(str::to_owned).collect(),
        None => words.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
    }
}

/// The name of a program without its folder and what follows a dot.
fn stem(program: &str) -> String {
    let stem = Path::new(program).file_stem();
    stem.map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn named(stem: &str) -> Result<String, CliError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name: String = stem.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    match name.trim_matches('-') {
        "" => Err(CliError::Wrong("name the recording: give it a name by --name".to_owned())),
        name => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, name: &str) {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let app = App { line: None, words: words.clone() };
        assert_eq!(runner_name(&app, &words).unwrap(), name, "{line}");
        let app = App { line: Some(line.into()), words: Vec::new() };
        assert_eq!(runner_name(&app, &[]).unwrap(), name, "{line}");
    }

    #[test]
    fn mocks_have_the_name_of_what_runs_the_tests() {
        check("pytest -q", "pytest");
        check("python3 -m pytest -q", "pytest");
        check("python3.12 -B tests/run_all.py", "run_all");
        check("/usr/bin/python3", "python3");
        check("python3 -c print(1)", "python3");
        check("DEBUG=1 .venv/bin/pytest", "pytest");
        check("env DEBUG=1 npx --yes jest", "jest");
        check("bundle exec rspec", "rspec");
        check("uv run pytest tests", "pytest");
        check("go test ./...", "go-test");
        check("cargo nextest run", "cargo-nextest");
        check("npm test", "npm-test");
        check("mvn -q verify", "mvn-verify");
        check("node --test", "node");
        check("./run-tests.sh all", "run-tests");
    }

    #[test]
    fn a_recording_has_the_name_of_its_program() {
        let words = ["./My Shop.py".into(), "8080".into()];
        let app = App { line: None, words: words.to_vec() };
        assert_eq!(default_name(&app, &words).unwrap(), "my-shop");
        assert!(default_name(&app, &["--".into()]).is_err());
    }
}
