//! What the end-to-end tests stand on: real processes that never outlive their test, ports nobody
//! else takes, a plain HTTP/1.1 client, the built fixtures, and the product run in a folder of its own.
//!
//! It knows nothing of what a test expects, and nothing shipped depends on it. Everything that goes
//! wrong here panics with what was attempted: a test has no better use for an error.

mod client;
mod fixtures;
mod ports;
mod process;
mod project;

pub use client::{Answer, Client};
pub use fixtures::{Fixtures, Services, fixtures};
pub use ports::free_port;
pub use process::{Ended, Process, alive, processes_mentioning};
pub use project::Project;
