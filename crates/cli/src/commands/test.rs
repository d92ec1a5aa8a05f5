//! `rehearsal test`: runs the app against its recordings.

use crate::app;
use crate::arguments::{Color, Test};
use crate::error::{CliError, Outcome};
use crate::outputs::Outputs;
use crate::past::{self, Keeper};
use crate::rerun::Verdicts;
use crate::runs::Run;
use crate::selection;
use crate::signals::Signals;
use crate::triage::Desk;
use clap::ArgMatches;
use rehearsal_model::{Overlap, RunEvent, Settings, Summary};
use rehearsal_replay::{ReplayOptions, Selected, Spread, replay};
use rehearsal_store::Project;
use rehearsal_supervise::Output;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

pub(super) fn run(
    arguments: Test,
    folder: &Path,
    color: Color,
    matches: &ArgMatches,
) -> Result<Outcome, CliError> {
    if arguments.watch {
        return watched(&arguments, folder);
    }
    let mut project = super::record::open(folder)?;
    if let Some(timeout) = arguments.timeout {
        project.settings_mut().timeout = timeout;
    }
    if let Some(clock) = arguments.clock {
        project.settings_mut().clock = clock;
    }
    if let Some(overlap) = arguments.overlap {
        project.settings_mut().overlap = overlap;
    }
    let output = if arguments.app_output { Output::Inherit } else { Output::Keep };
    let mut chosen = selection::choose(&project, &arguments.recordings, &arguments.test)?;
    if let Some(list) = &arguments.tests_from {
        chosen = selection::listed(chosen, list)?;
    }
    let mut strays = match arguments.recordings.as_slice() {
        [] => selection::strays(&chosen, project.settings()),
        _ => Vec::new(),
    };
    let_through(&arguments.real, &chosen, &mut project)?;
    let selected = select(&project, chosen, app::given(&arguments.app).as_deref(), output)?;
    let options = ReplayOptions {
        settings: project.settings().clone(),
        scrubber: Arc::new(project.scrubber()?),
        way: arguments.capture.way(project.settings()),
        strict: arguments.strict,
        explain: arguments.explain,
        go_on: arguments.go_on,
        fail_fast: arguments.fail_fast,
        spread: arguments.spread.spread(),
    };
    let place = past::place(&project)?;
    let mut outputs = Outputs::open(matches, color, arguments.verbose)?;
    outputs.add_step_summary();
    let run = Run::begin(&project, &mut outputs);
    let name = run.as_ref().map(Run::name).unwrap_or_default();
    let given = past::Given {
        root: project.root().to_owned(),
        commands: selected.iter().map(|selected| selected.program.words.clone()).collect(),
        options: played(&arguments, &options),
        jobs: options.spread.most(),
    };
    let mut keeper = Keeper::begin(place, name, given);
    let mut order = past::Order::read(&project);
    let mut tell = |event: RunEvent| {
        let begins = matches!(event, RunEvent::RunStarted { .. });
        keeper.event(&event);
        order.event(&event);
        outputs.tell(&event);
        if begins {
            for message in std::mem::take(&mut strays) {
                outputs.tell(&RunEvent::Warning { recording: None, message });
            }
        }
    };
    let outcome = judged(&project, &arguments, selected, &options, output, &mut tell);
    keeper.end(&outcome);
    order.end();
    if let Some(run) = run {
        run.end();
    }
    outcome
}

/// The options that change what a verdict is, in words.
fn played(arguments: &Test, options: &ReplayOptions) -> String {
    let Settings { clock, overlap, .. } = &options.settings;
    let overlap = match overlap {
        Overlap::None => "",
        Overlap::Recorded => " overlapped",
    };
    format!("{:?} {clock:?} {}{overlap}", arguments.real, options.strict)
}

/// Makes edges real for this run.
fn let_through(
    edges: &[String],
    chosen: &[selection::Chosen],
    project: &mut Project,
) -> Result<(), CliError> {
    for edge in edges {
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
    Ok(())
}

/// Runs the tests, and those that failed again as often as that is asked for.
fn judged(
    project: &Project,
    arguments: &Test,
    selected: Vec<Selected>,
    options: &ReplayOptions,
    output: Output,
    tell: &mut (dyn FnMut(RunEvent) + Send),
) -> Result<Outcome, CliError> {
    let mut verdicts =
        Verdicts::new(Desk::new(project.root(), project.settings(), past::place(project)?));
    let mut first = |event| verdicts.event(event).into_iter().for_each(&mut *tell);
    let mut ran = drive(selected, options, &mut first);
    // Those that failed are this run's already, in whichever shard it is.
    let alone = ReplayOptions { spread: Spread::default(), ..options.clone() };
    for attempt in 1..=arguments.rerun_failed {
        let over = !matches!(ran, Ok(Outcome::Good | Outcome::TestsFailed));
        if over || verdicts.failed().is_empty() {
            break;
        }
        let files: Vec<String> = verdicts.failed().iter().map(|one| one.file.clone()).collect();
        let names: BTreeSet<String> =
            verdicts.failed().iter().map(|one| one.recording.clone()).collect();
        let names: Vec<String> = names.into_iter().collect();
        let chosen = selection::choose(project, &names, &files)?;
        let selected = select(project, chosen, app::given(&arguments.app).as_deref(), output)?;
        let mut again = |event| verdicts.again(attempt, event).into_iter().for_each(&mut *tell);
        // An app that dies on the way has failed its tests again, and the others may still pass.
        let reran = drive(selected, &alone, &mut again);
        if matches!(reran, Ok(Outcome::Interrupted)) {
            ran = reran;
        }
    }
    let Some(summary) = verdicts.end() else { return ran };
    tell(RunEvent::RunFinished { summary: summary.clone() });
    match ran {
        Ok(Outcome::Good | Outcome::TestsFailed) => Ok(outcome(&summary)),
        other => other,
    }
}

#[cfg(target_os = "linux")]
fn watched(arguments: &Test, folder: &Path) -> Result<Outcome, CliError> {
    super::watch::run(arguments, folder)
}

#[cfg(not(target_os = "linux"))]
fn watched(_: &Test, _: &Path) -> Result<Outcome, CliError> {
    Err(CliError::Wrong("watch files: that needs Linux".to_owned()))
}

/// What was chosen, with the app that is to run.
pub(super) fn select(
    project: &Project,
    chosen: Vec<selection::Chosen>,
    given: Option<&[OsString]>,
    output: Output,
) -> Result<Vec<Selected>, CliError> {
    let order = past::Order::read(project);
    let select = |chosen: selection::Chosen| {
        let words = command(given, project.settings(), &chosen)?;
        let program = app::program(project, words, output);
        let groups = chosen.groups(project.settings());
        let selection::Chosen { name, recording, tests, files } = chosen;
        let known = order.of(&name);
        Ok(Selected { name, recording, tests, files, groups, known, program })
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

/// What the counts of a run come to.
pub(super) fn outcome(summary: &Summary) -> Outcome {
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
