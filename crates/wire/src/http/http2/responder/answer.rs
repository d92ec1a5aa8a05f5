//! What a stream is answered: a response, a failure, or a problem that says why there is none.

use super::Responder;
use super::stream::Progress;
use super::talk::SO_FAR;
use super::tunnel::conversation;
use crate::http::endless;
use crate::http::head::Method;
use crate::http::http2::script::Script;
use crate::http::http2::sender::{After, INTERNAL_ERROR};
use crate::http::http2::write;
use crate::http::responder::problem;
use crate::{Answer, Command, WireError};
use rehearsal_model::{ExchangeId, Failure, Map, Moment, ResetCode, Value};

impl Responder {
    pub(super) fn answer(
        &mut self,
        id: ExchangeId,
        answer: Answer,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if id.0 & SO_FAR != 0 {
            self.begin_answer(u32::try_from(id.0 ^ SO_FAR).unwrap_or(0), answer, out);
            return Ok(());
        }
        let number = u32::try_from(id.0).unwrap_or(0);
        // A stream that its client has given up is not answered.
        let Some(stream) = self.streams.get_mut(number) else { return Ok(()) };
        if answer == Answer::Failure(Failure::TimedOut) {
            stream.progress = Progress::Silent;
        } else if let Some(response) = conversation(stream, &answer) {
            self.converse(number, response, at, out)?;
        } else if let Some(stream) = self.streams.remove(number) {
            let script = stream.talk.and_then(|talk| talk.script);
            self.say(number, stream.method, script, answer)?;
        }
        self.settle(out);
        Ok(())
    }

    fn say(
        &mut self,
        stream: u32,
        method: Method,
        script: Option<Script>,
        answer: Answer,
    ) -> Result<(), WireError> {
        let (response, after) = match answer {
            Answer::Response(response) if endless::is_endless(&response) => {
                (response, After::Silence)
            }
            Answer::Response(response) => (response, After::End),
            Answer::Miss(miss) => (problem(502, miss.message, miss.details), After::End),
            Answer::Failure(Failure::UnheardBy(code))
            | Answer::Broken(_, Failure::UnheardBy(code)) => {
                self.hear_no_more(stream, code);
                return Ok(());
            }
            Answer::Failure(failure) => {
                match after(failure) {
                    After::Close(code) => self.line.sender.closes = Some(code),
                    After::Reset(code) => self.line.sender.reset(stream, code),
                    After::End | After::Silence | After::More => {}
                }
                return Ok(());
            }
            Answer::Broken(response, failure) => (response, after(failure)),
            Answer::Incomplete => {
                let message = "no mock answers this request, which is complete";
                (problem(502, message.to_owned(), Value::Null), After::End)
            }
        };
        match write::response(&response, method, after != After::End) {
            Ok(outgoing) => match script {
                Some(script) => script.finish(stream, outgoing, after, &mut self.line.sender),
                None => self.line.sender.say(stream, outgoing, after),
            },
            Err(error) => {
                let problem = wrong(&error);
                let outgoing = write::response(&problem, method, false)?;
                self.line.sender.say(stream, outgoing, After::End);
            }
        }
        Ok(())
    }

    /// Says of a stream that it was not heard, nor any above it, and why (RFC 9113, section 6.8): clients may
    /// ask for it again on another connection.
    fn hear_no_more(&mut self, stream: u32, code: ResetCode) {
        let last = stream.saturating_sub(2);
        if self.deaf.is_none_or(|told| told > last) {
            self.deaf = Some(last);
            self.line.sender.go_away(last, code.0, "");
        }
        self.line.sender.forget(stream);
    }
}

/// What says that a mock cannot be served.
pub(super) fn wrong(error: &WireError) -> Map {
    problem(502, format!("the mock is wrong: {error}"), Value::Null)
}

fn after(failure: Failure) -> After {
    match failure {
        Failure::Closed => After::Close(0),
        Failure::ClosedBy(code) | Failure::UnheardBy(code) => After::Close(code.0),
        Failure::TimedOut => After::Silence,
        Failure::Refused | Failure::Unreachable | Failure::Reset => After::Reset(INTERNAL_ERROR),
        Failure::ResetBy(code) => After::Reset(code.0),
    }
}
