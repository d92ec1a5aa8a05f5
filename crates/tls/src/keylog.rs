//! The secrets of connections, in a file that somebody asked for: with them, what was captured on the
//! network can be read (NSS key log format, as `SSLKEYLOGFILE` names one).
//!
//! Nothing is written unless it was asked for, and nobody but the file's owner may read it.

use crate::TlsError;
use rustls::KeyLog;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// See the module.
#[derive(Debug)]
pub struct KeyFile(Mutex<File>);

impl KeyFile {
    /// Opens a file to add lines to; it is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be written, or be made its owner's alone.
    pub fn open(path: &Path) -> Result<Arc<Self>, TlsError> {
        let failed = |source| TlsError::KeyLog { path: path.to_owned(), source };
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let file = file.map_err(failed)?;
        // It may have been there, for others to read.
        file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Arc::new(KeyFile(Mutex::new(file))))
    }
}

impl KeyLog for KeyFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = format!("{label} ");
        push_hex(&mut line, client_random);
        line.push(' ');
        push_hex(&mut line, secret);
        line.push('\n');
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk costs the keys, not the connection.
        let _ = file.write_all(line.as_bytes());
    }
}

fn push_hex(line: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(line, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn lines_are_added_and_only_the_owner_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, "before\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let keys = KeyFile::open(&path).unwrap();
        keys.log("CLIENT_RANDOM", &[0, 0xff], &[0x0a]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "before\nCLIENT_RANDOM 00ff 0a\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let error = KeyFile::open(&folder.path().join("no/keys")).unwrap_err().to_string();
        assert!(error.contains("no/keys"), "{error}");
    }
}
