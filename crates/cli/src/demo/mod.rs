//! The sample that `rehearsal demo` plays with: a small shop and the two services it calls, all
//! inside the binary so that the demonstration needs nothing else.

pub(crate) mod http;
pub(crate) mod services;
pub(crate) mod shop;
