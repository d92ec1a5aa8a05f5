//! `rehearsal record`: runs an app and records what crosses its edges.

use super::learn::{MOST_UNASKED, Stop, Verified, verify};
use crate::arguments::{Color, Record};
use crate::error::{CliError, Outcome};
use crate::live::{self, bytes, count};
use crate::sieve::Sieve;
use crate::signals::Signals;
use crate::{app, environment, look};
use rehearsal_capture::Way;
use rehearsal_model::{Role, Settings};
use rehearsal_record::{DATAGRAMS, Ends, Progress, RecordOptions, Recorded, record};
use rehearsal_report::{Align, Column, Look, table, visible};
use rehearsal_store::Project;
use rehearsal_store::writer::Finished;
use rehearsal_supervise::{Ending, Output};
use std::ffi::OsString;
use std::fmt::Write;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

pub(super) fn run(arguments: Record, folder: &Path, color: Color) -> Result<Outcome, CliError> {
    let project = open(folder)?;
    let settings = project.settings();
    let words = app::given(&arguments.app).or_else(|| app::set(settings)).ok_or_else(|| {
        let text = "record: give the command that starts the app after `--`, or as `command` in \
                    rehearsal.yaml";
        CliError::Wrong(text.to_owned())
    })?;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => app::default_name(&arguments.app, &words)?,
    };
    let sieve = Sieve::new(arguments.sample, arguments.unique_by).map(Arc::new);
    let options = RecordOptions {
        name: name.clone(),
        append: arguments.append,
        program: app::program(&project, words, Output::Inherit),
        way: arguments.capture.way(settings),
        serialize: arguments.serialize,
        keylog: arguments.keylog,
        ends: Ends { after: arguments.duration, idle: arguments.until_idle },
        tests: None,
        keep: sieve.as_ref().map(Sieve::keep),
        rotate: arguments.rotate,
    };
    let look = look::stderr(color);
    let began = Instant::now();
    let recorded = super::runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let (progress, seen) = watch::channel(Progress::default());
        let line = match look.live {
            true => tokio::spawn(live::show(seen, name.clone(), look.width)),
            false => tokio::spawn(live::announce(seen, name.clone())),
        };
        let stop = async move {
            signals.next().await;
            signals.leave_at_next();
        };
        let recorded = record(&project, options, progress, stop).await;
        let _ = line.await;
        recorded.map_err(CliError::from)
    })?;
    super::print(&summary(&recorded, &name, began, look::stdout(color, false)))?;
    if let Some(sieve) = sieve {
        super::print(&sieve.told())?;
    }
    if !arguments.no_verify && recorded.finished.tests > 0 {
        let _ =
            writeln!(io::stderr(), "Replaying it twice to learn what differs from run to run ...");
        let way = arguments.capture.way(project.settings());
        super::print(&verified(&project, &recorded, &name, app::given(&arguments.app), way))?;
    }
    Ok(Outcome::Good)
}

/// What replaying the recording twice has shown, or why that was not done.
fn verified(
    project: &Project,
    recorded: &Recorded,
    name: &str,
    given: Option<Vec<OsString>>,
    way: Way,
) -> String {
    let later = format!("`rehearsal learn {}` does it later", visible(name));
    let not = |why: &str| format!("Not replayed to learn its noise: {why}; {later}.\n");
    let hidden: Vec<&str> = recorded.hidden.iter().map(rehearsal_model::EdgeName::as_str).collect();
    if !hidden.is_empty() {
        return format!(
            "Not replayed to learn its noise: {} cannot be.\n",
            visible(&hidden.join(", "))
        );
    }
    if !recorded.parts.is_empty() {
        return not("it was rotated");
    }
    if recorded.finished.tests > MOST_UNASKED {
        return not(&format!("it has more than {MOST_UNASKED} tests"));
    }
    match verify(project, name, given.as_deref(), way) {
        Ok(Verified::Learned(learned)) => learned.text(),
        Ok(Verified::Not(Stop::Interrupted)) => not("interrupted"),
        Ok(Verified::Not(Stop::Died)) => not("the app ended"),
        Err(error) => not(&format!("failed to {}", visible(&error.to_string()))),
    }
}

/// The project of a folder, with the edges that the environment names.
pub(super) fn open(folder: &Path) -> Result<Project, CliError> {
    let mut project = Project::open(folder)?;
    let name = |settings: &mut Settings| {
        let own = settings.env.clone();
        environment::name_edges(settings, std::env::vars().chain(own));
    };
    name(project.settings_mut());
    Ok(project)
}

