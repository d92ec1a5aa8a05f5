//! `rehearsal history`: past runs, a line each.

use crate::arguments::{Color, History};
use crate::error::{CliError, Outcome};
use crate::{look, past};
use rehearsal_history::RunRow;
use rehearsal_model::{Map, Value};
use rehearsal_report::{Column, table};
use rehearsal_store::{Project, format_instant};
use std::path::Path;

pub(super) fn run(arguments: &History, folder: &Path, color: Color) -> Result<Outcome, CliError> {
    let project = Project::open(folder)?;
    let runs = rehearsal_history::History::read(&past::place(&project)?)?.runs(arguments.runs)?;
    if arguments.json {
        super::print(&past::json_lines(runs.iter().map(object)))?;
        return Ok(Outcome::Good);
    }
    let columns = [
        Column::right("run"),
        Column::left("when (UTC)"),
        Column::left("commit"),
        Column::left("branch"),
        Column::left("host"),
        Column::right("passed"),
        Column::right("failed"),
        Column::right("flaky"),
        Column::right("quarantined"),
        Column::right("not run"),
        Column::right("took"),
        Column::left(""),
    ];
    let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
    super::print(&table(&columns, &rows, look::stdout(color, false)))?;
    Ok(Outcome::Good)
}

fn row(run: &RunRow) -> Vec<String> {
    let RunRow { id, scene, summary } = run;
    let commit = scene.commit.as_deref().unwrap_or("–");
    let commit: String = commit.chars().take(10).collect();
    vec![
        id.to_string(),
        format_instant(scene.started_ms),
        if scene.dirty { format!("{commit}+") } else { commit },
        scene.branch.clone().unwrap_or_else(|| "–".to_owned()),
        scene.host.clone(),
        summary.passed.to_string(),
        summary.failed.to_string(),
        summary.flaky.to_string(),
        summary.quarantined.to_string(),
        summary.not_run.to_string(),
        format!("{:.2} s", summary.took_ms / 1000.0),
        summary.aborted.clone().unwrap_or_default(),
    ]
}

fn object(run: &RunRow) -> Map {
    let RunRow { id, scene, summary } = run;
    Map::from([
        ("run", Value::from(*id)),
        ("folder", Value::from(scene.run.as_str())),
        ("started_ms", Value::from(scene.started_ms)),
        ("commit", past::text_or_null(scene.commit.as_deref())),
        ("branch", past::text_or_null(scene.branch.as_deref())),
        ("changed", Value::Bool(scene.dirty)),
        ("host", Value::from(scene.host.as_str())),
        ("tool", Value::from(scene.tool.as_str())),
        ("summary", rehearsal_model::to_value(summary).unwrap_or(Value::Null)),
    ])
}
