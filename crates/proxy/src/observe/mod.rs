//! Carrying a connection between its client and its server while listening in.
//!
//! Bytes go on before they are read by the protocol's session, unless the session asked to hold
//! them. A session that cannot read on costs the recording, not the connection. Which exchange
//! belongs to which test is not known here.

mod carry;
mod datagram;
mod detect;
mod exchanges;
mod listen;
mod reach;
mod secure;
mod turn;

use crate::{ConnectionOptions, Gate, Sink, Stream, Tls};
use carry::{Carry, Step};
use rehearsal_wire::{Peer, Protocol};
use std::future::poll_fn;
use std::sync::Arc;

pub use datagram::{Datagrams, observe_datagram};

/// A connection to carry, and who is told of it.
pub struct Observe {
    /// What every loop is told.
    pub options: ConnectionOptions,
    /// The side that opened the connection.
    pub client: Stream,
    /// The side that accepted it.
    pub server: Stream,
    /// The protocol, when it is known; otherwise the first bytes tell which of those in the options
    /// it is.
    pub protocol: Option<&'static dyn Protocol>,
    /// What lays TLS over the sides when the protocol turns to it.
    pub tls: Box<dyn Tls>,
    /// Where the client waits for its turn before it begins an exchange while none is open.
    /// Connections that are carried unread do not wait.
    pub gate: Option<Arc<dyn Gate>>,
    /// Who takes the exchanges.
    pub sink: Arc<dyn Sink>,
}

/// Carries a connection until both sides have ended. Half-closes and resets are passed on as they
/// come. Dropping the future ends the connection.
pub async fn observe(what: Observe) {
    let Observe { options, client, server, protocol, mut tls, gate, sink } = what;
    let mut carry = Carry::new(options, [client, server], gate, &*sink, &*tls);
    if let Some(protocol) = protocol {
        carry.listen(protocol);
    }
    loop {
        let step = poll_fn(|cx| carry.poll(cx)).await;
        if let Some(next) = carry.next_tls.take() {
            tls = next;
        }
        match step {
            Step::Done => return,
            Step::StartTls { with, unread } => {
                let plain = carry.take_stream(with);
                let laid = match with {
                    Peer::Client => tls.accept(plain, unread).await,
                    Peer::Server => tls.connect(plain, unread).await,
                };
                carry.tls_laid(with, laid);
            }
            Step::Secure { unread } => {
                let [client, server] = [Peer::Client, Peer::Server].map(|p| carry.take_stream(p));
                let joined = tls.between(client, unread, server, !carry.begins_tls).await;
                carry.joined(joined, tls.seen());
            }
        }
    }
}
