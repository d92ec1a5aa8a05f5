//! Which recordings and tests were asked for.

use crate::error::CliError;
use rehearsal_model::TestId;
use rehearsal_store::Project;
use rehearsal_store::cache::Loaded;
use std::path::Path;

/// A recording and those of its tests that were asked for.
pub(crate) struct Chosen {
    pub(crate) name: String,
    pub(crate) recording: Loaded,
    /// Not empty.
    pub(crate) tests: Vec<TestId>,
    /// Their files, from the project's folder.
    pub(crate) files: Vec<String>,
}

/// Loads the recordings of these names, all of them for none, and picks the tests that any filter
/// asks for, all of them for none.
pub(crate) fn choose(
    project: &Project,
    names: &[String],
    filters: &[String],
) -> Result<Vec<Chosen>, CliError> {
    let known = project.recordings()?;
    let names = match names {
        [] if known.is_empty() => {
            let text = "test anything: there is no recording yet; make one by `rehearsal record \
                        -- <command>`";
            return Err(CliError::Wrong(text.to_owned()));
        }
        [] => known,
        names => {
            if let Some(name) = names.iter().find(|name| !known.contains(name)) {
                return Err(unknown(name, &known));
            }
            names.to_vec()
        }
    };
    let mut chosen = Vec::new();
    for name in names {
        let recording = project.load(&name)?;
        let (mut tests, mut files) = (Vec::new(), Vec::new());
        for test in &recording.tests {
            let file = format!("rehearsal/{name}/{}", test.file.display());
            if filters.is_empty()
                || filters.iter().any(|filter| asks_for(filter, test.id, &test.name, &file))
            {
                tests.push(test.id);
                files.push(file);
            }
        }
        if !tests.is_empty() {
            chosen.push(Chosen { name, recording, tests, files });
        }
    }
    if chosen.is_empty() {
        let text = match filters {
            [] => "test anything: the recordings have no tests; use the app while it is recorded"
                .to_owned(),
            filters => format!(
                "find a test for {}: a filter is a number, a part of a name, or a test's file; \
                 `rehearsal show` lists them",
                filters.join(" or ")
            ),
        };
        return Err(CliError::Wrong(text));
    }
    Ok(chosen)
}

/// The error for a recording that is not there.
pub(crate) fn unknown(name: &str, known: &[String]) -> CliError {
    CliError::Wrong(match known {
        [] => format!("find the recording {name:?}: there are none yet"),
        known => format!("find the recording {name:?}: there are {}", known.join(", ")),
    })
}

/// Whether a filter asks for a test: by its number, a part of its name, or its file.
fn asks_for(filter: &str, id: TestId, name: &str, file: &str) -> bool {
    if let Ok(number) = filter.parse::<u32>() {
        return id == TestId(number);
    }
    let path = Path::new(filter);
    if path.extension().is_some_and(|extension| extension == "yaml") {
        return Path::new(file).ends_with(path) || path.ends_with(file);
    }
    name.to_lowercase().contains(&filter.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_asked_for_by_number_name_or_file() {
        let (id, name) = (TestId(3), "POST /orders");
        let file = "rehearsal/shop/tests/0003-post-orders.yaml";
        for filter in
            ["3", "post /", "/orders", "0003-post-orders.yaml", file, &format!("/x/{file}")]
        {
            assert!(asks_for(filter, id, name, file), "{filter}");
        }
        for filter in ["30", "GET", "003-post-orders.yaml", "other.yaml"] {
            assert!(!asks_for(filter, id, name, file), "{filter}");
        }
    }
}
