//! One file per decoder of bytes that come from outside.
//!
//! A target never judges which inputs are good: it checks what must hold for all of them.

mod json;
mod transcript;

/// Takes an input; panics when what must hold does not.
pub(crate) type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub(crate) const TARGETS: &[(&str, Target)] = &[
    ("http_observer", transcript::http_observer),
    ("opaque_observer", transcript::opaque_observer),
    ("dns_observer", transcript::dns_observer),
    ("json", json::json),
];
