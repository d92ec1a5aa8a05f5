//! MongoDB (OP_MSG, with the older OP_QUERY that drivers still begin with): commands and replies.
//!
//! A command is one exchange, whichever way a driver sends it: document sequences, compression,
//! checksums and streams of replies are how it is sent, and are not recorded. Neither are sessions,
//! cluster times and proofs of passwords. The other legacy operations (OP_INSERT, queries before
//! MongoDB 3.6) are not read.

mod bson;
mod checksum;
mod clock;
mod command;
mod compression;
mod facets;
mod hello;
mod inbox;
mod login;
mod message;
mod observer;
mod reply;
mod responder;
mod scram;
mod shape;
mod teaching;

use crate::{Facets, Limits, Protocol, Session, Verdict, WireError};
use rehearsal_model::shape::ExchangeShape;
use std::sync::Arc;

/// The name of the protocol.
const NAME: &str = "mongodb";

/// MongoDB.
#[derive(Debug)]
pub(crate) struct Mongo;

impl Protocol for Mongo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self) -> &'static ExchangeShape {
        &shape::SHAPE
    }

    fn detect(&self, client: &[u8], _server: &[u8]) -> Verdict {
        inbox::detect(client)
    }

    fn observer(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(observer::Observer::new(limits))
    }

    fn responder(&self, limits: Limits) -> Box<dyn Session> {
        self.responder_knowing(limits, &Arc::default())
    }

    fn responder_knowing(&self, limits: Limits, words: &Arc<[String]>) -> Box<dyn Session> {
        Box::new(responder::Responder::new(limits, Arc::clone(words)))
    }

    fn facets(&self) -> &'static dyn Facets {
        &facets::MongoFacets
    }
}

fn malformed(what: &str) -> WireError {
    WireError::Malformed { protocol: NAME, what: what.to_owned() }
}

fn unwritable(what: &str) -> WireError {
    WireError::Unwritable { protocol: NAME, what: what.to_owned() }
}

#[cfg(test)]
mod noise;
#[cfg(test)]
mod tests;
