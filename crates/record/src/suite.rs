//! Which test of another test runner makes a call. What the call says itself counts first, then what
//! its process said when the request began.

use crate::attribution::{Finished, Flow, Seen};
use rehearsal_capture::Caller;
use rehearsal_model::{Mock, TestId};
use std::collections::HashMap;

/// The calls under way.
#[derive(Default)]
pub(crate) struct Suite {
    by_flow: HashMap<Flow, String>,
}

impl Suite {
    pub(crate) fn began(&mut self, flow: Flow, caller: Option<&Caller>) {
        if let Some(test) = caller.and_then(Caller::test) {
            self.by_flow.insert(flow, test);
        }
    }

    pub(crate) fn lost(&mut self, flow: Flow) {
        self.by_flow.remove(&flow);
    }

    pub(crate) fn done(&mut self, flow: Flow, seen: Seen) -> Finished {
        let told = self.by_flow.remove(&flow);
        let Seen { edge, exchange, facets } = seen;
        let of_test = facets.named_test(&exchange.request).or(told);
        let (after, calls, shared_by) = (TestId(0), 0, Vec::new());
        Finished::Mock(Box::new(Mock { edge, exchange, after, calls, shared_by, of_test }))
    }
}
