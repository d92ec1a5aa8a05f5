//! Asking a server of what its messages are made, which some servers tell.
//!
//! What is asked and how the answer is read is a protocol's business; who sends it, on which connection, is
//! not settled here.

use crate::Schemas;
use rehearsal_model::{Exchange, Map};

/// Questions to a server, one after the other.
pub trait Inquiry: Send {
    /// The first question (`None`), or what follows from what came of the last one. A fixed number of
    /// steps ends it.
    fn next(&mut self, answered: Option<&Exchange>) -> Inquired;

    /// What has to be known to read the answers.
    fn schemas(&self) -> &'static Schemas;
}

/// Where an inquiry is.
#[derive(Clone, Debug, PartialEq)]
pub enum Inquired {
    /// This is to be asked next.
    Ask(Map),
    /// The server has told: a `FileDescriptorSet` (`google/protobuf/descriptor.proto`) in its binary form.
    Told(Vec<u8>),
    /// It has not; a fragment that says why.
    Untold(String),
}
