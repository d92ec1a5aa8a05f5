//! A session of HTTP seen through gRPC: what goes up shows messages, what comes down is put into bodies.
//!
//! The session inside knows nothing of it, and what is not gRPC passes unchanged.

use super::message::{Part, Reading, is_unheard, path_of};
use super::protobuf::Schemas;
use crate::{Answer, Command, Event, Limits, Miss, Session, WireError};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Value};
use std::collections::HashMap;

/// The status of a call that no mock answers: clients do not try such a call again.
const INTERNAL: &str = "13";

/// See the module.
pub(crate) struct Lens {
    inner: Box<dyn Session>,
    limits: Limits,
    /// The calls that wait for their answer.
    calls: HashMap<ExchangeId, Call>,
}

struct Call {
    path: String,
    /// The content type of the request, in which it is answered.
    content_type: Value,
}

impl Lens {
    /// The session, seen through gRPC.
    pub(crate) fn over(inner: Box<dyn Session>, limits: Limits) -> Box<dyn Session> {
        Box::new(Lens { inner, limits, calls: HashMap::new() })
    }

    fn schemas(&self) -> &'static Schemas {
        self.limits.schemas.unwrap_or_else(Schemas::builtin)
    }

    fn reading<'a>(&self, path: &'a str, part: Part) -> Reading<'a> {
        Reading { schemas: self.schemas(), path, part }
    }

    /// Remembers a request, if it is a call.
    fn remember(&mut self, id: ExchangeId, request: &Map) {
        if let Some(path) = path_of(request) {
            let list = crate::http::fields::each(request.get("headers"));
            let content_type = list
                .into_iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
                .map_or(Value::Null, |(_, value)| value.clone());
            self.calls.insert(id, Call { path: path.to_owned(), content_type });
        }
    }

    fn show(&self, request: &mut Map, response: Option<&mut Map>) {
        let Some(path) = path_of(request).map(str::to_owned) else { return };
        self.reading(&path, Part::Request).show(request, self.limits.body);
        if let Some(response) = response {
            self.reading(&path, Part::Response).show(response, self.limits.body);
        }
    }

    fn up(&mut self, command: &mut Command) {
        match command {
            Command::Ask { id, request, .. } => {
                self.remember(*id, request);
                self.show(request, None);
            }
            Command::Emit { id, exchange } => {
                if !self.calls.is_empty() {
                    self.calls.remove(id);
                }
                self.show(&mut exchange.request, exchange.response.as_mut());
            }
            _ => {}
        }
    }

    /// What can be said to the beginning of a call that may become the recorded one `asked`: the answer
    /// with the turns in which it is given.
    fn beginning(&mut self, id: ExchangeId, asked: &Map, response: Map) -> Answer {
        let Some(call) = self.calls.remove(&id) else { return Answer::Incomplete };
        let answers = response.get("messages").and_then(Value::as_list).map_or(0, <[Value]>::len);
        let turns = turns(asked, answers);
        let hidden = self.reading(&call.path, Part::Response).hide(&response);
        let mut hidden = match hidden {
            Ok(hidden) => hidden.unwrap_or(response),
            Err(_) => return Answer::Incomplete,
        };
        hidden.insert("turns", Value::List(turns));
        if is_unheard(asked) {
            let messages = asked.get("messages").and_then(Value::as_list).map_or(0, <[Value]>::len);
            hidden.insert("open", messages);
        }
        Answer::Response(hidden)
    }

    fn answer(&mut self, id: ExchangeId, answer: Answer) -> Answer {
        let answer = match answer {
            Answer::Response(mut response) => match response.remove("asked") {
                Some(Value::Map(asked)) => return self.beginning(id, &asked, response),
                _ => Answer::Response(response),
            },
            answer => answer,
        };
        let call = match answer {
            Answer::Incomplete => {
                self.calls.remove(&id);
                return answer;
            }
            _ => match self.calls.remove(&id) {
                Some(call) => call,
                None => return answer,
            },
        };
        let hide = |response: Map| {
            let hidden = self.reading(&call.path, Part::Response).hide(&response);
            let hidden = hidden.map_err(|problem| format!("the mock is wrong: {problem}"));
            hidden.map(|hidden| hidden.unwrap_or(response))
        };
        let hidden = match answer {
            // The client gave it up before that: to end it now would be another answer.
            Answer::Response(response) if has_no_end(&response) => {
                hide(response).map(|response| Answer::Broken(response, Failure::TimedOut))
            }
            Answer::Response(response) => hide(response).map(Answer::Response),
            Answer::Broken(response, failure) => {
                hide(response).map(|response| Answer::Broken(response, failure))
            }
            Answer::Miss(Miss { message, .. }) => Err(message),
            other => Ok(other),
        };
        hidden.unwrap_or_else(|problem| Answer::Response(failed(call.content_type, &problem)))
    }
}

/// Whether a recorded answer was not told to its end, which is its status.
fn has_no_end(response: &Map) -> bool {
    response.get("messages").is_some() && response.get("grpc").is_none()
}

/// For each of so many answers, how many messages of a recorded request came before it.
fn turns(asked: &Map, answers: usize) -> Vec<Value> {
    let messages = asked.get("messages").and_then(Value::as_list).map_or(0, <[Value]>::len);
    let after = asked.get("after").and_then(Value::as_list).unwrap_or_default();
    let before = |place: usize| after.get(place).and_then(Value::as_i64).unwrap_or(0);
    let came = |answer: usize| {
        let answer = i64::try_from(answer).unwrap_or(i64::MAX);
        (0..messages).filter(|place| before(*place) <= answer).count()
    };
    (0..answers).map(|answer| Value::from(came(answer))).collect()
}

/// The answer of a call that fails on our side.
fn failed(content_type: Value, problem: &str) -> Map {
    let headers = Map::from([
        ("content-type", content_type),
        ("grpc-status", INTERNAL.into()),
        ("grpc-message", super::status::write_message(problem).into()),
    ]);
    Map::from([("status", Value::from(200u16)), ("headers", headers.into())])
}

/// Shows a recorded call anew by what is known of its messages since; `before` is what it is shown by.
pub(crate) fn reread(
    exchange: &mut Exchange,
    before: Option<&'static Schemas>,
    since: &'static Schemas,
    limit: usize,
) {
    let Some(path) = path_of(&exchange.request).map(str::to_owned) else { return };
    let before = before.unwrap_or_else(|| Schemas::builtin());
    let anew = |map: &mut Map, part| {
        let shown = Reading { schemas: before, path: &path, part };
        if let Ok(Some(mut hidden)) = shown.hide(map) {
            Reading { schemas: since, ..shown }.show(&mut hidden, limit);
            *map = hidden;
        }
    };
    anew(&mut exchange.request, Part::Request);
    if let Some(response) = &mut exchange.response {
        anew(response, Part::Response);
    }
}

impl Session for Lens {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        let before = out.len();
        let result = match event {
            Event::Answer { id, answer, at } => {
                let answer = self.answer(id, answer);
                self.inner.handle(Event::Answer { id, answer, at }, out)
            }
            Event::Request { id, request, recorded, at } => {
                let hidden = path_of(request)
                    .map_or(Ok(None), |path| self.reading(path, Part::Request).hide(request))
                    .map_err(crate::http::unwritable)?;
                let request = hidden.as_ref().unwrap_or(request);
                self.inner.handle(Event::Request { id, request, recorded, at }, out)
            }
            event => self.inner.handle(event, out),
        };
        out[before..].iter_mut().for_each(|command| self.up(command));
        result
    }
}
