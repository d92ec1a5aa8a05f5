//! The floors of the workspace: a crate depends only on floors below its own.
//!
//! What is checked is what a crate links into the product: its normal and build
//! dependencies. Tests may use whatever they need, so dev-dependencies are free.

use anyhow::{Context as _, bail};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Where a crate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// On a floor of the product.
    Floor(u8),
    /// Beside it: may depend on anything, and no floor may depend on it.
    Beside,
}

/// Every crate of the workspace. A new one is a line here.
const PLACES: &[(&str, Place)] = &[
    ("rehearsal", Place::Floor(4)),
    ("rehearsal-record", Place::Floor(3)),
    ("rehearsal-replay", Place::Floor(3)),
    ("rehearsal-web", Place::Floor(3)),
    ("rehearsal-capture", Place::Floor(2)),
    ("rehearsal-history", Place::Floor(2)),
    ("rehearsal-proxy", Place::Floor(2)),
    ("rehearsal-report", Place::Floor(2)),
    ("rehearsal-store", Place::Floor(2)),
    ("rehearsal-supervise", Place::Floor(2)),
    ("rehearsal-tls", Place::Floor(2)),
    ("rehearsal-compare", Place::Floor(1)),
    ("rehearsal-matching", Place::Floor(1)),
    ("rehearsal-wire", Place::Floor(1)),
    ("rehearsal-model", Place::Floor(0)),
    ("rehearsal-testkit", Place::Beside),
    ("xtask", Place::Beside),
];

/// What cargo says of the workspace's own packages.
pub(crate) fn metadata(root: &Path) -> anyhow::Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let said = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("failed to run cargo metadata")?;
    if !said.status.success() {
        bail!("failed to read the workspace: {}", String::from_utf8_lossy(&said.stderr).trim());
    }
    Ok(serde_json::from_slice(&said.stdout)?)
}

/// A line for each crate that has no place and each dependency that does not go down.
pub(crate) fn check(metadata: &Value) -> anyhow::Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("the metadata lists no packages")?;
    let mut broken = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("a package has no name")?;
        let Some(place) = place(name) else {
            broken.push(format!("{name} has no floor: give it a line in xtask/src/floors.rs"));
            continue;
        };
        let dependencies =
            package["dependencies"].as_array().context("a package lists no dependencies")?;
        for dependency in dependencies {
            // A path marks a crate of this workspace; "dev" is the only kind that is free.
            if dependency["path"].is_null() || dependency["kind"] == "dev" {
                continue;
            }
            let below = dependency["name"].as_str().context("a dependency has no name")?;
            broken.extend(wrong_way(name, place, below));
        }
    }
    Ok(broken)
}

fn place(name: &str) -> Option<Place> {
    PLACES.iter().find(|(known, _)| *known == name).map(|(_, place)| *place)
}

fn wrong_way(name: &str, place: Place, dependency: &str) -> Option<String> {
    let Place::Floor(own) = place else { return None };
    match self::place(dependency) {
        // The unknown crate has a line of its own.
        None => None,
        Some(Place::Beside) => Some(format!("{name} links {dependency}, which is for tests only")),
        Some(Place::Floor(other)) if other < own => None,
        Some(Place::Floor(other)) => Some(format!(
            "{name} on floor {own} depends on {dependency} on floor {other}: only lower floors"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_dependency_goes_down() {
        let metadata = metadata(&crate::tree::root()).expect("cargo describes the workspace");
        let packages = metadata["packages"].as_array().expect("packages").len();
        assert_eq!(packages, PLACES.len(), "xtask/src/floors.rs names a crate that is gone");
        assert_eq!(check(&metadata).expect("metadata"), Vec::<String>::new());
    }

    #[track_caller]
    fn finds(name: &str, dependency: Value, expected: &[&str]) {
        let metadata = json!({ "packages": [{ "name": name, "dependencies": [dependency] }] });
        assert_eq!(check(&metadata).expect("metadata"), expected);
    }

    #[test]
    fn upward_and_sideways_are_found() {
        let on = |name| json!({ "name": name, "kind": null, "path": "/crates" });
        finds(
            "rehearsal-wire",
            on("rehearsal-store"),
            &["rehearsal-wire on floor 1 depends on rehearsal-store on floor 2: only lower floors"],
        );
        finds(
            "rehearsal-wire",
            on("rehearsal-matching"),
            &["rehearsal-wire on floor 1 depends on rehearsal-matching on floor 1: \
               only lower floors"],
        );
        finds("rehearsal-wire", on("rehearsal-model"), &[]);
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        let kit = |kind| json!({ "name": "rehearsal-testkit", "kind": kind, "path": "/crates" });
        finds(
            "rehearsal-store",
            kit(Value::Null),
            &["rehearsal-store links rehearsal-testkit, which is for tests only"],
        );
        finds("rehearsal-store", kit("dev".into()), &[]);
    }

    #[test]
    fn a_crate_without_a_floor_is_found() {
        finds(
            "rehearsal-extra",
            json!({ "name": "serde", "kind": null }),
            &["rehearsal-extra has no floor: give it a line in xtask/src/floors.rs"],
        );
    }
}
