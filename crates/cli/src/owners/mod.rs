//! Whose a failure is: by `rehearsal.yaml` and by CODEOWNERS, with where that is written.
//!
//! What is nearest to the cause is asked first: the owner of the edge that differs, then who answers
//! for the test's route, then who owns the test's file.

mod codeowners;

use codeowners::{CodeOwners, glob};
use rehearsal_model::{Cause, EdgeName, Ownership, Settings};
use std::path::{Path, PathBuf};

/// What says whose a failure is.
pub(crate) struct Owners {
    root: PathBuf,
    edges: Vec<(String, String)>,
    routes: Vec<(String, Vec<String>)>,
    files: Option<CodeOwners>,
}

impl Owners {
    /// What a project says.
    pub(crate) fn new(root: &Path, settings: &Settings) -> Self {
        let owned = settings.edges.iter();
        let owned = owned.filter_map(|edge| Some((edge.name.clone(), edge.owner.clone()?)));
        Owners {
            root: root.to_owned(),
            edges: owned.collect(),
            routes: settings.owners.clone(),
            files: CodeOwners::find(if root.as_os_str().is_empty() {
                Path::new(".")
            } else {
                root
            }),
        }
    }

    /// Whose the failure of a test is, of this name and file.
    pub(crate) fn of(&self, cause: &Cause, test: &str, file: &str) -> Option<Ownership> {
        self.of_edge(&cause.edge).or_else(|| self.of_route(test)).or_else(|| self.of_file(file))
    }

    fn of_edge(&self, edge: &str) -> Option<Ownership> {
        let edge = EdgeName::new(edge);
        let (name, owner) = self.edges.iter().find(|(name, _)| edge.is_with(name))?;
        let source = format!("it differs at edge {name}, which has this owner in rehearsal.yaml");
        Some(Ownership { owners: vec![owner.clone()], source })
    }

    fn of_route(&self, test: &str) -> Option<Ownership> {
        let (pattern, owners) =
            self.routes.iter().rev().find(|(pattern, _)| glob(pattern, test))?;
        let source = format!("the test fits `{pattern}` of `owners` in rehearsal.yaml");
        (!owners.is_empty()).then(|| Ownership { owners: owners.clone(), source })
    }

    fn of_file(&self, file: &str) -> Option<Ownership> {
        let (owners, line) = self.files.as_ref()?.of(&self.root.join(file))?;
        Some(Ownership { owners: owners.to_vec(), source: format!("the test's file, {line}") })
    }
}