/// What was recorded, as a table, and what to do next.
pub(super) fn summary(recorded: &Recorded, name: &str, began: Instant, look: Look) -> String {
    let mut page = String::new();
    if let Some(recovered) = &recorded.recovered {
        let _ = writeln!(
            page,
            "An earlier recording had been cut off: {} and {} were saved first.",
            count(recovered.tests as u64, "test"),
            count(recovered.mocks as u64, "mock"),
        );
    }
    page.push_str(&edges(recorded, look));
    page.push_str(&notes(recorded));
    if let Some(ending) = recorded.app_ended.filter(|ending| *ending != Ending::Code(0)) {
        let _ = writeln!(page, "note: the app ended by itself with {ending}");
    }
    page.push_str(&written(recorded, began, look));
    let real: String = recorded.hidden.iter().map(|edge| format!(" --real {edge}")).collect();
    let which = if real.is_empty() { "its" } else { "its other" };
    let name = match recorded.parts.as_slice() {
        [] => name.to_owned(),
        [..] => folders(recorded).map(name_of).collect::<Vec<_>>().join(" "),
    };
    let _ = writeln!(
        page,
        "Next: rehearsal test {name}{}    ({which} dependencies may be stopped)",
        visible(&real),
    );
    page
}

/// The recordings that were written, the first one first.
fn folders(recorded: &Recorded) -> impl Iterator<Item = &Finished> {
    recorded.parts.iter().chain([&recorded.finished])
}

