//! `rehearsal test`: runs the app against its recordings.

use crate::app;
use crate::arguments::{Color, Test};
use crate::error::{CliError, Outcome};
use crate::outputs::Outputs;
use crate::runs::Run;
use crate::selection;
use crate::signals::Signals;
use clap::ArgMatches;
use rehearsal_model::{RunEvent, Settings, Summary};
use rehearsal_replay::{ReplayOptions, Selected, replay};
use rehearsal_store::Project;
use rehearsal_supervise::Output;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

pub(super) fn run(
    arguments: Test,
    folder: &Path,
    color: Color,
    matches: &ArgMatches,
) -> Result<Outcome, CliError> {
    let mut project = super::record::open(folder)?;
    if let Some(timeout) = arguments.timeout {
        project.settings_mut().timeout = timeout;
    }
    if let Some(clock) = arguments.clock {
        project.settings_mut().clock = clock;
    }
    let output = if arguments.app_output { Output::Inherit } else { Output::Keep };
    let chosen = selection::choose(&project, &arguments.recordings, &arguments.test)?;
    for edge in &arguments.real {
        let known = chosen.iter().any(|chosen| chosen.recording.manifest.edge(edge).is_some());
        if !known {
            let text = format!("let {edge:?} through: no selected recording has such an edge");
            return Err(CliError::Wrong(text));
        }
        let settings = project.settings_mut();
        match settings.edges.iter_mut().find(|known| known.name == *edge) {
            Some(known) => known.real = true,
            None => settings.edges.push(rehearsal_model::EdgeSettings {
                name: edge.clone(),
                real: true,
                ..Default::default()
            }),
        }
    }
    let selected = select(&project, chosen, app::given(&arguments.app).as_deref(), output)?;
    let options = ReplayOptions {
        settings: project.settings().clone(),
        scrubber: Arc::new(project.scrubber()?),
        way: arguments.capture.way(project.settings()),
        strict: arguments.strict,
        explain: arguments.explain,
        fail_fast: arguments.fail_fast,
    };
    let mut outputs = Outputs::open(matches, color, arguments.verbose)?;
    let run = Run::begin(&project, &mut outputs);
    let mut tell = |event: RunEvent| outputs.tell(&event);
    let outcome = drive(selected, &options, &mut tell);
    if let Some(run) = run {
        run.end();
    }
    outcome
}

/// What was chosen, with the app that is to run.
pub(super) fn select(
    project: &Project,
    chosen: Vec<selection::Chosen>,
    given: Option<&[OsString]>,
    output: Output,
) -> Result<Vec<Selected>, CliError> {
    let select = |chosen: selection::Chosen| {
        let words = command(given, project.settings(), &chosen)?;
        let program = app::program(project, words, output);
        let selection::Chosen { name, recording, tests, files } = chosen;
        Ok(Selected { name, recording, tests, files, program })
    };
    chosen.into_iter().map(select).collect()
}

/// Runs the tests until they are over or the user interrupts them.
pub(super) fn drive(
    selected: Vec<Selected>,
    options: &ReplayOptions,
    tell: &mut (dyn FnMut(RunEvent) + Send),
) -> Result<Outcome, CliError> {
    let ran = super::runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        tokio::select! {
            ran = replay(selected, options, tell) => Ok::<_, CliError>(Some(ran)),
            () = signals.next() => Ok(None),
        }
    })?;
    match ran {
        None => Ok(Outcome::Interrupted),
        Some(ran) => Ok(outcome(&ran?)),
    }
}

fn outcome(summary: &Summary) -> Outcome {
    match summary {
        Summary { aborted: Some(_), .. } => Outcome::AppDied,
        Summary { failed: 0, .. } => Outcome::Good,
        Summary { .. } => Outcome::TestsFailed,
    }
}

fn command(
    given: Option<&[OsString]>,
    settings: &Settings,
    chosen: &selection::Chosen,
) -> Result<Vec<OsString>, CliError> {
    let recorded = || {
        let words = &chosen.recording.manifest.command;
        (!words.is_empty()).then(|| words.iter().map(OsString::from).collect())
    };
    given.map(<[_]>::to_vec).or_else(|| app::set(settings)).or_else(recorded).ok_or_else(|| {
        let name = &chosen.name;
        CliError::Wrong(format!("test {name}: give the command that starts the app after `--`"))
    })
}
