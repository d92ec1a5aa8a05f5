//! The certificate authority of one user on one machine: made at first use, kept in a file.
//!
//! The key never leaves that file and this process. Nobody trusts it but apps that we start.

use crate::TlsError;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file with key and certificate: one file, so that two runs which make it at once agree.
const FILE: &str = "authority.pem";
/// The certificate alone, for people.
const CERTIFICATE: &str = "authority.crt";

/// See the module.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
}

/// Shows no key.
impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// That of the user: in `rehearsal` below `XDG_DATA_HOME` or `~/.local/share`.
    ///
    /// # Errors
    /// When there is none yet and it cannot be written, or it cannot be read.
    pub fn of_user(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, TlsError> {
        let set = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let data = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")));
        Self::in_folder(&data.ok_or(TlsError::NoHome)?.join("rehearsal"))
    }

    /// That in a folder, which is made.
    ///
    /// # Errors
    /// As [`Authority::of_user`].
    pub fn in_folder(folder: &Path) -> Result<Self, TlsError> {
        let file = folder.join(FILE);
        let failed = |source| TlsError::Folder { path: file.clone(), source };
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(folder, &file).map_err(failed)?;
                fs::read_to_string(&file).map_err(failed)?
            }
            Err(error) => return Err(failed(error)),
        };
        Self::from_pem(&text).map_err(|what| TlsError::Damaged { path: file, what })
    }

    fn from_pem(text: &str) -> Result<Self, String> {
        let key = KeyPair::from_pem(text).map_err(|error| error.to_string())?;
        let der = CertificateDer::from_pem_slice(text.as_bytes()).map_err(|e| e.to_string())?;
        let begin = text.find("-----BEGIN CERTIFICATE-----").ok_or("it has no certificate")?;
        Ok(Authority {
            // Of the issuer, certificates have its name and its key only, and both are known.
            issuer: Issuer::new(params(), key),
            der,
            pem: text[begin..].to_owned(),
        })
    }

    /// What is said of one that nobody trusts.
    pub(crate) fn unknown_params() -> CertificateParams {
        let mut params = params();
        params.distinguished_name = name("An authority that nobody knows");
        params
    }

    /// One that nobody trusts, for this process only.
    pub(crate) fn unknown() -> Result<Self, rcgen::Error> {
        let params = Self::unknown_params();
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Ok(Authority { issuer: Issuer::new(params, key), der, pem })
    }

    /// Its certificate as text.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.der
    }

    pub(crate) fn sign(
        &self,
        params: &CertificateParams,
        key: &KeyPair,
    ) -> Result<CertificateDer<'static>, rcgen::Error> {
        Ok(params.signed_by(key, &self.issuer)?.der().clone())
    }
}

fn name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Rehearsal, for apps under test on this machine");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Apps under test may believe to live in another year.
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2099, 12, 31);
    params
}

/// Makes an authority, unless somebody else has meanwhile.
fn create(folder: &Path, file: &Path) -> io::Result<()> {
    let other = |error: rcgen::Error| io::Error::other(error.to_string());
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    let key = KeyPair::generate().map_err(other)?;
    let certificate = params().self_signed(&key).map_err(other)?.pem();
    let whole = format!("{}{certificate}", key.serialize_pem());
    match place(folder, file, &whole, 0o600) {
        Ok(()) => place(folder, &folder.join(CERTIFICATE), &certificate, 0o644),
        other => other,
    }
    .or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Ok(()),
        _ => Err(error),
    })
}

/// Writes a file whole or not at all, and only where there is none.
fn place(folder: &Path, file: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().set_permissions(Permissions::from_mode(mode))?;
    draft.as_file().sync_all()?;
    draft.persist_noclobber(file).map(drop).map_err(|error| error.error)
}

/// The private key of a pair, as `rustls` takes it.
pub(crate) fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(key.serialize_der().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn it_is_made_once_and_only_its_user_reads_the_key() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("deep/rehearsal");
        let first = Authority::in_folder(&folder).unwrap();
        let second = Authority::in_folder(&folder).unwrap();
        assert_eq!(first.certificate(), second.certificate());
        assert_eq!((mode(&folder), mode(&folder.join(FILE))), (0o700, 0o600));
        assert_eq!(fs::read_to_string(folder.join(CERTIFICATE)).unwrap(), first.pem());
        assert!(!first.pem().contains("PRIVATE"));
    }

    #[test]
    fn runs_that_begin_at_once_agree() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("rehearsal");
        let made: Vec<_> = std::thread::scope(|scope| {
            let made: Vec<_> =
                (0..4).map(|_| scope.spawn(|| Authority::in_folder(&folder).unwrap())).collect();
            made.into_iter().map(|made| made.join().unwrap().der).collect()
        });
        assert!(made.iter().all(|one| *one == made[0]));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let data = tempfile::tempdir().unwrap();
        let error = Authority::of_user(|_| None).unwrap_err();
        assert!(error.to_string().contains("set XDG_DATA_HOME or HOME"), "{error}");
        fs::write(data.path().join("file"), "").unwrap();
        let error = Authority::in_folder(&data.path().join("file/below")).unwrap_err();
        assert!(error.to_string().contains("that can be written"), "{error}");
        fs::write(data.path().join(FILE), "nothing").unwrap();
        let error = Authority::in_folder(data.path()).unwrap_err();
        assert!(error.to_string().contains("delete the file"), "{error}");
    }
}
