//! A difference between what was recorded and what came, as data.

use crate::Value;
use serde::Serialize;

/// One place at which two values differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Where, from the root of the compared values: `response.body.items[2].total`. A key that is
    /// not a plain word is quoted: `body["a.b"]`.
    pub path: String,
    /// What happened there.
    pub change: Change,
}

/// What happened at a place.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Change {
    /// It was recorded and did not come.
    Missing {
        /// What was recorded.
        expected: Value,
    },
    /// It came and was not recorded.
    Added {
        /// What came.
        actual: Value,
    },
    /// Another value of the same kind came.
    Changed {
        /// What was recorded.
        expected: Value,
        /// What came.
        actual: Value,
    },
    /// A value of another kind came (text for a number, a list for a map).
    Retyped {
        /// What was recorded.
        expected: Value,
        /// What came.
        actual: Value,
    },
}

impl Change {
    /// What was recorded, where something was.
    #[must_use]
    pub fn expected(&self) -> Option<&Value> {
        match self {
            Change::Missing { expected }
            | Change::Changed { expected, .. }
            | Change::Retyped { expected, .. } => Some(expected),
            Change::Added { .. } => None,
        }
    }

    /// What came, where something did.
    #[must_use]
    pub fn actual(&self) -> Option<&Value> {
        match self {
            Change::Added { actual }
            | Change::Changed { actual, .. }
            | Change::Retyped { actual, .. } => Some(actual),
            Change::Missing { .. } => None,
        }
    }
}
