//! The faces of a run: each turns events into text for one kind of reader.
//!
//! Nothing here knows how a run is made or where its text goes: a format gets a writer and one
//! [`rehearsal_model::RunEvent`] after the other. Whatever was recorded is shown as data, never as
//! commands to a terminal.

mod allure;
mod chain;
mod collect;
mod ctrf;
mod diff;
mod difference;
mod escape;
mod finding;
mod format;
mod github;
mod gitlab;
mod hint;
mod html;
mod human;
mod json;
mod junit;
mod latency;
mod page;
pub mod parts;
mod proposals;
mod sarif;
mod story;
mod table;
mod tap;
mod triage;
mod words;
mod workflow;
mod yaml;

pub use escape::visible;
pub use finding::{evidence, sentence};
pub use format::{FORMATS, Format, Look, Make, Report};
pub use story::{Words, story, story_html};
pub use table::{Align, Column, table};
