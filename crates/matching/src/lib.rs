//! Picks the mock that answers a call, and says why the others lost.
//!
//! Pure: a [`Library`] is an index over a recording, a [`Desk`] is what one run of the app has used
//! of it. Neither knows a protocol, compares values itself, or waits for anything.

mod desk;
mod fingerprint;
mod groups;
mod library;
mod spread;

pub use desk::{Asked, Claim, Desk, Judge, Kinship, Pick, Turn, Verdict};
pub use fingerprint::fingerprint;
pub use library::{Entry, Library, Place};
