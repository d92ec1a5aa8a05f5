//! Whom a server's certificate may come from: the system's roots and those that the app was given.

use crate::TlsError;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where systems keep their roots in one file; the first that is there counts.
pub(crate) const SYSTEM: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];
/// The folder of which one of the files above is the sum.
const SYSTEM_FOLDER: &str = "/etc/ssl/certs";
/// Variables by which apps are told of roots.
const VARIABLES: &[&str] = &[
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PGSSLROOTCERT",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
];
/// The largest file of certificates that is read, in bytes.
const LARGEST: u64 = 16 << 20;
/// The most files of a folder that are read.
const MOST_FILES: usize = 4096;

/// See the module.
#[derive(Clone, Debug)]
pub struct Roots {
    pub(crate) store: Arc<RootCertStore>,
    known: Arc<HashSet<Vec<u8>>>,
}

impl Roots {
    /// Those of the system and those that the app's variables name.
    ///
    /// # Errors
    /// When there are none at all.
    pub fn of_app(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, TlsError> {
        let named = VARIABLES.iter().filter_map(|name| variable(name));
        let paths: HashSet<PathBuf> =
            named.flat_map(|value| std::env::split_paths(&value).collect::<Vec<_>>()).collect();
        let own = paths.iter().map(|path| text(path).unwrap_or_default());
        Self::of_texts([system()].into_iter().chain(own))
    }

    fn of_texts(texts: impl IntoIterator<Item = String>) -> Result<Self, TlsError> {
        let (mut store, mut known) = (RootCertStore::empty(), HashSet::new());
        for text in texts {
            for certificate in CertificateDer::pem_slice_iter(text.as_bytes()).flatten() {
                if known.insert(certificate.to_vec()) {
                    // What cannot be read signs nothing that could be verified.
                    let _ = store.add(certificate);
                }
            }
        }
        if store.is_empty() {
            return Err(TlsError::NoRoots);
        }
        Ok(Roots { store: Arc::new(store), known: Arc::new(known) })
    }

    /// Whether this very certificate is trusted: that of a server may be, without any authority.
    pub(crate) fn contain(&self, certificate: &[u8]) -> bool {
        self.known.contains(certificate)
    }
}

/// The system's roots as text; empty when it has none.
pub(crate) fn system() -> String {
    SYSTEM.iter().find_map(|path| text(Path::new(path))).unwrap_or_default()
}

/// The certificates of a file, or of the files of a folder, as text.
pub(crate) fn text(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    if !about.is_dir() {
        let bytes = (about.len() <= LARGEST).then(|| fs::read(path).ok())??;
        return Some(String::from_utf8_lossy(&bytes).into_owned());
    }
    if path == Path::new(SYSTEM_FOLDER) {
        return Some(system());
    }
    let mut files: Vec<PathBuf> =
        fs::read_dir(path).ok()?.take(MOST_FILES).flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut whole = String::new();
    for file in files.iter().filter(|file| file.is_file()) {
        if let Some(text) = text(file).filter(|text| text.contains("-----BEGIN CERTIFICATE-----")) {
            whole.push_str(&text);
            whole.push('\n');
        }
    }
    Some(whole)
}
