//! The files of a project as texts, without a folder: what a fuzzer, an editor or a test gives.
//!
//! Whoever has a folder reads it by [`crate::Project`] or [`crate::read_recording`], which name the
//! file in their errors and fetch blobs; here blobs are refused.

use super::test::Edges;
use super::{ambient, wire_shapes};
use crate::yaml::{self, YamlError};
use rehearsal_model::{Manifest, Mock, Settings, TestCase, TestId};

/// Reads the text of `recording.yaml`.
///
/// # Errors
/// When it is not as it should be, with its line and column.
pub fn manifest(text: &str) -> Result<Manifest, YamlError> {
    yaml::parse(text).and_then(super::manifest::read)
}

/// Reads the text of a test; its number is in its file's name, its edges are in the manifest.
///
/// # Errors
/// When it is not as it should be, with its line and column.
pub fn test(text: &str, id: TestId, manifest: &Manifest) -> Result<TestCase, YamlError> {
    let edges = Edges { manifest, shapes: &wire_shapes };
    yaml::parse(text).and_then(|node| super::test::read(node, id, &edges))
}

/// Reads the text of `ambient.yaml`.
///
/// # Errors
/// When it is not as it should be, with its line and column.
pub fn mocks(text: &str, manifest: &Manifest) -> Result<Vec<Mock>, YamlError> {
    let edges = Edges { manifest, shapes: &wire_shapes };
    yaml::parse(text).and_then(|node| ambient::read(node, &edges))
}

/// Reads the text of `rehearsal.yaml`; an empty one sets nothing.
///
/// # Errors
/// When it is not as it should be, with its line and column.
pub fn settings(text: &str) -> Result<Settings, YamlError> {
    let protocols: Vec<&str> = rehearsal_wire::ALL.iter().map(|protocol| protocol.name()).collect();
    yaml::parse(text).and_then(|node| crate::settings::read(node, &protocols))
}
