//! What every loop has to be told about its connection.

use crate::{Clock, ConnectionId};
use rehearsal_wire::{Limits, Protocol};
use std::sync::Arc;

/// What every loop has to be told about its connection.
#[derive(Clone)]
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
    /// Texts that the app was given and among which its passwords may be, for played servers that
    /// must know them.
    pub words: Arc<[String]>,
}

impl ConnectionOptions {
    /// Options with every protocol and the usual limits.
    #[must_use]
    pub fn new(id: ConnectionId, clock: Clock) -> Self {
        let (protocols, limits) = (rehearsal_wire::ALL, Limits::default());
        ConnectionOptions { id, protocols, limits, clock, words: Arc::default() }
    }

    /// The protocol of that name among those to choose from.
    pub(crate) fn protocol(&self, name: &str) -> Option<&'static dyn Protocol> {
        self.protocols.iter().copied().find(|protocol| protocol.name() == name)
    }
}
