//! Calls of gRPC that are answered while they are still being said.

use super::Responder;
use super::stream::Progress;
use crate::grpc::Counter;
use crate::http::fields;
use crate::http::head::Method;
use crate::http::http2::script::Script;
use crate::http::http2::write;
use crate::{Answer, Command};
use rehearsal_model::{ExchangeId, Map, Value};

/// The mark of the numbers by which it is asked how a request goes on, and not for its answer.
pub(super) const SO_FAR: u64 = 1 << 40;

/// Up to how many messages it is asked at each of them; then at those that are waited for.
const EACH: usize = 16;

/// A call of gRPC, which may be answered while it is still being said.
#[derive(Default)]
pub(super) struct Talk {
    pub(super) messages: Counter,
    /// Of how many messages it was last asked what to say.
    pub(super) asked: Option<usize>,
    /// What was asked is not answered: until then nobody knows whether the call is heard to its end.
    pub(super) waits: bool,
    /// It was answered by a recorded call.
    pub(super) known: bool,
    pub(super) script: Option<Script>,
    /// After how many messages the recorded call was over without being ended: what else the client says
    /// is not heard, and so no part of the call.
    pub(super) open: Option<usize>,
}

impl Talk {
    /// Whether the call is over unheard.
    fn is_over(&self) -> bool {
        !self.waits && self.open.is_some_and(|count| self.asked >= Some(count))
    }

    /// After how many messages the call is known to be over unheard.
    pub(super) fn heard(&self) -> Option<usize> {
        self.open.filter(|_| self.known && self.is_over())
    }

    /// Of how many messages it is to be asked what to say, when something may be due; `whole` when no more
    /// will come.
    fn to_ask(&self, whole: bool) -> Option<usize> {
        let came = self.messages.complete();
        let due = self.script.as_ref().and_then(Script::next_due);
        // The call may be another one yet than that which is over after so many.
        let open = self.open.filter(|count| *count <= came && self.asked < Some(*count));
        let next = !whole && self.asked != Some(came) && (came <= EACH || due == Some(came));
        open.or(next.then_some(came)).filter(|_| !self.waits)
    }

    /// Takes what the call may become.
    fn begin(&mut self, response: &Map, method: Method) {
        let count = |value: &Value| value.as_i64().and_then(|it| usize::try_from(it).ok());
        self.open = response.get("open").and_then(count);
        let after = response.get("turns").and_then(Value::as_list).unwrap_or_default();
        let after = after.iter().filter_map(count).collect();
        // Of a call that failed there is nothing to say.
        let Ok(outgoing) = write::response(response, method, true) else { return };
        // A head that has the status is all there is of an answer.
        let fields = fields::each(response.get("headers"));
        let eager = fields.iter().all(|(name, _)| *name != "grpc-status");
        self.script = Some(Script::of_response(outgoing, eager, after, self.script.take()));
    }
}

impl Responder {
    /// Asks how a call goes on of which so much has come, when something may be due.
    pub(super) fn ask_so_far(&mut self, number: u32, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(number) else { return };
        let (Progress::Coming(half), Some(talk)) = (&stream.progress, &mut stream.talk) else {
            return;
        };
        let Some(count) = talk.to_ask(half.last) else { return };
        let mut half = half.clone();
        half.shorten(count);
        let Some(mut request) = half.request(self.limits) else { return };
        (talk.asked, talk.waits) = (Some(count), true);
        request.push_new("so-far", true);
        let id = ExchangeId(u64::from(number) | SO_FAR);
        out.push(Command::Ask { id, request, at: stream.started });
    }

    /// Takes what a call may become, and says what of its answer is due.
    pub(super) fn begin_answer(&mut self, number: u32, answer: Answer, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(number) else { return };
        let Some(talk) = &mut stream.talk else { return };
        talk.waits = false;
        talk.known = matches!(answer, Answer::Response(_));
        if let Answer::Response(response) = answer {
            talk.begin(&response, stream.method);
        }
        self.go_on(number, out);
        // More may have come while it was asked.
        self.ask_so_far(number, out);
        self.ask(number, false, out);
        self.settle(out);
    }

    /// Says what is due of an answer; asks for the answer to a call that is never ended.
    pub(super) fn go_on(&mut self, number: u32, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(number) else { return };
        let Some(talk) = &mut stream.talk else { return };
        let came = talk.messages.complete();
        if let (Some(script), Progress::Coming(_)) = (&mut talk.script, &stream.progress) {
            script.go_on(number, came, &mut self.line.sender);
        }
        if talk.is_over() {
            self.ask(number, true, out);
        }
    }
}
