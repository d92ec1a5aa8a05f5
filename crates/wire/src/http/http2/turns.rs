//! Who has said how much on a stream of gRPC, whose two sides may talk in turns.
//!
//! Messages are counted, not read. A request says under `after` how many answers had come when each of
//! its messages was sent, unless that is none each time; under `open` that its client never ended it;
//! and under `cancelled` after how many answers, or after the head of them, the client gave it up.

use crate::grpc::{Counter, is_call};
use crate::http::fields::each;
use crate::http::head::Head;
use rehearsal_model::{Map, Value};

/// In place of a number of answers: none, but their head.
const HEADERS: &str = "headers";

/// How many messages of a stream are told apart.
const MOST: usize = 1 << 16;

/// What both sides have said.
#[derive(Debug, Default)]
pub(super) struct Turns {
    asked: Counter,
    said: Counter,
    /// For each message of the client, how many the server had sent.
    before: Vec<usize>,
}

impl Turns {
    /// Of a stream with this request, if it is one of gRPC.
    pub(super) fn of(head: &Head) -> Option<Self> {
        is_call_of(head).then(Turns::default)
    }

    pub(super) fn client(&mut self, bytes: &[u8]) {
        let complete = self.asked.push(bytes).min(MOST);
        self.before.resize(complete, self.said.complete());
    }

    pub(super) fn server(&mut self, bytes: &[u8]) {
        self.said.push(bytes);
    }

    /// Notes in a request what is not as usual. `cancelled` says of a call that was given up whether the
    /// head of its answer had come.
    pub(super) fn record(&self, open: bool, cancelled: Option<bool>, request: &mut Map) {
        if self.before.iter().any(|count| *count > 0) {
            let list: Vec<Value> = self.before.iter().map(|count| Value::from(*count)).collect();
            request.push_new("after", Value::List(list));
        }
        if open {
            request.push_new("open", true);
        }
        match (cancelled, self.said.complete()) {
            (None, _) => {}
            (Some(true), 0) => request.push_new("cancelled", HEADERS),
            (Some(_), count) => request.push_new("cancelled", count),
        }
    }
}

/// Whether a request is a call of gRPC.
pub(super) fn is_call_of(head: &Head) -> bool {
    let kind = head.fields.iter().find(|(name, _)| name == "content-type");
    kind.and_then(|(_, value)| value.as_text()).is_some_and(is_call)
}

/// The order of a request to be sent.
#[derive(Debug)]
pub(super) struct Order {
    /// For each message, how many answers have to come before it is sent.
    pub(super) after: Vec<usize>,
    /// The request has no end.
    pub(super) open: bool,
    /// After how many answers the call is given up; `None` in it is before their head.
    pub(super) cancelled: Option<Option<usize>>,
}

impl Order {
    /// Of a recorded request, if it is not simply sent.
    pub(super) fn of(request: &Map) -> Option<Self> {
        let fields = each(request.get("headers"));
        let kind = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        kind.and_then(|(_, value)| value.as_text()).filter(|kind| is_call(kind))?;
        let number = |value: &Value| value.as_i64().and_then(|it| usize::try_from(it).ok());
        let after = request.get("after").and_then(Value::as_list).unwrap_or_default();
        let after: Vec<usize> = after.iter().filter_map(number).collect();
        let open = request.get("open") == Some(&Value::Bool(true));
        let cancelled = request.get("cancelled").map(|count| match count.as_text() {
            Some(_) => Some(0),
            None => number(count).filter(|count| *count > 0),
        });
        let plain = after.is_empty() && !open && cancelled.is_none();
        (!plain).then_some(Order { after, open, cancelled })
    }
}
