//! `rehearsal flaky`: tests with both outcomes on the same code.

use crate::arguments::{Color, Past};
use crate::error::{CliError, Outcome};
use crate::{look, past};
use rehearsal_history::{Flaky, History};
use rehearsal_model::{Map, Value};
use rehearsal_report::{Column, table, visible};
use rehearsal_store::{Project, format_instant};
use std::fmt::Write;
use std::path::Path;

pub(super) fn run(arguments: &Past, folder: &Path, color: Color) -> Result<Outcome, CliError> {
    let project = Project::open(folder)?;
    let samples = History::read(&past::place(&project)?)?.samples(arguments.runs)?;
    let found = rehearsal_history::flaky(&samples);
    if arguments.json {
        super::print(&past::json_lines(found.iter().map(object)))?;
        return Ok(Outcome::Good);
    }
    if found.is_empty() {
        let text = format!(
            "No flaky test in the last {} runs: none both passed and failed on the same code.\n",
            past::runs_of(&samples)
        );
        super::print(&text)?;
        return Ok(Outcome::Good);
    }
    let columns = [
        Column::left("test"),
        Column::left("name"),
        Column::right("failed"),
        Column::left("last (UTC)"),
        Column::left("cause"),
        Column::left("fingerprints"),
    ];
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    let mut page = table(&columns, &rows, look::stdout(color, false));
    page.push('\n');
    for flaky in &found {
        let test = visible(&flaky.test.recording).into_owned();
        let evidence = visible(&flaky.evidence).into_owned();
        let (number, class) = (flaky.test.number, flaky.class.word());
        let _ = writeln!(page, "{test}/{number}: {class}: {evidence}");
    }
    super::print(&page)?;
    Ok(Outcome::Good)
}

fn row(flaky: &Flaky) -> Vec<String> {
    vec![
        format!("{}/{}", flaky.test.recording, flaky.test.number),
        flaky.test.name.clone(),
        format!("{} of {}", flaky.failed, flaky.of),
        format_instant(flaky.last_ms),
        flaky.class.word().to_owned(),
        flaky.fingerprints.join(" "),
    ]
}

fn object(flaky: &Flaky) -> Map {
    Map::from([
        ("recording", Value::from(flaky.test.recording.as_str())),
        ("number", Value::from(i64::from(flaky.test.number))),
        ("name", Value::from(flaky.test.name.as_str())),
        ("file", Value::from(flaky.test.file.as_str())),
        ("failed", past::count(flaky.failed)),
        ("of", past::count(flaky.of)),
        ("commit", past::text_or_null(flaky.commit.as_deref())),
        ("last_ms", Value::from(flaky.last_ms)),
        ("cause", Value::from(flaky.class.word())),
        ("evidence", Value::from(flaky.evidence.as_str())),
        ("fingerprints", past::texts(&flaky.fingerprints)),
    ])
}
