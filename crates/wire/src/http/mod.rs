//! HTTP/1.0 and HTTP/1.1 (RFC 9110, RFC 9112), and HTTP/2 (RFC 9113) in a folder of its own.
//!
//! Three sessions play the three roles over one reader and one writer of messages; an upgrade ends
//! them. [`versions`] gives a connection to those of its version.

mod backlog;
mod body;
mod by_hand;
mod chunked;
mod coding;
mod comparison;
mod content;
mod detect;
mod endless;
mod events;
mod faces;
mod facets;
pub(crate) mod fields;
mod form;
mod framing;
mod head;
mod http2;
mod incoming;
mod lines;
mod media;
mod multipart;
mod observer;
mod persistence;
mod proxied;
mod reader;
mod record;
mod requester;
mod responder;
mod shape;
pub(crate) mod spelling;
mod status;
#[cfg(test)]
mod tests;
mod upgrade;
mod versions;
mod write;

use crate::grpc::{Lens, Reflection};
use crate::{Facets, Inquiry, Limits, Protocol, Schemas, Session, Verdict, WireError};
use rehearsal_model::shape::ExchangeShape;
use rehearsal_model::{Exchange, Map};

/// The name of the protocol.
const NAME: &str = "http";

/// What requests say that were made over HTTP/2.
pub(crate) use http2::VERSION as VERSION_2;

/// The protocol.
pub(crate) struct Http;

impl Protocol for Http {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self) -> &'static ExchangeShape {
        &shape::SHAPE
    }

    fn detect(&self, client: &[u8], server: &[u8]) -> Verdict {
        detect::detect(client, server)
    }

    fn alpn(&self, request: &Map) -> &'static [&'static str] {
        if versions::over_http2(request) { &["h2"] } else { &["http/1.1"] }
    }

    fn observer(&self, limits: Limits) -> Box<dyn Session> {
        Lens::over(Box::new(versions::Heard::new(versions::Part::Observer, limits)), limits)
    }

    fn responder(&self, limits: Limits) -> Box<dyn Session> {
        Lens::over(Box::new(versions::Heard::new(versions::Part::Responder, limits)), limits)
    }

    fn requester(&self, limits: Limits) -> Box<dyn Session> {
        Lens::over(Box::new(versions::Spoken::new(limits)), limits)
    }

    fn facets(&self) -> &'static dyn Facets {
        &facets::HttpFacets
    }

    fn inquiry(&self, request: &Map, known: Option<&Schemas>) -> Option<Box<dyn Inquiry>> {
        Reflection::after(request, known).filter(|_| versions::over_http2(request))
    }

    fn reread(
        &self,
        exchange: &mut Exchange,
        before: Option<&'static Schemas>,
        since: &'static Schemas,
        limit: usize,
    ) {
        crate::grpc::reread(exchange, before, since, limit);
    }
}

fn malformed(what: impl Into<String>) -> WireError {
    WireError::Malformed { protocol: NAME, what: what.into() }
}

pub(crate) fn unwritable(what: impl Into<String>) -> WireError {
    WireError::Unwritable { protocol: NAME, what: what.into() }
}
