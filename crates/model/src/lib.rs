//! The words of Rehearsal: the types that every room shares.
//!
//! Nothing here reads a file, opens a socket, knows a protocol or calls a clock. The narrow waist of
//! the product is [`Value`]: `wire` turns bytes into values and back, and everything above it sees
//! values only.

mod case;
mod difference;
mod edge;
mod exchange;
pub mod json;
mod map;
mod number;
mod run;
pub mod secret;
mod settings;
pub mod shape;
pub mod stream;
mod time;
mod to_value;
mod value;

pub use case::{Call, Manifest, Mock, Noise, Recording, TestCase, TestId};
pub use difference::{Change, Difference};
pub use edge::{Certificate, Edge, EdgeName, EdgeTls, Role, Tables};
pub use exchange::{Exchange, ExchangeId, Failure};
pub use map::Map;
pub use number::Number;
pub use run::{
    Binding, CallName, Finding, Ledger, LedgerLine, MovedColumn, NearestMock, Outcome, RunEvent,
    Summary,
};
pub use settings::{CaptureWay, ClockSetting, EdgeSettings, SecretSettings, Settings};
pub use time::{Moment, Timestamp};
pub use to_value::{ToValueError, to_value};
pub use value::{KINDS, Value};
