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
mod inflate;
mod inquiry;
mod keyed;
mod keys;
mod memcached;
mod mongo;
mod mysql;
mod opaque;
mod party;
mod postgres;
mod protocol;
mod redis;
mod renaming;
mod script;
mod seen;
mod session;
mod socks;
mod sql;
mod tls;
mod undriven;
mod unheard;
mod websocket;

pub use dns::{addresses, queried_name};
pub use flaw::{Flaw, Step};
pub use grpc::Schemas;
pub use inquiry::{Inquired, Inquiry};
pub use protocol::{Bracket, Facets, Limits, Protocol, Verdict};
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
    &socks::Socks,
    &opaque::Opaque,
];

/// The protocol of a name, as recordings and settings write it.
#[must_use]
pub fn protocol(name: &str) -> Option<&'static dyn Protocol> {
    ALL.iter().copied().find(|protocol| protocol.name() == name)
}

/// A protocol whose requests are recorded in the form of this one, by its first key.
#[must_use]
pub fn recorded_as(request: &rehearsal_model::Map) -> Option<&'static dyn Protocol> {
    let first = request.keys().next()?;
    let has_it = |protocol: &&&dyn Protocol| {
        protocol.shape().request.iter().any(|field| field.name == first)
    };
    ALL.iter().find(has_it).copied()
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
