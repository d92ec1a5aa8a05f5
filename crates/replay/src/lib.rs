//! Replays recordings: starts the app, plays its dependencies, drives its tests and judges them.
//!
//! [`replay`] tells what happens as run events. A [`theatre`] is one copy of the app with all that surrounds
//! it, a [`crew`] several of them side by side, each with the tests that [`plan`] gives it. The [`stage`] is the one owner of what has happened
//! while a test runs on a copy; the [`shelf`] is the recording in the form in which mocks are found. Nothing
//! here knows a protocol, reads a file, or prints.

mod cause;
mod connections;
mod crew;
mod doors;
mod drive;
mod engine;
mod error;
mod evidence;
mod families;
mod links;
mod options;
mod oracle;
mod own_calls;
mod pace;
mod plan;
mod player;
mod policy;
mod retry;
mod roll;
mod routes;
mod scene;
mod secrets;
mod shelf;
mod spread;
mod stage;
mod suite;
mod theatre;
mod tls;
mod verdict;
mod wall;
mod witness;

pub use engine::replay;
pub use error::ReplayError;
pub use options::{Jobs, ReplayOptions, Selected, Spread};
pub use shelf::ShelfError;
pub use suite::{Missed, News, OnMiss, Played, Suite, play};
