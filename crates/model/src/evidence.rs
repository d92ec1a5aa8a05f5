//! What was seen of a test beside its verdict, for whoever looks into it: times, whole messages, what
//! the app logged, and how to send the request by hand.
//!
//! All of it is bounded where it is made, and free of secrets as recordings are. Nothing here decides
//! a verdict.

use crate::Value;
use serde::Serialize;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// A line for a shell that sends the recorded request to the app, where it listened when it was
    /// recorded. None when the protocol has no such program, or it would be too long.
    pub command: Option<String>,
    /// How long the test took when it was recorded, in milliseconds, where the recording says so.
    pub recorded_ms: Option<f64>,
    /// When its calls came, in the order in which they were recorded; those without mock come last.
    pub steps: Vec<CallTime>,
    /// What was said where it differs, whole; empty when the test passed.
    pub messages: Vec<Message>,
    /// The last lines that the app wrote on its standard output and error during the test.
    pub log: Vec<String>,
    /// How many lines it wrote in all.
    pub log_lines: usize,
}

/// When a call came and was answered, in milliseconds from the beginning of its test.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CallTime {
    /// Which of the test's calls, from 1; none when it has no such call.
    pub call: Option<usize>,
    /// The dependency.
    pub edge: String,
    /// What was asked.
    pub operation: String,
    /// When it had come; none when it did not.
    pub came_ms: Option<f64>,
    /// How long its answer took.
    pub took_ms: Option<f64>,
    /// When it came when it was recorded, where the recording says so.
    pub recorded_came_ms: Option<f64>,
    /// How long its answer took then.
    pub recorded_took_ms: Option<f64>,
}

/// A message as it was recorded and as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Message {
    /// Which: `request`, `response`, `calls[0].request`; `call` for one that was not recorded.
    pub place: String,
    /// What it is called: `payments · POST /charges`.
    pub title: String,
    /// What was recorded; null when nothing was.
    pub recorded: Value,
    /// What came; null when nothing did, or when it is what was recorded.
    pub actual: Value,
    /// Whether a part of it was too large to keep; a text or a list says then how much is missing.
    pub cut: bool,
}
