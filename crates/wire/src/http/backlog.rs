//! How much a client may ask before it is answered.

use super::malformed;
use crate::{Limits, WireError};

/// Room for requests that wait for their answer, as far as they are more than one.
const BODIES: usize = 4;

/// Requests that wait, by number and size.
#[derive(Debug)]
pub(super) struct Backlog {
    limits: Limits,
    size: usize,
}

impl Backlog {
    pub(super) fn new(limits: Limits) -> Self {
        Backlog { limits, size: 0 }
    }

    /// Fails when one request more than these is too many.
    pub(super) fn check_count(&self, waiting: usize) -> Result<(), WireError> {
        let limit = self.limits.in_flight;
        if waiting < limit {
            return Ok(());
        }
        Err(malformed(format!("more than {limit} requests wait for their answer")))
    }

    /// Adds a complete request.
    pub(super) fn add(&mut self, size: usize) -> Result<(), WireError> {
        self.size += size;
        let limit = self.limits.body.saturating_mul(BODIES).saturating_add(self.limits.head);
        if self.size <= limit {
            return Ok(());
        }
        Err(WireError::TooLarge { protocol: super::NAME, what: "what waits for its answer", limit })
    }

    /// Takes an answered request out.
    pub(super) fn remove(&mut self, size: usize) {
        self.size = self.size.saturating_sub(size);
    }

    /// Keeps bytes that come after a request to switch protocols, until that is decided.
    pub(super) fn keep(&self, waiting: &mut Vec<u8>, input: &[u8]) -> Result<(), WireError> {
        let limit = self.limits.head.saturating_add(self.limits.body);
        if waiting.len() + input.len() > limit {
            let what = "what follows a request to switch protocols";
            return Err(WireError::TooLarge { protocol: super::NAME, what, limit });
        }
        waiting.extend_from_slice(input);
        Ok(())
    }
}
