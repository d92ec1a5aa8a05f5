//! What the server has yet to answer, in the order in which the client asked.

use super::function::Expected;
use super::outcome::Outcome;
use super::plan::{Portal, Statement};
use rehearsal_model::{ExchangeId, Map, Moment, Value};
use std::sync::Arc;

/// Something that the client asked.
#[derive(Debug)]
pub(super) enum Asked {
    Parse(Arc<Statement>, Moment),
    /// With the number of the portal whose name it takes over.
    Bind(Option<u64>),
    DescribeStatement(Arc<Statement>, Moment),
    DescribePortal {
        portal: Arc<Portal>,
        at: Moment,
        /// The client wants to hear it before it goes on.
        flushed: bool,
        /// Whether the portal is executed next, which then says its columns.
        executed: bool,
    },
    Execute(Arc<Portal>, Moment),
    /// With the number of the portal that it closes.
    Close(Option<u64>),
    Sync,
    Query(Value, Moment),
    /// A function is called: the request, and how its result is spelled.
    Call(Map, Expected, Moment),
}

/// An exchange whose answer is coming.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) id: ExchangeId,
    pub(super) request: Map,
    pub(super) started: Moment,
    /// Results that are complete. Only a simple query has several.
    pub(super) complete: Vec<Value>,
    /// The one that is coming.
    pub(super) outcome: Outcome,
    /// Whether anything was said of that one.
    pub(super) touched: bool,
    /// The formats that were asked for.
    pub(super) formats: Vec<i16>,
    /// What the client has copied in, one time after another.
    pub(super) copies: Vec<Map>,
    /// The server has refused what the client may still be copying in.
    pub(super) refused_copy: bool,
    /// It only repeats that nothing more comes, and is no exchange.
    pub(super) silent: bool,
}

impl Running {
    pub(super) fn new(id: ExchangeId, request: Map, started: Moment) -> Self {
        Running {
            id,
            request,
            started,
            complete: Vec::new(),
            outcome: Outcome::default(),
            touched: false,
            formats: Vec::new(),
            copies: Vec::new(),
            refused_copy: false,
            silent: false,
        }
    }

    /// The result of one statement is complete.
    pub(super) fn complete(&mut self) {
        let outcome = std::mem::take(&mut self.outcome);
        self.complete.push(Value::Map(outcome.into_map()));
        self.touched = false;
    }

    /// What the server said by the way goes with the result that is coming, or else with the last.
    pub(super) fn aside(&mut self, notices: &mut Vec<Value>, parameters: &mut Map) {
        let last = match self.complete.last_mut() {
            Some(Value::Map(last)) if !self.touched => last,
            _ => return self.outcome.aside(notices, parameters),
        };
        if !notices.is_empty() {
            let mut all = std::mem::take(notices);
            if let Some(Value::List(before)) = last.remove("notices") {
                all.splice(0..0, before);
            }
            last.insert("notices", all);
        }
        if !parameters.is_empty() {
            let mut all = std::mem::take(parameters);
            if let Some(Value::Map(before)) = last.remove("parameters") {
                let later = std::mem::replace(&mut all, before);
                later.into_iter().for_each(|(name, value)| _ = all.insert(name, value));
            }
            last.insert("parameters", all);
        }
    }

    /// Whether the last thing that the server said was an error.
    pub(super) fn has_error(&self) -> bool {
        let last = self.complete.last().and_then(Value::as_map);
        last.is_some_and(|result| result.get("error").is_some())
    }

    /// All results in the form of recordings.
    pub(super) fn response(&mut self) -> Map {
        if self.touched {
            self.complete();
        }
        let mut complete = std::mem::take(&mut self.complete);
        match (complete.len(), complete.pop()) {
            (1, Some(Value::Map(only))) => only,
            (_, None) => Map::new(),
            (_, Some(last)) => {
                complete.push(last);
                Map::from([("results", complete)])
            }
        }
    }
}
