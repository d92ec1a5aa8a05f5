//! `rehearsal defect`: files a defect for each kind of failure, once however often it fails.

use crate::arguments::Defect as Arguments;
use crate::defects::{self, Defect};
use crate::error::{CliError, Outcome};
use crate::owners::Owners;
use crate::past;
use rehearsal_history::{Cluster, History, Sample};
use rehearsal_store::Project;
use std::path::Path;

pub(super) fn run(arguments: &Arguments, folder: &Path) -> Result<Outcome, CliError> {
    let project = Project::open(folder)?;
    let samples = History::read(&past::place(&project)?)?.samples(arguments.runs)?;
    let mut clusters = rehearsal_history::clusters(&samples);
    match arguments.fingerprints.as_slice() {
        [] => clusters.retain(|cluster| cluster.open),
        wanted => {
            clusters.retain(|cluster| wanted.contains(&cluster.cause.fingerprint));
            if clusters.len() < wanted.len() {
                let text = "file a defect: no failure has this fingerprint; `rehearsal failures` \
                            lists them";
                return Err(CliError::Wrong(text.to_owned()));
            }
        }
    }
    if clusters.is_empty() {
        super::print("Nothing to file: the latest runs have no failures.\n")?;
        return Ok(Outcome::Good);
    }
    let owners = Owners::new(project.root(), project.settings());
    let settings = &project.settings().defects;
    for cluster in clusters {
        let ownership = owner(&owners, &cluster, &samples);
        let defect = Defect { cluster, ownership };
        if arguments.dry_run {
            super::print(&format!("# {}\n\n{}\n", defect.title(), defect.markdown()))?;
            continue;
        }
        let filed = defects::file(&project.folder(), settings, &defect)?;
        let did = if filed.new { "filed" } else { "updated" };
        super::print(&format!(
            "{did} {}: {}\n",
            rehearsal_report::visible(&filed.place),
            defect.title()
        ))?;
    }
    Ok(Outcome::Good)
}

/// Whose it is, by the first test that has it.
fn owner(
    owners: &Owners,
    cluster: &Cluster,
    samples: &[Sample],
) -> Option<rehearsal_model::Ownership> {
    let (key, name) = cluster.tests.first_key_value()?;
    let file = samples.iter().rev().find(|sample| sample.key() == *key)?;
    owners.of(&cluster.cause, name, &file.test.file)
}
