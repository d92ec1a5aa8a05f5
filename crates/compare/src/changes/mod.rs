//! What has changed in an app, told from all that differs in a run: the same change in many tests is
//! one cause, with a name, its evidence and what accepting it does to each test.
//!
//! Nothing is decided here. What follows from a call that was refused is held back: an app that got an
//! error answers with anything.

mod atoms;
mod group;
mod words;

pub use group::{Cause, Kind, Place, Review, causes};
pub use words::general_operation;

#[cfg(test)]
mod tests;
