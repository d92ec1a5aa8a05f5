//! Our own compact encoding of the model, for files that only we read: the journal and the cache.
//!
//! No file that people keep is in it, so it may change with every release: whoever stores it stores
//! [`VERSION`] beside it and ignores what another version wrote. It has no checksum of its own; the
//! journal's frames and the cache's header have one.

mod input;
mod model;
mod value;

pub use input::{BinaryError, Input};
pub(crate) use input::{put_bytes, put_list, put_number};

/// The version of the encoding; raised with every change of it.
pub const VERSION: u8 = 10;

/// How deep lists and maps may nest: what JSON may, and the envelope of a message around it.
pub const MAX_DEPTH: usize = rehearsal_model::json::MAX_DEPTH + 32;

/// What can be written as bytes and read again.
pub trait Binary: Sized {
    /// Appends the bytes.
    ///
    /// # Errors
    /// When a value nests deeper than [`MAX_DEPTH`].
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError>;

    /// Takes the bytes from the start of `input`.
    ///
    /// # Errors
    /// When they are not what [`Binary::put`] writes.
    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError>;
}

/// The bytes of a thing.
///
/// # Errors
/// As [`Binary::put`].
pub fn encode(thing: &impl Binary) -> Result<Vec<u8>, BinaryError> {
    let mut out = Vec::with_capacity(256);
    thing.put(&mut out)?;
    Ok(out)
}

/// The thing that these bytes are, no more and no less.
///
/// # Errors
/// As [`Binary::take`], and when bytes are left over.
pub fn decode<T: Binary>(bytes: &[u8]) -> Result<T, BinaryError> {
    let mut input = Input::new(bytes);
    let thing = T::take(&mut input)?;
    if input.left() > 0 { Err(BinaryError::Rest(input.at())) } else { Ok(thing) }
}
