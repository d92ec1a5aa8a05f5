//! gRPC and gRPC-Web: the messages in the content of HTTP requests and responses, and how a call ends.
//!
//! Connections, streams and header fields are the business of HTTP, whose sessions are seen through
//! [`lens`].

mod base64;
mod coding;
mod content;
mod frames;
mod lens;
mod message;
mod protobuf;
mod reflection;
mod status;
#[cfg(test)]
mod tests;
mod web;

pub(crate) use content::is_call;
pub(crate) use frames::{Counter, lengths};
pub(crate) use lens::{Lens, reread};
pub(crate) use message::{is_unheard, path_of};
pub use protobuf::Schemas;
pub(crate) use reflection::Reflection;
pub(crate) use status::{binary_field, failure};
