//! Starts, watches, signals and stops the app's process tree.
//!
//! Between us and the app stands a *guard*: our own executable, started again as a small process
//! that is the parent of everything the app starts. When we end in whatever way, `kill -9`
//! included, the guard ends the whole tree. [`guard`] is its main function, [`spawn`] starts one.
//! Nothing here knows why the app is run or what it says on the network.

mod app;
mod ending;
mod error;
mod guard;
mod limit;
mod message;
mod output;
mod platform;
mod pulse;
mod spawn;

pub use app::App;
pub use ending::Ending;
pub use error::SpawnError;
pub use guard::{GUARD_WORD, Hook, guard};
pub use output::{Mark, Output, Tail};
pub use pulse::Pulse;
pub use spawn::{Program, spawn};
