//! `rehearsal graph`: what the app depends on, drawn.

use crate::arguments::{Drawn, Graph as Arguments};
use crate::error::{CliError, Outcome};
use crate::graph::{Graph, dot, html, mermaid, svg};
use crate::selection;
use rehearsal_model::Recording;
use rehearsal_store::Project;
use std::path::Path;

pub(super) fn run(arguments: &Arguments, folder: &Path) -> Result<Outcome, CliError> {
    let project = Project::open(folder)?;
    let mut graph = Graph::default();
    for recording in read(&project, &arguments.recordings)? {
        graph.add(&recording);
    }
    let text = match arguments.format {
        Drawn::Svg => svg(&graph),
        Drawn::Html => html(&graph),
        Drawn::Mermaid => mermaid(&graph),
        Drawn::Dot => dot(&graph),
    };
    match &arguments.output {
        None => super::print(&text)?,
        Some(path) => {
            let doing = format!("write {}", path.display());
            std::fs::write(path, text).map_err(CliError::io(doing))?;
        }
    }
    Ok(Outcome::Good)
}

/// The recordings of these names; all of them for none.
pub(super) fn read(project: &Project, names: &[String]) -> Result<Vec<Recording>, CliError> {
    let known = project.recordings()?;
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(selection::unknown(name, &known));
    }
    let names = if names.is_empty() { &known } else { names };
    if names.is_empty() {
        let text =
            "read a recording: there is none yet; make one by `rehearsal record -- <command>`";
        return Err(CliError::Wrong(text.to_owned()));
    }
    names.iter().map(|name| Ok(project.read(name)?)).collect()
}
