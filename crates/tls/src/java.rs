//! A trust store for Java, which reads no variable that names certificates.
//!
//! It is in Java's own format of old, which every release still reads: a list of certificates with a
//! digest that takes a password everybody knows.

use crate::Authority;
use crate::roots::system;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha1::{Digest, Sha1};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The variable by which every Java program is given options. It says on standard error that it was.
pub(crate) const VARIABLE: &str = "JAVA_TOOL_OPTIONS";
/// The file that [`options`] writes.
pub(crate) const STORE: &str = "roots.jks";
/// Where Java is installed, and what of it are its roots.
const HOMES: &str = "/usr/lib/jvm";
const ROOTS: &str = "lib/security/cacerts";
const PASSWORD: &str = "changeit";

/// The value for [`VARIABLE`], with the options that it had. None when those name a trust store, which
/// could not be merged.
pub(crate) fn options(
    authority: &Authority,
    folder: &Path,
    before: Option<OsString>,
) -> Option<io::Result<OsString>> {
    let mut value = before.unwrap_or_default();
    if value.to_string_lossy().contains("javax.net.ssl.trustStore") {
        return None;
    }
    let path = folder.join(STORE);
    if let Err(error) = fs::write(&path, store(authority)) {
        return Some(Err(error));
    }
    if !value.is_empty() {
        value.push(" ");
    }
    value.push("-Djavax.net.ssl.trustStoreType=JKS -Djavax.net.ssl.trustStorePassword=");
    value.push(PASSWORD);
    value.push(" -Djavax.net.ssl.trustStore=");
    value.push(path);
    Some(Ok(value))
}

/// The trust stores of the Javas that are installed.
pub(crate) fn stores() -> Vec<PathBuf> {
    let homes = fs::read_dir(HOMES).into_iter().flatten().flatten().map(|home| home.path());
    let own = std::env::var_os("JAVA_HOME").map(PathBuf::from);
    homes.chain(own).map(|home| home.join(ROOTS)).filter(|path| path.is_file()).collect()
}

fn store(authority: &Authority) -> Vec<u8> {
    let roots = system();
    let roots = CertificateDer::pem_slice_iter(roots.as_bytes()).flatten();
    let all: Vec<_> = roots.chain([authority.certificate().clone()]).collect();
    let mut out = Vec::new();
    out.extend(0xFEED_FEED_u32.to_be_bytes());
    out.extend(2_u32.to_be_bytes());
    out.extend(u32::try_from(all.len()).unwrap_or_default().to_be_bytes());
    for (number, certificate) in all.iter().enumerate() {
        // The tag of a certificate that is trusted, its name, its date, its kind, itself.
        out.extend(2_u32.to_be_bytes());
        put_text(&mut out, &format!("root{number}"));
        out.extend(0_u64.to_be_bytes());
        put_text(&mut out, "X.509");
        out.extend(u32::try_from(certificate.len()).unwrap_or_default().to_be_bytes());
        out.extend_from_slice(certificate);
    }
    let mut digest = Sha1::new();
    for unit in PASSWORD.encode_utf16() {
        digest.update(unit.to_be_bytes());
    }
    digest.update(b"Mighty Aphrodite");
    digest.update(&out);
    out.extend_from_slice(&digest.finalize());
    out
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}
