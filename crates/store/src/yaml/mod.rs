//! YAML 1.2, as far as the files of a recording need it.
//!
//! The writer is deterministic and loses nothing of a value; the reader keeps the place of
//! everything it read. Neither knows what the files mean. Anchors, aliases, merge keys and several
//! documents in one file have no use here and are refused.

mod amend;
mod emit;
mod number;
mod read;
mod scalar;

pub(crate) use amend::{alike, amend};
pub use emit::{EmitError, to_string};
pub(crate) use emit::{Emitter, Substitute};
pub use read::{Content, Key, Node, Spot, YamlError, parse};
pub(crate) use read::{MAX_SIZE, parse_with};

/// How deep lists and maps may nest in a file: the deepest body of a message and what stands
/// around it.
pub const MAX_DEPTH: usize = rehearsal_model::json::MAX_DEPTH + 16;

#[cfg(test)]
mod tests;
