//! Where a body ends (RFC 9112, section 6.3).
//!
//! Messages whose framing two readers could understand in two ways are refused, since guessing is
//! what request smuggling lives on. It reads no body; [`super::body`] does.

use super::head::{Head, Method};
use super::malformed;
use crate::WireError;

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    None,
    /// By its length in bytes.
    Length(u64),
    /// By its last chunk.
    Chunked,
    /// By the end of the connection.
    Close,
}

/// How the body of a request ends.
pub(super) fn of_request(head: &Head) -> Result<Framing, WireError> {
    match (declared(head)?, head.facts.transfer_encoding) {
        (Some(framing), _) => Ok(framing),
        (None, None) => Ok(Framing::None),
        (None, Some(_)) => Err(malformed("a request whose last transfer coding is not chunked")),
    }
}

/// How the body of a response to a request of this method ends.
pub(super) fn of_response(head: &Head, method: Method) -> Result<Framing, WireError> {
    let declared = declared(head)?;
    if is_bodiless(head.status(), method) {
        return Ok(Framing::None);
    }
    Ok(declared.unwrap_or(Framing::Close))
}

/// Whether a response of this status to this method never has a body (RFC 9110, section 6.4.1).
pub(super) fn is_bodiless(status: u16, method: Method) -> bool {
    method == Method::Head || matches!(status, 100..=199 | 204 | 304) || switches(status, method)
}

/// Whether a response of this status to this method makes the connection another protocol's.
pub(super) fn switches(status: u16, method: Method) -> bool {
    status == 101 || (method == Method::Connect && (200..300).contains(&status))
}

fn declared(head: &Head) -> Result<Option<Framing>, WireError> {
    match (head.facts.transfer_encoding, head.facts.content_length) {
        (Some(_), Some(_)) => Err(malformed("both Content-Length and Transfer-Encoding")),
        (Some(_), None) if head.old => Err(malformed("a Transfer-Encoding in HTTP/1.0")),
        (Some(true), None) => Ok(Some(Framing::Chunked)),
        (None, Some(length)) => Ok(Some(Framing::Length(length))),
        (Some(false) | None, None) => Ok(None),
    }
}
