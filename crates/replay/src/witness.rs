//! Listens to edges that are let through, for two things: whether the schema of a database there is still
//! the one that was recorded, and how long answers take.
//!
//! Nothing else is looked at, compared or kept of what is said there. What is encrypted is not listened to.

use crate::oracle::Accounts;
use crate::shelf::{EdgeNumber, Shelf};
use rehearsal_capture::{Endpoint, Ticket};
use rehearsal_model::{
    EdgeName, Exchange, ExchangeId, Latency, LedgerLine, Moment, MovedColumn, Role, Tables, Times,
};
use rehearsal_proxy::{
    Clock, ConnectionId, ConnectionOptions, ConnectionReport, NoTls, Observe, Sink, Stream, Watch,
    dial, observe,
};
use rehearsal_wire::{Protocol, SeenTables, Taught};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a database may take to take a connection. After that the app connects by itself.
const DIAL_LIMIT: Duration = Duration::from_millis(500);
/// Stands for a type that nothing said.
const UNKNOWN: &str = "unknown";

/// See the module.
pub(crate) struct Witness {
    shelf: Arc<Shelf>,
    accounts: Arc<Accounts>,
    clock: Clock,
    seen: Mutex<BTreeMap<EdgeNumber, SeenTables>>,
    times: Mutex<BTreeMap<EdgeNumber, Times>>,
}

/// A connection to an edge that is listened to, with the database's side of it.
pub(crate) struct Overheard {
    edge: EdgeNumber,
    server: Stream,
}

impl Witness {
    pub(crate) fn new(shelf: Arc<Shelf>, accounts: Arc<Accounts>, clock: Clock) -> Self {
        Witness { shelf, accounts, clock, seen: Mutex::default(), times: Mutex::default() }
    }

    /// Whether the recording says of an edge what there is to be compared.
    pub(crate) fn listens_to(&self, edge: EdgeNumber) -> bool {
        let known = &self.shelf.edges[edge as usize];
        let compared = !known.tables.is_empty() || known.is_timed;
        known.role == Role::Outbound && compared && !known.tls.is_spoken()
    }

    /// Connects in the app's stead. None when it cannot: whatever is wrong, the app is to see itself.
    pub(crate) async fn reach(&self, edge: EdgeNumber, to: &Endpoint) -> Option<Ticket> {
        let server = dial(&to.to_string(), DIAL_LIMIT).await.ok()?;
        Some(Box::new(Overheard { edge, server }))
    }

    /// Carries a connection until it is over.
    pub(crate) async fn listen(
        self: Arc<Self>,
        overheard: Overheard,
        id: ConnectionId,
        client: Stream,
    ) {
        let Overheard { edge, server } = overheard;
        let Ok(server) = server.settle_here() else { return };
        let known = &self.shelf.edges[edge as usize];
        observe(Observe {
            options: ConnectionOptions::new(id, self.clock),
            client,
            server,
            protocol: Some(known.protocol()),
            tls: Box::new(NoTls),
            gate: None,
            sink: Arc::new(Ear { edge, witness: Arc::clone(&self) }),
        })
        .await;
    }

    /// How long answers took on an edge.
    pub(crate) fn latency(&self, edge: &EdgeName) -> Option<Latency> {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let number = (0..).zip(&self.shelf.edges).find(|(_, known)| known.name == *edge)?.0;
        times.get(&number)?.latency()
    }

    /// Where the schema of each edge is another one. `whole` says that every test was run, so that what was
    /// not seen is likely to be gone.
    pub(crate) fn moved(&self, whole: bool) -> Vec<(String, Vec<MovedColumn>)> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let each = seen.iter().map(|(edge, seen)| {
            let known = &self.shelf.edges[*edge as usize];
            (known.name.to_string(), moved(&known.tables, &seen.resolved(), whole))
        });
        each.filter(|(_, columns)| !columns.is_empty()).collect()
    }
}

