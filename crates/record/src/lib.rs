//! Records what crosses the edges of an app as test cases and mocks.
//!
//! [`record`] starts the app, carries its connections, and hands what they say to the recorder,
//! which decides what belongs to which test and writes it. Nothing here knows a protocol,
//! decides how a file looks, or prints.

mod attribution;
mod connections;
mod desk;
mod edges;
mod engine;
mod error;
mod given;
mod in_order;
mod inquirer;
mod lanes;
mod numbers;
mod options;
mod order;
mod pace;
mod policy;
mod progress;
mod recorder;
mod sink;
mod suite;
mod tls;

pub use engine::{Recorded, record};
pub use error::RecordError;
pub use options::{Ends, Keep, RecordOptions};
pub use policy::DATAGRAMS;
pub use progress::Progress;
