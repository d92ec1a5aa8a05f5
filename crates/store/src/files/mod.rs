//! The files of a recording as text: tests, ambient mocks, the manifest, blobs.
//!
//! Reading a folder is in `folder`, writing it in `save`; the meaning of a protocol's keys is in its shape.

mod ambient;
mod amend;
mod blobs;
mod exchange;
pub(crate) mod fields;
mod flaws;
mod folder;
mod manifest;
mod names;
mod noise;
mod outlet;
mod parallel;
mod save;
mod test;
pub mod text;

pub use amend::replace;
pub(crate) use amend::{Amendment, amended};
pub(crate) use folder::{check_recording, for_each_test, read_mocks};
pub use folder::{read_manifest, read_recording};
pub use manifest::FORMAT;
pub use names::test_file_name;
pub(crate) use noise::add as add_noise;
pub(crate) use save::{Files, Saved, add, make, remove_tests};
pub use save::{append_recording, write_recording, write_tests};

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
