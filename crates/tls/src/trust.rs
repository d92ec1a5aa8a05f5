//! What the app is told, by its environment, so that it trusts our authority beside whom it trusts
//! anyway.
//!
//! A variable that is set already keeps what it names; ours is added. Nothing outside of one folder of
//! this run is written.

use crate::roots::{SYSTEM, system, text};
use crate::{Authority, TlsError, java};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Variables whose file takes the place of the roots that a program has.
const INSTEAD: &[&str] = &[
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "PIP_CERT",
    "CARGO_HTTP_CAINFO",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
];
/// Those of them that say more than whom to trust by being set: an unset one stays so.
const WHEN_SET: &[&str] = &["PGSSLROOTCERT"];
/// Variables whose file is added to them.
const BESIDE: &[&str] = &["NODE_EXTRA_CA_CERTS", "DENO_CERT"];

/// See the module.
#[derive(Debug)]
pub struct Trust {
    /// Variables to be set for the app.
    pub variables: Vec<(OsString, OsString)>,
    /// Files in which systems and Java keep their roots, each with the one to be read in its place by
    /// programs that read no variable.
    pub files: Vec<(PathBuf, PathBuf)>,
    /// The folder of the files that they name, to be removed when the app is gone.
    pub folder: PathBuf,
}

impl Trust {
    /// Writes the files and says which variables name them; `variable` is the app's environment as it
    /// would be without us.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn prepare(
        authority: &Authority,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, TlsError> {
        let folder = tempfile::Builder::new().prefix("rehearsal-trust-").tempdir();
        let folder = folder.map_err(TlsError::Bundle)?;
        let mut files = Files { authority, folder: folder.path(), written: HashMap::new() };
        let mut variables = Vec::new();
        let names = INSTEAD.iter().map(|name| (*name, true));
        let set = WHEN_SET.iter().filter(|name| variable(name).is_some());
        let names = names.chain(set.map(|name| (*name, true)));
        for (name, instead) in names.chain(BESIDE.iter().map(|name| (*name, false))) {
            let before = match variable(name).filter(|value| !value.is_empty()) {
                None if instead => system(),
                None => String::new(),
                // What cannot be read is left for the app to fail on.
                Some(path) => match text(Path::new(&path)) {
                    Some(text) => text,
                    None => continue,
                },
            };
            variables.push((name.into(), files.bundle(before)?.into()));
        }
        if let Some(options) = java::options(authority, folder.path(), variable(java::VARIABLE)) {
            variables.push((java::VARIABLE.into(), options.map_err(TlsError::Bundle)?));
        }
        let whole = files.bundle(system())?;
        let mut instead: Vec<_> =
            SYSTEM.iter().map(|path| (PathBuf::from(path), whole.clone())).collect();
        let store = folder.path().join(java::STORE);
        if store.exists() {
            instead.extend(java::stores().into_iter().map(|path| (path, store.clone())));
        }
        Ok(Trust { variables, files: instead, folder: folder.keep() })
    }
}

/// The bundles that were written, each once.
struct Files<'a> {
    authority: &'a Authority,
    folder: &'a Path,
    written: HashMap<String, PathBuf>,
}

impl Files<'_> {
    fn bundle(&mut self, before: String) -> Result<PathBuf, TlsError> {
        if let Some(path) = self.written.get(&before) {
            return Ok(path.clone());
        }
        let path = self.folder.join(format!("roots-{}.pem", self.written.len() + 1));
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        fs::write(&path, format!("{before}{gap}{}", self.authority.pem()))
            .map_err(TlsError::Bundle)?;
        self.written.insert(before, path.clone());
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_set_is_kept_and_ours_added() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::in_folder(&folder.path().join("data")).unwrap();
        let own = folder.path().join("own.pem");
        fs::write(&own, "own roots").unwrap();
        let trust = Trust::prepare(&authority, |name| match name {
            "SSL_CERT_FILE" | "NODE_EXTRA_CA_CERTS" => Some(own.clone().into()),
            "PIP_CERT" => Some("/nowhere".into()),
            _ => None,
        })
        .unwrap();
        let told = |name: &str| {
            let told = trust.variables.iter().find(|(known, _)| known == name)?;
            Some(fs::read_to_string(&told.1).unwrap())
        };
        let merged = format!("own roots\n{}", authority.pem());
        assert_eq!(told("SSL_CERT_FILE"), Some(merged.clone()));
        assert_eq!(told("NODE_EXTRA_CA_CERTS"), Some(merged));
        assert_eq!(told("DENO_CERT").as_deref(), Some(authority.pem()));
        assert!(told("CURL_CA_BUNDLE").unwrap().starts_with(&system()));
        assert_eq!(told("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"), told("CURL_CA_BUNDLE"));
        assert_eq!(told("PIP_CERT"), None, "a file that is not there stays the app's own trouble");
        fs::remove_dir_all(&trust.folder).unwrap();
    }
}
