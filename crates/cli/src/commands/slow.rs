//! `rehearsal slow`: tests and edges beside their own past.

use crate::arguments::{Color, Slow};
use crate::error::{CliError, Outcome};
use crate::{look, past};
use rehearsal_history::{EdgePace, History, Pace};
use rehearsal_model::{Map, Value};
use rehearsal_report::{Column, Look, table};
use rehearsal_store::Project;
use std::path::Path;

pub(super) fn run(arguments: &Slow, folder: &Path, color: Color) -> Result<Outcome, CliError> {
    let project = Project::open(folder)?;
    let samples = History::read(&past::place(&project)?)?.samples(arguments.past.runs)?;
    let (mut paces, edges) = rehearsal_history::slow(&samples);
    let known = paces.len();
    let all = rehearsal_history::middle_factor(&paces);
    paces.retain(|pace| arguments.all || pace.is_slower());
    if arguments.past.json {
        super::print(&past::json_lines(paces.iter().map(object)))?;
        return Ok(Outcome::Good);
    }
    let look = look::stdout(color, false);
    let page = match (known, paces.as_slice()) {
        (0, _) => format!(
            "Nothing to compare yet: {} runs are known, and a test needs eight that passed on this \
             machine.\n",
            past::runs_of(&samples)
        ),
        (_, []) => format!("No test is slower than noise explains, of {known} with a past.\n"),
        (..) => format!("{}\n{}{}", tests(&paces, look), calls(&edges, look), machine(all)),
    };
    super::print(&page)?;
    Ok(Outcome::Good)
}

/// What is to be said when nearly everything changed alike.
fn machine(factor: Option<f64>) -> String {
    let odd = factor.filter(|factor| *factor > BUSY);
    odd.map_or_else(String::new, |factor| {
        format!(
            "\nHalf of all tests take {factor:.1} times as long or more: the machine may be busier, or \
             the app slower as a whole.\n"
        )
    })
}

/// Where the middle of all tests is not noise any more.
const BUSY: f64 = 1.2;

fn tests(paces: &[Pace], look: Look) -> String {
    let columns = [
        Column::left("test"),
        Column::left("name"),
        Column::right("now"),
        Column::right("before"),
        Column::left("noise"),
        Column::right("runs"),
        Column::right("times"),
        Column::left("verdict"),
    ];
    let row = |pace: &Pace| {
        let band = &pace.band;
        vec![
            format!("{}/{}", pace.test.recording, pace.test.number),
            pace.test.name.clone(),
            format!("{:.1} ms", pace.now),
            format!("{:.1} ms", band.median),
            format!("{:.1} to {:.1} ms", band.lower, band.upper),
            band.of.to_string(),
            format!("{:.1}", pace.factor()),
            verdict(pace).to_owned(),
        ]
    };
    table(&columns, &paces.iter().map(row).collect::<Vec<_>>(), look)
}

fn verdict(pace: &Pace) -> &'static str {
    match (pace.is_slower(), pace.is_faster()) {
        (true, _) => "slower",
        (_, true) => "faster",
        _ => "within noise",
    }
}

fn calls(edges: &[EdgePace], look: Look) -> String {
    let columns = [
        Column::left("tests that call"),
        Column::right("number"),
        Column::right("slower"),
        Column::right("times as long"),
    ];
    let row = |edge: &EdgePace| {
        let (tests, slower) = edge.tests;
        let factor = format!("{:.2}", edge.factor);
        vec![edge.edge.clone(), tests.to_string(), slower.to_string(), factor]
    };
    table(&columns, &edges.iter().map(row).collect::<Vec<_>>(), look)
}

fn object(pace: &Pace) -> Map {
    let number = |value: f64| rehearsal_model::to_value(&value).unwrap_or(Value::Null);
    Map::from([
        ("recording", Value::from(pace.test.recording.as_str())),
        ("number", Value::from(i64::from(pace.test.number))),
        ("name", Value::from(pace.test.name.as_str())),
        ("host", Value::from(pace.host.as_str())),
        ("now_ms", number(pace.now)),
        ("before_ms", number(pace.band.median)),
        ("noise_from_ms", number(pace.band.lower)),
        ("noise_to_ms", number(pace.band.upper)),
        ("runs", past::count(pace.band.of)),
        ("verdict", Value::from(verdict(pace))),
    ])
}
