//! What goes wrong in this room.

use rehearsal_model::Failure;
use rehearsal_wire::WireError;
use std::io;

/// Why an endpoint could not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("connect to {endpoint}: {reason}")]
pub struct DialError {
    /// The endpoint as it was given.
    pub endpoint: String,
    /// What the app shall see of it.
    pub failure: Failure,
    /// The error number of the system, when a system call failed.
    pub errno: Option<i32>,
    /// What went wrong, in words.
    pub reason: String,
}

impl DialError {
    /// The error number that the app shall see.
    #[must_use]
    pub fn errno(&self) -> i32 {
        self.errno.unwrap_or(errno(self.failure))
    }
}

/// The error number by which `connect` says that it failed in this way.
#[must_use]
pub fn errno(failure: Failure) -> i32 {
    match failure.without_code() {
        Failure::Refused => libc::ECONNREFUSED,
        Failure::Unreachable => libc::EHOSTUNREACH,
        Failure::TimedOut => libc::ETIMEDOUT,
        _ => libc::ECONNRESET,
    }
}

/// Why a request could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The request cannot be put into bytes, or the answer is not the protocol's.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// TLS could not be established.
    #[error("establish TLS with the server: {0}")]
    Tls(#[source] io::Error),
    /// The connection had ended before; the request was not sent. Send it on a new one.
    #[error("send on a connection that has ended: open a new one")]
    Ended,
    /// The session changes to a protocol that is not there.
    #[error("change to the protocol {0}, which is not among those to choose from")]
    NoSuchProtocol(&'static str),
}
