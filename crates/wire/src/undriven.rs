//! Plays the client of protocols in which apps call and are not called: not at all.

use crate::{Command, Event, Session, WireError};

/// What [`crate::Protocol::requester`] is unless a protocol has its own; it holds the protocol's name.
#[derive(Debug)]
pub(crate) struct Undriven(pub(crate) &'static str);

impl Session for Undriven {
    fn handle(&mut self, event: Event<'_>, _out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Request { .. } => Err(WireError::Unwritable {
                protocol: self.0,
                what: "requests cannot be sent to an app; only calls that it makes are replayed"
                    .to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
