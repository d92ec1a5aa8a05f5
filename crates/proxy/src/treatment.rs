//! What the ledger says of a connection.

use crate::ConnectionReport;
use rehearsal_model::LedgerLine;
use rehearsal_wire::TLS;

impl ConnectionReport {
    /// The line of this connection with a party. A connection is `understood`, `opaque` (bytes
    /// without meaning) or `silent` (no byte was sent, or none over TLS).
    #[must_use]
    pub fn ledger_line(&self, party: &str) -> LedgerLine {
        let silent = self.client_bytes + self.server_bytes == 0;
        let (treatment, why) = match (self.protocol, self.demoted) {
            _ if silent => ("silent", Some("no byte was sent")),
            (_, true) => ("opaque", Some("it could not be read to the end")),
            (Some(TLS), _) => ("silent", Some("nothing was said over TLS")),
            (None, _) => ("opaque", Some("its protocol was not recognised")),
            (Some(name), _) if name == rehearsal_wire::fallback().name() => ("opaque", None),
            (Some(_), false) => ("understood", None),
        };
        LedgerLine {
            party: party.to_owned(),
            treatment: treatment.to_owned(),
            why: why.map(str::to_owned),
            connections: 1,
            bytes_sent: self.client_bytes,
            bytes_received: self.server_bytes,
        }
    }
}