fn name_of(finished: &Finished) -> String {
    finished.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What is in the files now: of several recordings as a table.
fn written(recorded: &Recorded, began: Instant, look: Look) -> String {
    let [mut tests, mut mocks] = [0; 2];
    for part in folders(recorded) {
        tests += part.tests as u64;
        mocks += part.mocks as u64;
    }
    let where_to = match recorded.parts.as_slice() {
        [] => recorded.finished.folder.display().to_string(),
        parts => format!("{} recordings", parts.len() + 1),
    };
    let (tests, mocks) = (count(tests, "test"), count(mocks, "further mock"));
    let took = began.elapsed().as_secs_f64();
    let line = format!("\nRecorded {tests} and {mocks} in {where_to} ({took:.1} s).\n");
    if recorded.parts.is_empty() {
        return line;
    }
    let columns = [
        Column { name: "recording", align: Align::Left },
        Column { name: "tests", align: Align::Right },
        Column { name: "further mocks", align: Align::Right },
        Column { name: "size", align: Align::Right },
    ];
    let row = |part: &Finished| {
        vec![name_of(part), part.tests.to_string(), part.mocks.to_string(), bytes(part.bytes)]
    };
    let rows: Vec<Vec<String>> = folders(recorded).map(row).collect();
    format!("\n{}{line}", table(&columns, &rows, look))
}

/// The same of the mocks of another test runner.
pub(super) fn mocks_summary(recorded: &Recorded, name: &str, began: Instant, look: Look) -> String {
    let mut page = edges(recorded, look);
    page.push_str(&notes(recorded));
    let finished = &recorded.finished;
    let _ = writeln!(
        page,
        "\nRecorded {} in {} ({:.1} s).\nNext: rehearsal mock replay {name}    (the dependencies \
         may be stopped)",
        count(finished.mocks as u64, "mock"),
        finished.folder.display(),
        began.elapsed().as_secs_f64(),
    );
    page
}

/// What crossed each edge, as a table.
fn edges(recorded: &Recorded, look: Look) -> String {
    let columns = [
        Column { name: "edge", align: Align::Left },
        Column { name: "direction", align: Align::Left },
        Column { name: "protocol", align: Align::Left },
        Column { name: "exchanges", align: Align::Right },
        Column { name: "connections", align: Align::Right },
        Column { name: "sent", align: Align::Right },
        Column { name: "received", align: Align::Right },
    ];
    let rows: Vec<Vec<String>> = recorded
        .edges
        .iter()
        .map(|edge| {
            let lines =
                recorded.ledger.lines.iter().filter(|line| line.party == edge.name.as_str());
            let sums = lines.fold((0, 0, 0), |sums, line| {
                (sums.0 + line.connections, sums.1 + line.bytes_sent, sums.2 + line.bytes_received)
            });
            vec![
                edge.name.to_string(),
                if edge.role == Role::Inbound { "in" } else { "out" }.to_owned(),
                match edge.tls.is_spoken() {
                    true => format!("{} over TLS", edge.protocol),
                    false => edge.protocol.clone(),
                },
                recorded.exchanges.get(&edge.name).copied().unwrap_or(0).to_string(),
                sums.0.to_string(),
                bytes(sums.1),
                bytes(sums.2),
            ]
        })
        .collect();
    if rows.is_empty() { String::new() } else { format!("\n{}", table(&columns, &rows, look)) }
}

/// What the user should know of what was not recorded.
fn notes(recorded: &Recorded) -> String {
    let mut page = String::new();
    for line in &recorded.ledger.lines {
        if !matches!(line.treatment.as_str(), "understood" | "silent" | "turned away")
            && let Some(why) = line.why.as_ref().filter(|why| *why != DATAGRAMS)
        {
            let _ = writeln!(
                page,
                "note: {} with {}: {} ({})",
                count(line.connections, "connection"),
                visible(&line.party),
                line.treatment,
                visible(why),
            );
        }
    }
    for warning in &recorded.warnings {
        let _ = writeln!(page, "warning: {}", visible(warning));
    }
    let shared = recorded.counts.shared;
    if shared > 0 {
        let (calls, were, belong) = match shared {
            1 => ("call", "was", "belongs"),
            _ => ("calls", "were", "belong"),
        };
        let _ = writeln!(
            page,
            "note: {shared} {calls} {were} made while requests overlapped and {belong} to any of them; \
             --serialize gives each call to one test",
        );
    }
    if recorded.unfinished > 0 {
        let what = count(recorded.unfinished as u64, "exchange");
        let are = if recorded.unfinished == 1 { "is" } else { "are" };
        let _ = writeln!(page, "note: {what} had not finished and {are} not in the recording");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{Ledger, LedgerLine};

    fn recorded() -> Recorded {
        Recorded {
            finished: Finished { tests: 1, mocks: 0, bytes: 0, folder: "rehearsal/shop".into() },
            parts: Vec::new(),
            edges: Vec::new(),
            exchanges: Default::default(),
            hidden: Default::default(),
            ledger: Ledger::default(),
            warnings: Vec::new(),
            unfinished: 0,
            counts: Progress::default(),
            recovered: None,
            app_ended: None,
        }
    }

    fn line(party: &str, treatment: &str, why: &str) -> LedgerLine {
        LedgerLine {
            party: party.to_owned(),
            treatment: treatment.to_owned(),
            why: Some(why.to_owned()),
            connections: 1,
            ..LedgerLine::default()
        }
    }

    #[test]
    fn routine_is_left_out_of_the_notes() {
        let mut recorded = recorded();
        recorded.ledger.add(line("203.0.113.9:443", "passed through", DATAGRAMS));
        recorded.ledger.add(line("unix:/run/nscd/socket", "turned away", "names are asked by DNS"));
        assert_eq!(notes(&recorded), "");
        recorded.ledger.add(line("127.0.0.1:9", "passed through", "the app called itself"));
        let note = "note: 1 connection with 127.0.0.1:9: passed through (the app called itself)\n";
        assert_eq!(notes(&recorded), note);
    }

    #[test]
    fn numbers_agree_with_their_words() {
        let mut recorded = recorded();
        (recorded.unfinished, recorded.counts.shared) = (1, 1);
        let one = notes(&recorded);
        assert!(
            one.contains("note: 1 exchange had not finished and is not in the recording"),
            "{one}"
        );
        assert!(one.contains("note: 1 call was made while requests overlapped and belongs to any"));
        (recorded.unfinished, recorded.counts.shared) = (2, 2);
        let two = notes(&recorded);
        assert!(two.contains("note: 2 exchanges had not finished and are not in the recording"));
        assert!(
            two.contains("note: 2 calls were made while requests overlapped and belong to any")
        );
    }

    #[test]
    fn what_cannot_be_replayed_is_let_through_next() {
        let next = |recorded: &Recorded| {
            let text = summary(recorded, "shop", Instant::now(), Look::default());
            text.lines().last().unwrap_or_default().to_owned()
        };
        let mut recorded = recorded();
        let plain = "Next: rehearsal test shop    (its dependencies may be stopped)";
        assert_eq!(next(&recorded), plain);
        recorded.hidden.insert(rehearsal_model::EdgeName::new("bank"));
        let real =
            "Next: rehearsal test shop --real bank    (its other dependencies may be stopped)";
        assert_eq!(next(&recorded), real);
    }
}
