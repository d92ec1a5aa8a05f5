//! Why the app could not be started.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// Why the app could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// There is no such program.
    #[error("start {}: no such program; check the spelling and PATH", .0.display())]
    NotFound(OsString),
    /// The program may not be executed.
    #[error("start {}: permission denied; is it executable?", .0.display())]
    Denied(OsString),
    /// The folder to start it in does not exist.
    #[error("start the app in {}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system refused in another way.
    #[error("start {}: {source}", program.display())]
    Refused {
        /// The program.
        program: OsString,
        /// What the system says.
        source: io::Error,
    },
    /// Our own guard process could not be started.
    #[error("start the process that guards the app: {0}")]
    Guard(#[source] io::Error),
}
