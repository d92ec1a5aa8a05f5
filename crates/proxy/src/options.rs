//! What every loop has to be told about its connection.

use crate::{Clock, ConnectionId};
use rehearsal_wire::{Limits, Protocol};

/// What every loop has to be told about its connection.
#[derive(Clone, Copy)]
pub struct ConnectionOptions {
    /// What the connection is called when its loop reports.
    pub id: ConnectionId,
    /// The protocols to choose from, in the order in which they are tried; usually
    /// [`rehearsal_wire::ALL`].
    pub protocols: &'static [&'static dyn Protocol],
    /// Bounds on what sessions keep.
    pub limits: Limits,
    /// The clock that all connections share.
    pub clock: Clock,
}

impl ConnectionOptions {
    /// Options with every protocol and the usual limits.
    #[must_use]
    pub fn new(id: ConnectionId, clock: Clock) -> Self {
        ConnectionOptions { id, protocols: rehearsal_wire::ALL, limits: Limits::default(), clock }
    }

    /// The protocol of that name among those to choose from.
    pub(crate) fn protocol(&self, name: &str) -> Option<&'static dyn Protocol> {
        self.protocols.iter().copied().find(|protocol| protocol.name() == name)
    }
}
