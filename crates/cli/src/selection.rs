//! Which recordings and tests were asked for.

use crate::error::CliError;
use rehearsal_model::{Settings, TestId};
use rehearsal_store::Project;
use rehearsal_store::cache::Loaded;
use std::collections::HashSet;
use std::path::Path;
use std::{fs, io};

/// A recording and those of its tests that were asked for.
pub(crate) struct Chosen {
    pub(crate) name: String,
    pub(crate) recording: Loaded,
    /// Not empty.
    pub(crate) tests: Vec<TestId>,
    /// Their files, from the project's folder.
    pub(crate) files: Vec<String>,
}

impl Chosen {
    /// The groups of the settings, as far as their tests were asked for.
    pub(crate) fn groups(&self, settings: &Settings) -> Vec<Vec<TestId>> {
        let in_group = |words: &[String]| {
            let each = self.tests.iter().zip(&self.files);
            let theirs = each.filter(|(id, file)| {
                let name = self.recording.head(**id).map_or("", |head| head.name.as_str());
                words.iter().any(|word| asks_for(word, **id, name, file))
            });
            theirs.map(|(id, _)| *id).collect()
        };
        settings.groups.iter().map(|(_, words)| in_group(words)).collect()
    }
}

/// What the settings say of groups and no test answers to, in sentences. Only where all recordings are
/// looked at: a word may be about another one.
pub(crate) fn strays(chosen: &[Chosen], settings: &Settings) -> Vec<String> {
    let answers = |word: &str, chosen: &Chosen| {
        chosen.recording.tests.iter().any(|test| {
            let file = format!("rehearsal/{}/{}", chosen.name, test.file.display());
            asks_for(word, test.id, &test.name, &file)
        })
    };
    let mut strays = Vec::new();
    for (group, words) in &settings.groups {
        for word in words.iter().filter(|word| !chosen.iter().any(|one| answers(word, one))) {
            strays.push(format!(
                "the group `{group}` in rehearsal.yaml says {word:?}, and there is no such test; `rehearsal \
                 show` lists those that there are"
            ));
        }
    }
    strays
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
    let (mut chosen, mut mocks) = (Vec::new(), Vec::new());
    for name in names {
        let recording = project.load(&name)?;
        if recording.tests.is_empty() && recording.manifest.at.is_some() {
            mocks.push(name);
            continue;
        }
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
            [] if !mocks.is_empty() => {
                let (are, one) = (mocks.join(" and "), &mocks[0]);
                format!(
                    "test anything: {are} {} mocks for the tests of another runner, and no tests of an \
                     app; `rehearsal mock replay {one}` runs that with them",
                    if mocks.len() == 1 { "is" } else { "are" }
                )
            }
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

/// Keeps the tests that a file lists, a test's file a line; `-` is standard input.
pub(crate) fn listed(chosen: Vec<Chosen>, list: &Path) -> Result<Vec<Chosen>, CliError> {
    let text = match list == Path::new("-") {
        true => io::read_to_string(io::stdin()),
        false => fs::read_to_string(list),
    };
    let text = text.map_err(|error| {
        CliError::Wrong(format!("read the list of tests {}: {error}", list.display()))
    })?;
    let wanted: HashSet<&str> = text.lines().map(str::trim).collect();
    let kept = chosen.into_iter().filter_map(|mut chosen| {
        let tests = chosen.tests.iter().copied().zip(std::mem::take(&mut chosen.files));
        let tests = tests.filter(|(_, file)| wanted.contains(file.as_str()));
        (chosen.tests, chosen.files) = tests.collect();
        (!chosen.tests.is_empty()).then_some(chosen)
    });
    let kept: Vec<Chosen> = kept.collect();
    match kept.is_empty() {
        true => Err(CliError::Wrong(format!(
            "find a test that {} lists: a line is a test's file, such as \
             rehearsal/shop/tests/0001-get-orders.yaml",
            list.display()
        ))),
        false => Ok(kept),
    }
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
