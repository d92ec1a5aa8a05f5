//! What is wrong with a recorded answer, and where in it: people edit recordings by hand.
//!
//! It is found when a recording is read, so that the place can be named. Whatever a server has said
//! must pass.

use crate::WireError;
use rehearsal_model::{Map, Value};

/// A part of an answer that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where in the answer.
    pub path: Vec<Step>,
    /// What is wrong there, and what to do.
    pub problem: String,
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key of a map.
    Key(String),
    /// To an item of a list, from 0.
    Index(usize),
}

impl Flaw {
    /// What keeps an answer as a whole from being written.
    pub(crate) fn of(error: &WireError) -> Self {
        let problem = match error {
            WireError::Unwritable { what, .. } => what.clone(),
            other => other.to_string(),
        };
        Flaw { path: Vec::new(), problem }
    }

    /// The flaw of a value, seen from the map that has the value at a key.
    pub(crate) fn at_key(mut self, key: &str) -> Self {
        self.path.insert(0, Step::Key(key.to_owned()));
        self
    }

    /// The flaw of a value, seen from the list that has it at a place.
    pub(crate) fn at_index(mut self, index: usize) -> Self {
        self.path.insert(0, Step::Index(index));
        self
    }
}

/// The flaw of a value, at the innermost place that has it. `check` says what keeps a value from being
/// written by itself.
pub(crate) fn innermost(
    value: &Value,
    check: &impl Fn(&Value) -> Option<WireError>,
) -> Option<Flaw> {
    let error = check(value)?;
    let inner = match value {
        Value::Map(map) => {
            map.iter().find_map(|(key, inner)| Some(innermost(inner, check)?.at_key(key)))
        }
        Value::List(list) => {
            let mut list = list.iter().enumerate();
            list.find_map(|(index, inner)| Some(innermost(inner, check)?.at_index(index)))
        }
        _ => None,
    };
    Some(inner.unwrap_or_else(|| Flaw::of(&error)))
}

/// The first flaw in the rows of an answer that may have several `results`. `columns` reads the columns
/// of one, `problem` says what is wrong with a value.
pub(crate) fn in_rows<C>(
    response: &Map,
    columns: &impl Fn(&Map) -> Result<Option<Vec<C>>, WireError>,
    problem: &impl Fn(&C, &Value) -> Option<String>,
) -> Option<Flaw> {
    let results = response.get("results").and_then(Value::as_list).unwrap_or_default();
    let several = results.iter().filter_map(Value::as_map).enumerate().find_map(|(index, one)| {
        let flaw = in_rows(one, columns, problem)?;
        Some(flaw.at_index(index).at_key("results"))
    });
    if several.is_some() {
        return several;
    }
    let columns = match columns(response) {
        Ok(columns) => columns?,
        Err(error) => return Some(Flaw::of(&error).at_key("columns")),
    };
    let rows = response.get("rows").and_then(Value::as_list).unwrap_or_default();
    rows.iter().enumerate().find_map(|(index, row)| {
        let flaw = in_row(row.as_list()?, &columns, problem)?;
        Some(flaw.at_index(index).at_key("rows"))
    })
}

fn in_row<C>(
    row: &[Value],
    columns: &[C],
    problem: &impl Fn(&C, &Value) -> Option<String>,
) -> Option<Flaw> {
    if row.len() != columns.len() {
        let (has, wants) = (row.len(), columns.len());
        let problem = format!("a row has {has} values where there are {wants} columns; correct it");
        return Some(Flaw { path: Vec::new(), problem });
    }
    row.iter().zip(columns).enumerate().find_map(|(index, (value, column))| {
        let problem = problem(column, value)?;
        Some(Flaw { path: vec![Step::Index(index)], problem })
    })
}
