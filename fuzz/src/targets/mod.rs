//! One file per kind of bytes that come from outside.
//!
//! A target never judges which inputs are good: it checks what must hold for all of them. Socket
//! addresses, which `capture` reads from the memory of processes, have no target: they are a few
//! fields at fixed places.

mod binary;
mod codings;
mod compare;
mod faces;
mod files;
mod grpc;
mod hpack;
mod json;
mod played;
mod round_trip;
mod secrets;
mod tls;
mod transcript;
mod yaml;

/// Takes an input; panics when what must hold does not.
pub(crate) type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub(crate) const TARGETS: &[(&str, Target)] = &[
    ("http_observer", transcript::http_observer),
    ("websocket_observer", transcript::websocket_observer),
    ("http_responder", played::http_responder),
    ("websocket_responder", played::websocket_responder),
    ("http_requester", played::http_requester),
    ("http_round_trip", round_trip::http),
    ("graphql", faces::graphql),
    ("soap", faces::soap),
    ("grpc", grpc::grpc),
    ("descriptors", grpc::descriptors),
    ("hpack", hpack::hpack),
    ("codings", codings::codings),
    ("dns_observer", transcript::dns_observer),
    ("dns_responder", played::dns_responder),
    ("dns_requester", played::dns_requester),
    ("dns_round_trip", round_trip::dns),
    ("mysql_observer", transcript::mysql_observer),
    ("mysql_responder", played::mysql_responder),
    ("postgres_observer", transcript::postgres_observer),
    ("postgres_responder", played::postgres_responder),
    ("redis_observer", transcript::redis_observer),
    ("redis_responder", played::redis_responder),
    ("mongodb_observer", transcript::mongodb_observer),
    ("mongodb_responder", played::mongodb_responder),
    ("memcached_observer", transcript::memcached_observer),
    ("memcached_responder", played::memcached_responder),
    ("socks_observer", transcript::socks_observer),
    ("socks_responder", played::socks_responder),
    ("opaque_observer", transcript::opaque_observer),
    ("opaque_responder", played::opaque_responder),
    ("opaque_requester", played::opaque_requester),
    ("tls_hello", tls::hello),
    ("json", json::json),
    ("yaml", yaml::yaml),
    ("recording", files::recording),
    ("settings", files::settings),
    ("binary", binary::binary),
    ("journal", binary::journal),
    ("compare", compare::compare),
    ("noise", compare::noise),
    ("scrub", secrets::scrub),
    ("mask", secrets::mask),
];
