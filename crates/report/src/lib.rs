//! The faces of a run: each turns events into text for one kind of reader.
//!
//! Nothing here knows how a run is made or where its text goes: a format gets a writer and one
//! [`rehearsal_model::RunEvent`] after the other. Whatever was recorded is shown as data, never as
//! commands to a terminal.

mod diff;
mod difference;
mod escape;
mod finding;
mod format;
mod hint;
mod html;
mod human;
mod json;
mod junit;
mod page;
mod story;
mod table;
mod tap;
mod words;
mod yaml;

pub use escape::visible;
pub use finding::sentence;
pub use format::{FORMATS, Format, Look, Report};
pub use story::{Words, story};
pub use table::{Align, Column, table};
