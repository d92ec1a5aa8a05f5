//! The remote parties of the app.

use crate::EdgeLatency;
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

    /// Whether it is the edge with a party of that name, in whatever protocol.
    #[must_use]
    pub fn is_with(&self, party: &str) -> bool {
        let rest = self.0.strip_prefix(party);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('+'))
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
    /// Its time is over.
    Expired,
    /// It is for another name.
    Misnamed,
    /// Its time has not come.
    Early,
    /// It has signed itself, and nobody trusts it.
    SelfSigned,
}

impl Certificate {
    /// Every word for one, in files.
    pub const WORDS: &[&str] =
        &["valid", "untrusted", "expired", "misnamed", "not-yet-valid", "self-signed"];

    const ALL: [Self; 6] = [
        Self::Valid,
        Self::Untrusted,
        Self::Expired,
        Self::Misnamed,
        Self::Early,
        Self::SelfSigned,
    ];

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
    /// What was seen of TLS there.
    pub tls: EdgeTls,
    /// When it is a database: what of its schema was used.
    pub tables: Tables,
    /// How long answers took there.
    pub latency: EdgeLatency,
}

/// What is known of TLS on an edge; nothing where none is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EdgeTls {
    /// When connections are TLS from the first byte: how the server's certificate is.
    pub first: Option<Certificate>,
    /// When connections turn to TLS later: how it is then.
    pub midway: Option<Certificate>,
    /// The name by which clients asked for the server, of an edge on which the app is the server.
    pub server_name: Option<String>,
}

impl EdgeTls {
    /// Whether any connection is TLS at any time.
    #[must_use]
    pub fn is_spoken(&self) -> bool {
        self.first.or(self.midway).is_some()
    }
}
