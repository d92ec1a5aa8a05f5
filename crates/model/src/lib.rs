//! The words of Rehearsal: the types that every room shares.
//!
//! Nothing here reads a file, opens a socket, knows a protocol or calls a clock. The narrow waist of
//! the product is [`Value`]: `wire` turns bytes into values and back, and everything above it sees
//! values only.

pub mod base64;
mod case;
mod difference;
mod edge;
mod edit;
mod evidence;
mod exchange;
pub mod json;
mod latency;
mod map;
mod number;
mod reset;
mod run;
mod run_read;
pub mod secret;
mod settings;
pub mod shape;
pub mod stream;
mod time;
mod to_value;
mod triage;
mod value;
mod verdict;

pub use case::{Call, Manifest, Mock, Noise, Recording, TestCase, TestId};
pub use difference::{Change, Difference};
pub use edge::{Certificate, Edge, EdgeName, EdgeTls, Role, Tables};
pub use edit::{Edit, Step};
pub use evidence::{CallTime, Evidence, Message};
pub use exchange::{Exchange, ExchangeId, Failure};
pub use latency::{EdgeLatency, Latency, Milliseconds, Times, without_waiting};
pub use map::Map;
pub use number::Number;
pub use reset::ResetCode;
pub use run::{
    Binding, CallName, Finding, Ledger, LedgerLine, Measured, MovedColumn, NearestMock, Outcome,
    RetryCause, RunEvent, Shard, Summary,
};
pub use settings::{
    CaptureWay, ClockSetting, DefectSettings, EdgeSettings, Overlap, QuarantineSettings,
    SecretSettings, Settings, Tracker,
};
pub use time::{Moment, Timestamp};
pub use to_value::{ToValueError, to_value};
pub use triage::{Cause, Ownership, Past, Quarantine, Triage};
pub use value::{KINDS, Value};
pub use verdict::Verdict;
