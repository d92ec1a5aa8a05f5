//! A test's file after changes of the app were accepted: what was accepted is another, all else in it
//! is byte for byte what it was.
//!
//! What is accepted has been checked against the file: one that says something else than the run
//! compared with is refused.

mod calls;
mod check;
mod json_text;
mod query_text;
mod values;

use super::blobs::BlobWriter;
use super::folder::read_manifest;
use super::outlet::Outlet;
use super::test::{self, Edges};
use super::{blobs, wire_shapes};
use crate::StoreError;
use crate::disk::Aside;
use crate::disk::take_places;
use crate::yaml::{self, Node, alike, amend};
use rehearsal_model::{Edit, TestId, Value};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

/// A test's file, and what is to become of it.
pub(crate) struct Amendment<'a> {
    /// The folder of the recording.
    pub(crate) folder: &'a Path,
    /// The file.
    pub(crate) file: &'a Path,
    /// The number of the test.
    pub(crate) id: TestId,
    /// What the file says.
    pub(crate) text: &'a str,
    /// What was accepted.
    pub(crate) edits: &'a [Edit],
    /// Paths that may differ from now on.
    pub(crate) noise: &'a [String],
}

/// The text that a file becomes. What of it is large is written as blobs.
pub(crate) fn amended(amendment: &Amendment<'_>) -> Result<String, StoreError> {
    let Amendment { folder, file, id, text, edits, noise } = amendment;
    let manifest = read_manifest(folder)?;
    let edges = Edges { manifest: &manifest, shapes: &wire_shapes };
    let read = |text: &str| -> Result<(Node, rehearsal_model::TestCase), StoreError> {
        let wrong = |error| StoreError::file(file, error);
        let node = yaml::parse_with(text, &|tag, name| blobs::fetch(folder, tag, name));
        let node = node.map_err(wrong)?;
        let case = test::read(node.clone(), *id, &edges).map_err(wrong)?;
        Ok((node, case))
    };
    let refused = |problem: String| StoreError::whole_file(file, problem);
    let (node, case) = read(text)?;
    let before = check::form(&case, &manifest);
    let left = check::still_to_do(&before, &case, edits).map_err(refused)?;
    let answer = edges.shape(case.edge.as_str()).map_err(refused)?.answer;
    let mut value = node.clone().into_value();
    values::apply(&mut value, &left, answer).map_err(refused)?;
    let order = calls::apply(&mut value, &case, &before, &left).map_err(refused)?;
    add_noise(&mut value, noise);

    let outlet = Outlet::beside(folder)?;
    let mut large = BlobWriter::new(&outlet);
    let out = amend(text, &node, &value, &mut large).map_err(|error| refused(error.to_string()))?;
    large.finish()?;
    outlet.close()?;
    let (written, case) = read(&out)?;
    let same = alike(&written.into_value(), &value);
    let after = check::form(&case, &manifest);
    match same && check::is_done(&after, &left, &order) {
        true => Ok(out),
        false => {
            Err(refused("what was accepted cannot be written in place; edit it by hand".into()))
        }
    }
}

fn add_noise(value: &mut Value, noise: &[String]) {
    let Value::Map(root) = value else { return };
    if noise.is_empty() {
        return;
    }
    if !matches!(root.get("noise"), Some(Value::List(_))) {
        root.insert("noise", Value::List(Vec::new()));
    }
    let Some(Value::List(known)) = root.get_mut("noise") else { return };
    for path in noise {
        let path = Value::from(path.as_str());
        if !known.contains(&path) {
            known.push(path);
        }
    }
}

/// Replaces files, each at once and durably, in folders that are there. Whoever is killed leaves each as it was
/// or as it should be.
///
/// # Errors
/// When a file cannot be written.
pub fn replace(files: &[(std::path::PathBuf, Vec<u8>)]) -> Result<(), StoreError> {
    let mut aside = Vec::with_capacity(files.len());
    // One look into a folder does for all files in it: there may be thousands.
    let folders: BTreeSet<&Path> = files.iter().filter_map(|(path, _)| path.parent()).collect();
    folders.into_iter().for_each(|folder| crate::disk::remove_leftovers(folder, None));
    for (path, bytes) in files {
        let (place, mut out) = Aside::create(path).map_err(StoreError::io("write", path))?;
        out.write_all(bytes).map_err(StoreError::io("write", path))?;
        aside.push(place);
    }
    take_places(aside)
}

#[cfg(test)]
mod tests;
