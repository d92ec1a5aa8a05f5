//! Protocols as state machines: one folder is one protocol.
//!
//! Bytes and their time go in, commands come out. There is no socket, no clock and no async here;
//! the driver in `proxy` has those. To add a protocol, add its folder and its word in [`ALL`].

mod base64;
#[cfg(test)]
mod damage;
mod dns;
mod flaw;
mod grpc;
mod http;
mod keyed;
mod memcached;
mod mongo;
mod mysql;
mod opaque;
mod postgres;
mod protocol;
mod redis;
mod renaming;
mod script;
mod seen;
mod session;
mod sql;
mod tls;
mod undriven;
mod unheard;
mod websocket;

pub use dns::{addresses, queried_name};
pub use flaw::{Flaw, Step};
pub use grpc::Schemas;
pub use protocol::{Facets, Limits, Protocol, Verdict};
pub use seen::SeenTables;
pub use session::{Answer, Command, Ending, Event, Miss, Peer, Session, Taught, WireError};
pub use tls::{TLS, begins_tls, misses_hello};

/// Every protocol, in the order in which they are tried on the first bytes of a connection.
/// `opaque` takes what none of the others does.
pub static ALL: &[&dyn Protocol] = &[
    &http::Http,
    &dns::Dns,
    &postgres::Postgres,
    &mongo::Mongo,
    &mysql::Mysql,
    &redis::Redis,
    &memcached::Memcached,
    &opaque::Opaque,
];

/// The protocol of a name, as recordings and settings write it.
#[must_use]
pub fn protocol(name: &str) -> Option<&'static dyn Protocol> {
    ALL.iter().copied().find(|protocol| protocol.name() == name)
}

/// The protocol that carries what no other one understands.
#[must_use]
pub fn fallback() -> &'static dyn Protocol {
    &opaque::Opaque
}

/// A server of which nothing was ever heard, by the name of [`fallback`]: which protocol its clients speak is
/// found out when they speak. It is only played.
#[must_use]
pub fn unheard() -> &'static dyn Protocol {
    &unheard::Unheard
}
