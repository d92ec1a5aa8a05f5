//! Defects: one for each kind of failure, kept as files and, where that is asked for, as issues.

mod forge;
mod http;
mod jira;
mod local;
mod refusal;
mod text;

pub(crate) use text::Defect;

use crate::error::CliError;
use rehearsal_model::{DefectSettings, Tracker};
use std::path::Path;

/// An issue of a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issue {
    /// How the tracker calls it: `SHOP-12`, `#12`.
    pub(crate) key: String,
    /// Whether it was closed.
    pub(crate) closed: bool,
}

/// What became of a defect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filed {
    /// Where it is now.
    pub(crate) place: String,
    /// Whether it is new there.
    pub(crate) new: bool,
}

/// Files a defect or brings it up to date, in the files and in the tracker that the settings name.
pub(crate) fn file(
    folder: &Path,
    settings: &DefectSettings,
    defect: &Defect,
) -> Result<Filed, CliError> {
    let known = local::known(folder, defect);
    let mut filed = None;
    let mut key = known.key.clone();
    if settings.tracker != Tracker::Local {
        let site = http::Site::of(settings)?;
        let project = project(settings)?;
        let old = known.key.as_deref();
        let words = match settings.tracker {
            Tracker::Jira => None,
            Tracker::GitHub => Some(forge::Words::github(project)),
            Tracker::GitLab | Tracker::Local => Some(forge::Words::gitlab(project)),
        };
        let found = match words {
            None => jira::file(&site, settings, project, defect, old),
            Some(words) => forge::file(&site, &words, project, defect, old),
        }?;
        key = Some(found.place.clone());
        filed = Some(found);
    }
    let path = local::write(folder, defect, key.as_deref(), &known)?;
    Ok(filed.unwrap_or(Filed { place: path, new: known.new }))
}

fn project(settings: &DefectSettings) -> Result<&str, CliError> {
    settings.project.as_deref().filter(|project| !project.is_empty()).ok_or_else(|| {
        let text =
            "file a defect: say in which project, as `project` of `defects` in rehearsal.yaml";
        CliError::Wrong(text.to_owned())
    })
}
