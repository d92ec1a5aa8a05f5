//! The files of a recording as text: tests, ambient mocks, the manifest, blobs.
//!
//! Folders and atomic writing are in `folder`; the meaning of a protocol's keys is in its shape.

mod ambient;
mod blobs;
mod exchange;
pub(crate) mod fields;
mod folder;
mod manifest;
mod names;
mod parallel;
mod test;
pub mod text;

pub use folder::{append_recording, read_manifest, read_recording, write_recording, write_tests};
pub use manifest::FORMAT;
pub use names::test_file_name;

use rehearsal_model::shape::ExchangeShape;

/// How the protocol of a name writes its exchanges; `None` when the name is not known.
pub(crate) type Shapes<'a> = &'a (dyn Fn(&str) -> Option<&'static ExchangeShape> + Sync);

/// The shapes of the protocols that `wire` has.
pub(crate) fn wire_shapes(name: &str) -> Option<&'static ExchangeShape> {
    rehearsal_wire::protocol(name).map(|protocol| protocol.shape())
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
