//! What goes wrong in this room.

use std::io;
use std::path::PathBuf;

/// Why TLS cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The authority's folder or file cannot be made or read.
    #[error(
        "keep the certificate authority in {path}: {source}; set XDG_DATA_HOME to a folder that can be written"
    )]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no folder of the user's own.
    #[error("find a folder for the certificate authority: set XDG_DATA_HOME or HOME")]
    NoHome,
    /// The authority's file is there and is not one.
    #[error(
        "read the certificate authority in {path}: {what}; delete the file and a new one is made"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file that the settings name is not what it should be.
    #[error(
        "read {path}, which rehearsal.yaml names as the certificate or key of a client: {what}"
    )]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The file for the connections' secrets cannot be written.
    #[error("write the secrets of TLS to {path}, as --keylog asks: {source}")]
    KeyLog {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A certificate cannot be made.
    #[error("make a certificate for {name}: {what}")]
    Mint {
        /// For whom.
        name: String,
        /// Why.
        what: String,
    },
    /// No root certificate is there by which servers could be verified.
    #[error(
        "find root certificates: install the package ca-certificates, or name a file in SSL_CERT_FILE"
    )]
    NoRoots,
    /// The file that tells the app whom to trust cannot be written.
    #[error("write the root certificates for the app: {0}")]
    Bundle(#[source] io::Error),
}

impl TlsError {
    /// Of a server that wants to know who calls, when nobody has told us.
    pub(crate) const ASKED: &str = "it asks for a certificate of whoever calls; name one as \
        client-certificate of this edge in rehearsal.yaml";
}
