//! Replays recordings: starts the app, plays its dependencies, drives its tests and judges them.
//!
//! [`replay`] tells what happens as run events. The [`stage`] is the one owner of what has happened
//! while a test runs; the [`shelf`] is the recording in the form in which mocks are found. Nothing
//! here knows a protocol, reads a file, or prints.

mod connections;
mod doors;
mod drive;
mod engine;
mod error;
mod options;
mod oracle;
mod own_calls;
mod player;
mod policy;
mod routes;
mod secrets;
mod shelf;
mod stage;
mod tls;
mod verdict;
mod wall;
mod witness;

pub use engine::replay;
pub use error::ReplayError;
pub use options::{ReplayOptions, Selected};
pub use shelf::ShelfError;
