//! The remote parties of the app.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The name of an edge as people write it: `inbound`, `payments`, `payments.example:443`.
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeName(Arc<str>);

impl EdgeName {
    /// The edge on which others call the app.
    pub const INBOUND: &str = "inbound";

    /// A name from its text.
    #[must_use]
    pub fn new(name: impl AsRef<str>) -> Self {
        EdgeName(name.as_ref().into())
    }

    /// The name of the edge with the same party in another protocol than its first, such as what
    /// follows an upgrade.
    #[must_use]
    pub fn speaking(&self, protocol: &str) -> Self {
        EdgeName::new(format!("{self}+{protocol}"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EdgeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who calls whom on an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Others call the app.
    Inbound,
    /// The app calls a dependency.
    Outbound,
}

/// What clients think of the certificate that a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certificate {
    /// It is in order.
    Valid,
    /// Nobody whom they trust has signed it.
    Untrusted,
    /// Its time is over, or has not come.
    Expired,
    /// It is for another name.
    Misnamed,
}

impl Certificate {
    /// Every word for one, in files.
    pub const WORDS: &[&str] = &["valid", "untrusted", "expired", "misnamed"];

    const ALL: [Self; 4] = [Self::Valid, Self::Untrusted, Self::Expired, Self::Misnamed];

    /// The word for it in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// That of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }
}

/// What of the schema of a database crossed the wire: for each table that was used, its columns that
/// were, and the type of each. A column of several types has them with ` | ` between them.
pub type Tables = BTreeMap<String, BTreeMap<String, String>>;

/// One remote party of the app, as a recording knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its name, unique in a recording.
    pub name: EdgeName,
    /// Who calls whom.
    pub role: Role,
    /// The protocol's name in the list of `wire`.
    pub protocol: String,
    /// Where the app listens or connects to: `127.0.0.1:8080`, `unix:/run/db.sock`,
    /// `payments.example:443`. Several when one name has several addresses.
    pub addresses: Vec<String>,
    /// When its connections are TLS from the first byte: how its certificate is.
    pub tls: Option<Certificate>,
    /// When it is a database: what of its schema was used.
    pub tables: Tables,
}
