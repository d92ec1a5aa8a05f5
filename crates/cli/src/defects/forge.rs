//! Issues of GitHub, by its REST API, and of GitLab, by its REST API v4: one way of doing, in the
//! words of each. An issue that was closed is opened again, since it fails again.

use super::http::{Site, percent};
use super::{Defect, Filed, Issue};
use crate::error::CliError;
use hyper::Method;
use rehearsal_model::{Map, Value};

/// How one of them calls things.
pub(super) struct Words {
    /// The path of a project's issues.
    issues: String,
    /// The field with an issue's number within its project.
    number: &'static str,
    /// The field with its text.
    text: &'static str,
    /// How an issue is changed, and the field and value that open it again.
    change: (Method, &'static str, &'static str),
    /// Whether labels are one text with commas, and not a list.
    joins_labels: bool,
}

impl Words {
    pub(super) fn github(project: &str) -> Self {
        let parts: Vec<String> = project.split('/').map(percent).collect();
        Words {
            issues: format!("/repos/{}/issues", parts.join("/")),
            number: "number",
            text: "body",
            change: (Method::PATCH, "state", "open"),
            joins_labels: false,
        }
    }

    pub(super) fn gitlab(project: &str) -> Self {
        Words {
            issues: format!("/api/v4/projects/{}/issues", percent(project)),
            number: "iid",
            text: "description",
            change: (Method::PUT, "state_event", "reopen"),
            joins_labels: true,
        }
    }

    fn labels(&self, defect: &Defect) -> Value {
        match self.joins_labels {
            true => Value::from(format!("rehearsal,{}", defect.label())),
            false => Value::List(vec![Value::from("rehearsal"), Value::from(defect.label())]),
        }
    }

    fn read(&self, issue: &Value) -> Option<Issue> {
        let issue = issue.as_map()?;
        let Value::Number(number) = issue.get(self.number)? else { return None };
        let closed = issue.text("state") == Some("closed");
        Some(Issue { key: format!("#{}", number.as_str()), closed })
    }
}

pub(super) fn file(
    site: &Site,
    words: &Words,
    project: &str,
    defect: &Defect,
    known: Option<&str>,
) -> Result<Filed, CliError> {
    let found = match known {
        Some(key) => Some(Issue { key: key.to_owned(), closed: true }),
        None => search(site, words, defect)?,
    };
    if let Some(Issue { key, closed }) = found {
        let path = format!("{}/{}", words.issues, percent(key.trim_start_matches('#')));
        let mut update = Map::from([(words.text, Value::from(defect.markdown()))]);
        let (method, field, open) = &words.change;
        if closed {
            update.insert(*field, Value::from(*open));
        }
        if site.ask(method, &path, Some(Value::Map(update)))?.is_some() {
            return Ok(Filed { place: key, new: false });
        }
    }
    let issue = Map::from([
        ("title", Value::from(defect.title())),
        (words.text, Value::from(defect.markdown())),
        ("labels", words.labels(defect)),
    ]);
    let made = site.ask(&Method::POST, &words.issues, Some(Value::Map(issue)))?;
    match made.as_ref().and_then(|made| words.read(made)) {
        Some(Issue { key, .. }) => Ok(Filed { place: key, new: true }),
        None => Err(CliError::Wrong(format!(
            "file a defect: {project} is not there, or the token may not make issues in it"
        ))),
    }
}

fn search(site: &Site, words: &Words, defect: &Defect) -> Result<Option<Issue>, CliError> {
    let label = percent(&defect.label());
    let path = format!("{}?labels={label}&state=all&per_page=1", words.issues);
    let found = site.ask(&Method::GET, &path, None)?;
    let first = found.as_ref().and_then(Value::as_list).and_then(|issues| issues.first());
    Ok(first.and_then(|issue| words.read(issue)))
}
