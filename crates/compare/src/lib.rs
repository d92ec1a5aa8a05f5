//! The structural difference of two values under rules for noise.
//!
//! A difference is data ([`rehearsal_model::Difference`]), never text for people: drawing it is the
//! work of `report`. Nothing here reads a file, knows a protocol or calls a clock, and the cost is
//! bounded whatever the input.

mod align;
mod base64;
mod cause;
pub mod changes;
mod document;
mod instant;
mod learn;
mod letters;
mod list;
mod must;
mod number;
mod path;
mod print;
mod renaming;
mod rules;
mod similarity;
mod times;
mod walk;
mod words;
mod xml;
mod xml_edit;
mod xml_walk;

pub use cause::{cause, only_times_differ, template};
pub use learn::{Lessons, learn};
pub use must::RuleError;
pub use path::{PathError, PathProblem};
pub use renaming::{Pair, Renaming, invented, may_be_renamed, renamed, value_may_be_renamed};
pub use rules::Rules;
pub use similarity::{SAME, similarity};
pub use times::{Span, Times};
pub use walk::{MAX_DIFFERENCES, compare, is_truncated};
pub use xml_edit::{XmlChange, xml_at, xml_with};
