//! What is to become of a test when a change of the app is accepted, as data.
//!
//! Which edits a run suggests is decided in `compare`, and how a file is edited in `store`.

use crate::{Map, Value};

/// One level of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The value of a key.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
    /// The rest of the way, in a text that holds XML: `/order/item[2]/@sku`. Always the last one.
    Xml(String),
}

/// One change of a test. Calls are counted from 0, as they were when the run began.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// A value is another one, new or gone.
    Value {
        /// Where, from the root of the test, in comparison form.
        at: Vec<Step>,
        /// What was recorded there; none where something was added.
        expected: Option<Value>,
        /// What came; none where something is gone.
        actual: Option<Value>,
    },
    /// A call is not made any more.
    Drop {
        /// Which.
        call: usize,
        /// What it asked.
        request: Map,
    },
    /// A call is made more often; it is answered as it was.
    Repeat {
        /// The dependency.
        edge: String,
        /// What it asks.
        request: Map,
        /// How many times more.
        times: usize,
    },
    /// A call is made before another one that was above it.
    Before {
        /// Which.
        call: usize,
        /// The other one.
        other: usize,
    },
}
