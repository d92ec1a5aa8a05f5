//! What a value must be like that may differ otherwise.

use crate::path::PathError;
use regex::{Regex, RegexBuilder};
use rehearsal_model::{Noise, Value, json};
use std::borrow::Cow;

/// The largest regular expression, compiled, in bytes.
const LARGEST: usize = 1 << 20;

/// A condition: a kind, a pattern, or both.
#[derive(Clone, Debug)]
pub(crate) struct Must {
    kind: Option<String>,
    pattern: Option<Regex>,
}

/// Why noise cannot be heeded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// Its path cannot be read.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Its pattern is no regular expression.
    #[error("read the pattern of `{path}`: {problem}")]
    Pattern {
        /// The path.
        path: String,
        /// What is wrong.
        problem: String,
    },
}

impl Must {
    pub(crate) fn new(noise: &Noise) -> Result<Self, RuleError> {
        let read = |pattern: &String| RegexBuilder::new(pattern).size_limit(LARGEST).build();
        let pattern = noise.matches.as_ref().map(read).transpose();
        let pattern = pattern.map_err(|error| {
            // Its last line says what, those before it draw where.
            let text = error.to_string();
            let problem = text.lines().last().unwrap_or_default();
            let problem = problem.trim_start_matches("error: ").to_owned();
            RuleError::Pattern { path: noise.path.clone(), problem }
        })?;
        Ok(Must { kind: noise.kind.clone(), pattern })
    }

    /// Whether a value meets it. A number or a tree is matched as JSON spells it.
    pub(crate) fn holds(&self, value: &Value) -> bool {
        let text = || match value {
            Value::Text(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(json::to_string(other)),
        };
        let kind = self.kind.as_deref().is_none_or(|kind| {
            kind == value.kind() || kind == "number" && value.kind() == "integer"
        });
        kind && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(&text()))
    }
}
