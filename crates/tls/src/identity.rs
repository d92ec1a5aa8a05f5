//! A certificate with its key, of somebody who calls a server that wants to know who calls.
//!
//! It is the user's own, out of a file; none is ever made here.

use crate::TlsError;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// See the module.
#[derive(Clone, Debug)]
pub struct Identity(Arc<CertifiedKey>);

impl Identity {
    /// Reads a file of certificates in PEM, the caller's own first, and its key from another file, or
    /// from the same one.
    ///
    /// # Errors
    /// When one cannot be read, or they do not belong together.
    pub fn read(certificate: &Path, key: Option<&Path>) -> Result<Self, TlsError> {
        let wrong = |path: &Path, what: String| TlsError::Identity { path: path.to_owned(), what };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| wrong(certificate, error.to_string()))?;
        if chain.is_empty() {
            return Err(wrong(certificate, "it has no certificate".to_owned()));
        }
        let key = key.unwrap_or(certificate);
        let secret = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| wrong(key, format!("it has no key ({error})")))?;
        let identity = CertifiedKey::from_der(chain, secret, &aws_lc_rs::default_provider());
        identity
            .map(|identity| Identity(Arc::new(identity)))
            .map_err(|error| wrong(key, format!("the key does not fit ({error})")))
    }
}

/// Shows the certificate of the caller when a server asks for one, and notes when there is none.
#[derive(Debug)]
pub(crate) struct Asked {
    identity: Option<Identity>,
    in_vain: AtomicBool,
}

impl Asked {
    pub(crate) fn of(identity: Option<Identity>) -> Self {
        Asked { identity, in_vain: AtomicBool::new(false) }
    }

    /// Whether the server asked and got nothing.
    pub(crate) fn in_vain(&self) -> bool {
        self.in_vain.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let shown = self.identity.as_ref().map(|identity| Arc::clone(&identity.0));
        self.in_vain.fetch_or(shown.is_none(), Ordering::Relaxed);
        shown
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Authority;

    #[test]
    fn a_file_with_both_and_two_files_are_read_and_others_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        Authority::in_folder(folder.path()).unwrap();
        Authority::in_folder(&path("other")).unwrap();
        let both = path("authority.pem");
        Identity::read(&both, None).unwrap();
        Identity::read(&path("authority.crt"), Some(&both)).unwrap();
        let said = |certificate: &str, key: Option<&str>| {
            let key = key.map(path);
            Identity::read(&path(certificate), key.as_deref()).unwrap_err().to_string()
        };
        assert!(said("authority.crt", None).contains("it has no key"));
        assert!(said("nowhere.pem", None).contains("nowhere.pem"));
        let theirs = said("authority.crt", Some("other/authority.pem"));
        assert!(theirs.contains("the key does not fit"), "{theirs}");
    }
}
