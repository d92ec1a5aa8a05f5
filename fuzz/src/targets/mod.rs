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

/// Every target by the name of its corpus, with how many new inputs a run tries: some ten seconds'
/// worth on a machine of two cores.
pub(crate) const TARGETS: &[(&str, u32, Target)] = &[
    ("http_observer", 26_000, transcript::http_observer),
    ("websocket_observer", 24_000, transcript::websocket_observer),
    ("http_responder", 76_000, played::http_responder),
    ("websocket_responder", 32_000, played::websocket_responder),
    ("http_requester", 83_000, played::http_requester),
    ("http_round_trip", 80_000, round_trip::http),
    ("graphql", 110_000, faces::graphql),
    ("soap", 95_000, faces::soap),
    ("grpc", 66_000, grpc::grpc),
    ("descriptors", 320_000, grpc::descriptors),
    ("hpack", 100_000, hpack::hpack),
    ("codings", 11_000, codings::codings),
    ("dns_observer", 250_000, transcript::dns_observer),
    ("dns_responder", 200_000, played::dns_responder),
    ("dns_requester", 230_000, played::dns_requester),
    ("dns_round_trip", 260_000, round_trip::dns),
    ("mysql_observer", 28_000, transcript::mysql_observer),
    ("mysql_responder", 38_000, played::mysql_responder),
    ("postgres_observer", 120_000, transcript::postgres_observer),
    ("postgres_responder", 170_000, played::postgres_responder),
    ("redis_observer", 45_000, transcript::redis_observer),
    ("redis_responder", 97_000, played::redis_responder),
    ("mongodb_observer", 43_000, transcript::mongodb_observer),
    ("mongodb_responder", 81_000, played::mongodb_responder),
    ("memcached_observer", 33_000, transcript::memcached_observer),
    ("memcached_responder", 120_000, played::memcached_responder),
    ("socks_observer", 210_000, transcript::socks_observer),
    ("socks_responder", 230_000, played::socks_responder),
    ("opaque_observer", 22_000, transcript::opaque_observer),
    ("opaque_responder", 250_000, played::opaque_responder),
    ("opaque_requester", 190_000, played::opaque_requester),
    ("tls_hello", 200_000, tls::hello),
    ("json", 390_000, json::json),
    ("yaml", 180_000, yaml::yaml),
    ("recording", 67_000, files::recording),
    ("settings", 100_000, files::settings),
    ("binary", 360_000, binary::binary),
    ("journal", 50_000, binary::journal),
    ("compare", 220_000, compare::compare),
    ("noise", 250_000, compare::noise),
    ("scrub", 120_000, secrets::scrub),
    ("mask", 430_000, secrets::mask),
];
