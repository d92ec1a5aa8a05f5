//! Issues of Jira by its REST API v3: found by JQL (`/search/jql`), described in ADF.

use super::http::{Site, percent};
use super::{Defect, Filed};
use crate::error::CliError;
use hyper::Method;
use rehearsal_model::{DefectSettings, Map, Value};

pub(super) fn file(
    site: &Site,
    settings: &DefectSettings,
    project: &str,
    defect: &Defect,
    known: Option<&str>,
) -> Result<Filed, CliError> {
    let update = Map::from([("fields", Value::Map(Map::from([("description", defect.adf())])))]);
    // The index behind the search is some seconds late, so what was filed before is asked for first.
    let found = match known {
        Some(key) => Some(key.to_owned()),
        None => search(site, project, defect)?,
    };
    if let Some(key) = found {
        let path = format!("/rest/api/3/issue/{}", percent(&key));
        if site.ask(&Method::PUT, &path, Some(Value::Map(update)))?.is_some() {
            return Ok(Filed { place: key, new: false });
        }
    }
    let labels = vec![Value::from("rehearsal"), Value::from(defect.label())];
    let kind = settings.issue_type.as_deref().unwrap_or("Bug");
    let fields = Map::from([
        ("project", Value::Map(Map::from([("key", Value::from(project))]))),
        ("issuetype", Value::Map(Map::from([("name", Value::from(kind))]))),
        ("summary", Value::from(defect.title())),
        ("description", defect.adf()),
        ("labels", Value::List(labels)),
    ]);
    let issue = Map::from([("fields", Value::Map(fields))]);
    let made = site.ask(&Method::POST, "/rest/api/3/issue", Some(Value::Map(issue)))?;
    let Some(made) = made else {
        return Err(CliError::Wrong(format!(
            "file a defect: {project} is not there, or the token may not make issues in it"
        )));
    };
    match made.as_map().and_then(|made| made.text("key")) {
        Some(key) => Ok(Filed { place: key.to_owned(), new: true }),
        None => Err(CliError::Wrong("file a defect: Jira did not say which issue it made".into())),
    }
}

fn search(site: &Site, project: &str, defect: &Defect) -> Result<Option<String>, CliError> {
    let project = project.replace('\\', "\\\\").replace('"', "\\\"");
    let jql =
        format!("project = \"{project}\" AND labels = \"{}\" ORDER BY created ASC", defect.label());
    let query = Map::from([
        ("jql", Value::from(jql)),
        ("maxResults", Value::from(1_i64)),
        ("fields", Value::List(vec![Value::from("status")])),
    ]);
    let found = site.ask(&Method::POST, "/rest/api/3/search/jql", Some(Value::Map(query)))?;
    let found = found.as_ref().and_then(Value::as_map).and_then(|found| found.get("issues"));
    let first = found.and_then(Value::as_list).and_then(|issues| issues.first());
    let key = first.and_then(Value::as_map).and_then(|issue| issue.text("key"));
    Ok(key.map(str::to_owned))
}
