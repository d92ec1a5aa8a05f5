//! What runs came to, kept in one SQLite file or in a schema of PostgreSQL, and what many of them say
//! together.
//!
//! [`History`] writes and reads it at a [`Place`]. What is read from it ([`Sample`]) is judged by pure
//! functions: [`flaky`] finds tests with both outcomes, [`clusters`] counts failures of one kind, and
//! [`slow`] compares latencies with their own past. Nothing here starts a run, asks git or prints.

mod clusters;
mod error;
mod flaky;
mod history;
mod noise;
mod place;
mod read;
mod rows;
mod slow;
mod store;
mod write;

pub use clusters::{Cluster, clusters};
pub use error::HistoryError;
pub use flaky::{Class, Flaky, flaky};
pub use history::History;
pub use noise::Band;
pub use place::{Check, Place, Server, Tls, Wanted};
pub use rows::{RunRow, Sample, Scene, TestRow};
pub use slow::{EdgePace, Pace, middle_factor, slow};

#[cfg(test)]
mod tests;
