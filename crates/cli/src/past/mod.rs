//! What a run leaves in the history, and where the history is.

mod git;
mod keeper;
mod memory;
mod order;
mod scene;

pub(crate) use keeper::Keeper;
pub(crate) use memory::Memory;
pub(crate) use order::Order;
pub(crate) use scene::Given;

use crate::error::CliError;
use rehearsal_history::{Check, Place, Sample, Wanted};
use rehearsal_model::{Map, Value, json};
use rehearsal_store::Project;
use rehearsal_tls::Proof;
use rustls::ClientConfig;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Names another place than the settings do: that of this machine, or one with a password.
const VARIABLE: &str = "REHEARSAL_HISTORY";

/// Where a project's history is: by the environment, by the settings, or where it always is.
pub(crate) fn place(project: &Project) -> Result<Place, CliError> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match variable(VARIABLE).or_else(|| project.settings().history.clone()) {
        Some(text) => Ok(Place::of(&text, project.root(), variable, tls)?),
        None => Ok(Place::File(project.folder().join("runs").join("history.db"))),
    }
}

fn tls(wanted: &Wanted) -> Result<Arc<ClientConfig>, String> {
    let proof = match wanted.check {
        Check::Nothing => Proof::Nothing,
        Check::Authority => Proof::Authority,
        Check::Name => Proof::Name,
    };
    rehearsal_tls::client(proof, wanted.roots.as_deref()).map_err(|error| error.to_string())
}

/// Objects as lines of JSON.
pub(crate) fn json_lines(objects: impl Iterator<Item = Map>) -> String {
    objects.map(|object| json::to_string(&Value::Map(object)) + "\n").collect()
}

pub(crate) fn text_or_null(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}

pub(crate) fn texts(texts: &[String]) -> Value {
    Value::List(texts.iter().map(|text| Value::from(text.as_str())).collect())
}

pub(crate) fn count(count: usize) -> Value {
    Value::from(i64::try_from(count).unwrap_or(i64::MAX))
}

/// `1 test`, `2 tests`.
pub(crate) fn number(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// How many runs samples are of.
pub(crate) fn runs_of(samples: &[Sample]) -> usize {
    samples.iter().map(|sample| sample.run).collect::<BTreeSet<_>>().len()
}
