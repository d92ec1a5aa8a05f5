//! `rehearsal.yaml`: what a project can set.

mod fields;
mod init;
mod proto;
mod read;
mod units;

pub(crate) use fields::SETTINGS;
pub use init::init_text;
pub(crate) use proto::compile as compile_proto;
pub(crate) use read::read;
pub(crate) use units::can_be_shown;
pub use units::{UnitError, format_instant, parse_clock, parse_duration, parse_size};

/// The name of the file of settings, in the project's folder.
pub const SETTINGS_FILE: &str = "rehearsal.yaml";

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
