//! The codes by which one conversation of a connection, or the connection, is ended in HTTP/2.
//!
//! They stand here since files say them by name whatever reads the file. What a code does to a client
//! is the client's business.

use std::fmt;

/// An error code of RFC 9113, section 7. There may be codes that nobody has named yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResetCode(pub u32);

impl ResetCode {
    /// The names of the codes from 0.
    pub const NAMES: &[&str] = &[
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];

    /// Nothing is wrong.
    pub const NO_ERROR: ResetCode = ResetCode(0);

    /// Its name, if it has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES.get(usize::try_from(self.0).ok()?).copied()
    }

    /// The code of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let place = Self::NAMES.iter().position(|known| *known == name)?;
        u32::try_from(place).ok().map(ResetCode)
    }
}

impl fmt::Display for ResetCode {
    /// The name, or the number.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => out.write_str(name),
            None => write!(out, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_of_the_rfc() {
        for (code, name) in [
            (0, "NO_ERROR"),
            (7, "REFUSED_STREAM"),
            (8, "CANCEL"),
            (0xb, "ENHANCE_YOUR_CALM"),
            (0xd, "HTTP_1_1_REQUIRED"),
        ] {
            assert_eq!(ResetCode(code).to_string(), name);
            assert_eq!(ResetCode::named(name), Some(ResetCode(code)));
        }
        assert_eq!((ResetCode(14).to_string(), ResetCode(14).name()), ("14".to_owned(), None));
        assert_eq!(ResetCode(u32::MAX).to_string(), u32::MAX.to_string());
        assert_eq!(ResetCode::named("cancel"), None);
    }
}