/// Where two schemas differ, of tables that are in both.
fn moved(recorded: &Tables, seen: &Tables, whole: bool) -> Vec<MovedColumn> {
    let mut found = Vec::new();
    for (table, columns) in recorded {
        let Some(there) = seen.get(table) else { continue };
        let mut note = |column: &String, recorded: Option<&String>, seen: Option<&String>| {
            let (table, column) = (table.clone(), column.clone());
            found.push(MovedColumn {
                table,
                column,
                recorded: recorded.cloned(),
                seen: seen.cloned(),
            });
        };
        for (column, kind) in columns {
            match there.get(column) {
                Some(seen) if is_other(kind, seen) => note(column, Some(kind), Some(seen)),
                None if whole => note(column, Some(kind), None),
                _ => {}
            }
        }
        for (column, kind) in there.iter().filter(|(column, _)| !columns.contains_key(*column)) {
            note(column, None, Some(kind));
        }
    }
    found
}

/// Whether a type that was seen is none of those that were recorded.
fn is_other(recorded: &str, seen: &str) -> bool {
    let known: Vec<&str> = recorded.split(" | ").collect();
    recorded != UNKNOWN && seen != UNKNOWN && seen.split(" | ").any(|kind| !known.contains(&kind))
}

/// Takes in what one connection teaches.
struct Ear {
    edge: EdgeNumber,
    witness: Arc<Witness>,
}

impl Watch for Ear {
    /// Whatever could not be read is no concern of a run that lets it through.
    fn warning(&self, _connection: ConnectionId, _text: &str) {}

    fn finished(&self, _connection: ConnectionId, report: ConnectionReport) {
        let known = &self.witness.shelf.edges[self.edge as usize];
        self.witness.accounts.ledger(LedgerLine {
            treatment: "passed through".to_owned(),
            why: Some("declared real".to_owned()),
            ..report.ledger_line(known.name.as_str())
        });
    }
}

impl Sink for Ear {
    fn begin(&self, _connection: ConnectionId, _id: ExchangeId, _at: Moment) {}

    fn emit(
        &self,
        _connection: ConnectionId,
        protocol: &'static dyn Protocol,
        _id: ExchangeId,
        exchange: Box<Exchange>,
    ) {
        let Exchange { failure, response, started, finished, .. } = &*exchange;
        if failure.is_none() && response.is_some() && !protocol.facets().sets_up(&exchange.request)
        {
            let mut times = self.witness.times.lock().unwrap_or_else(PoisonError::into_inner);
            times.entry(self.edge).or_default().add(finished.since(*started));
        }
    }

    fn taught(&self, _connection: ConnectionId, _protocol: &'static dyn Protocol, taught: Taught) {
        let mut seen = self.witness.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(self.edge).or_default().add(taught);
    }

    fn abandon(&self, _connection: ConnectionId, _id: ExchangeId) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(columns: &[(&str, &str)]) -> Tables {
        let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()));
        Tables::from([("orders".to_owned(), columns.collect())])
    }

    #[track_caller]
    fn check(recorded: &[(&str, &str)], seen: &[(&str, &str)], whole: bool, expected: &[&str]) {
        let told = moved(&tables(recorded), &tables(seen), whole);
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_schema_moves_by_types_and_columns() {
        let recorded =
            [("id", "int4"), ("item", "text"), ("state", "unknown"), ("n", "int4 | int8")];
        check(&recorded, &recorded, true, &[]);
        check(&recorded, &[("n", "int8"), ("state", "text"), ("id", "unknown")], false, &[]);
        let seen = [("id", "int8"), ("item", "text"), ("n", "int4 | text"), ("new", "date")];
        let expected = [
            "orders.id was int4 and is int8",
            "orders.n was int4 | int8 and is int4 | text",
            "orders.new is new (date)",
        ];
        check(&recorded, &seen, false, &expected);
        check(
            &recorded,
            &[("id", "int4")],
            true,
            &[
                "orders.item (text) was not seen",
                "orders.n (int4 | int8) was not seen",
                "orders.state was not seen",
            ],
        );
    }

    #[test]
    fn tables_of_one_side_say_nothing() {
        assert_eq!(moved(&tables(&[("id", "int4")]), &Tables::new(), true), []);
        assert_eq!(moved(&Tables::new(), &tables(&[("id", "int4")]), true), []);
    }
}
