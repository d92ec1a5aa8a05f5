//! Plays the client: not at all. Apps that are themselves a memcached are not driven.

use super::unwritable;
use crate::{Command, Event, Session, WireError};

/// The session of [`crate::Protocol::requester`].
#[derive(Debug)]
pub(super) struct Requester;

impl Session for Requester {
    fn handle(&mut self, event: Event<'_>, _out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Request { .. } => Err(unwritable(
                "commands cannot be sent to an app; only calls that the app makes are replayed",
            )),
            _ => Ok(()),
        }
    }
}
