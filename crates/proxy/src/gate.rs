//! Letting exchanges through one after the other, so that each effect has one cause.

use crate::{BoxFuture, ConnectionId};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Leave to have exchanges open. Dropping it gives the leave back.
pub type Pass = Box<dyn Send>;

/// Decides when a connection that has no exchange open may begin one.
pub trait Gate: Send + Sync {
    /// Waits for the leave to begin. The bytes that came are not forwarded meanwhile, and no more
    /// are read.
    fn enter(&self, connection: ConnectionId) -> BoxFuture<'static, Pass>;
}

/// A gate that lets one connection at a time have exchanges open, in order of arrival.
#[derive(Clone, Debug)]
pub struct OneAtATime {
    place: Arc<Semaphore>,
}

impl OneAtATime {
    /// An open gate.
    #[must_use]
    pub fn new() -> Self {
        OneAtATime { place: Arc::new(Semaphore::new(1)) }
    }
}

impl Default for OneAtATime {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate for OneAtATime {
    fn enter(&self, _connection: ConnectionId) -> BoxFuture<'static, Pass> {
        let place = Arc::clone(&self.place);
        // The semaphore is never closed; if it were, letting through is better than hanging.
        Box::pin(async move { Box::new(place.acquire_owned().await.ok()) as Pass })
    }
}
