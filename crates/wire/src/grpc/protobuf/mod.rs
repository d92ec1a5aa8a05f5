//! Protocol buffers: encoded messages as values, and back to the very bytes.
//!
//! Descriptors are read here; .proto files are compiled to descriptors by `store`.

mod builtin;
mod decode;
mod descriptor;
mod elements;
mod encode;
mod files;
mod instant;
mod scalar;
mod schema;
mod shared;
#[cfg(test)]
mod tests;
mod well_known;

pub(crate) use decode::decode;
pub(crate) use encode::encode;
pub(crate) use files::File;
pub(crate) use schema::Message;
pub use schema::Schemas;
