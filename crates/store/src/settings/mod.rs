//! `rehearsal.yaml`: what a project can set.

mod units;

pub use units::{UnitError, parse_duration, parse_size};
