//! What is told of a test beside its verdict: put together when it is over, and bounded.
//!
//! Nothing here judges. Messages are those that were compared, without secrets; a part that is too
//! large is cut, and says so.

use crate::shelf::Shelf;
use crate::stage::{Seen, Time};
use rehearsal_model::{CallTime, Evidence, Exchange, Finding, Map, Message, TestCase, Value};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Calls of which the times are told.
pub(crate) const MOST_STEPS: usize = 200;
/// Messages of one test.
const MOST_MESSAGES: usize = 20;
/// What is kept of one message, in bytes, roughly.
const LARGEST: usize = 8 << 10;
/// Lines of the log of a test that failed, and of one that passed.
const LOG: (usize, usize) = (40, 5);
/// The longest line of the log of a test that passed, in characters.
const SHORT: usize = 160;

/// The parts of a test that is over.
pub(crate) struct Over<'a> {
    pub(crate) test: &'a TestCase,
    pub(crate) shelf: &'a Shelf,
    pub(crate) seen: Seen,
    /// What the app answered.
    pub(crate) answer: Option<Map>,
    pub(crate) findings: &'a [Finding],
}

impl Over<'_> {
    /// How many lines of the log are wanted.
    pub(crate) fn log_lines(&self) -> usize {
        if self.findings.is_empty() { LOG.1 } else { LOG.0 }
    }

    /// All that is told; `log` is the last lines that the app wrote, and how many there were.
    pub(crate) fn evidence(self, (log, log_lines): (Vec<String>, usize)) -> Evidence {
        let passed = self.findings.is_empty();
        let line = |line: String| {
            if passed { line.chars().take(SHORT).collect() } else { line }
        };
        let messages = if passed { Vec::new() } else { self.messages() };
        let took = self.test.exchange.finished.since(self.test.exchange.started);
        Evidence {
            command: self.command(),
            recorded_ms: (took > Duration::ZERO).then(|| ms(took)),
            steps: self.steps(),
            messages,
            log: log.into_iter().map(line).collect(),
            log_lines,
        }
    }

    fn command(&self) -> Option<String> {
        let edge = self.shelf.edges.iter().find(|edge| edge.name == self.test.edge)?;
        let address: SocketAddr = edge.addresses.iter().find_map(|one| one.parse().ok())?;
        let address = match (address.ip().is_unspecified(), address.is_ipv4()) {
            (true, true) => format!("127.0.0.1:{}", address.port()),
            (true, false) => format!("[::1]:{}", address.port()),
            (false, _) => address.to_string(),
        };
        let to = (edge.tls.is_spoken(), address.as_str());
        edge.protocol().facets().by_hand(&self.test.exchange.request, to)
    }

    fn steps(&self) -> Vec<CallTime> {
        let came: HashMap<u32, Time> = self.seen.calls.iter().copied().collect();
        let own = (0..).zip(&self.test.calls).map(|(index, call)| {
            let time = came.get(&index);
            CallTime {
                call: Some(index as usize + 1),
                edge: call.edge.to_string(),
                operation: self.shelf.operation(&call.edge, &call.exchange.request),
                came_ms: time.map(|time| ms(time.came)),
                took_ms: time.map(|time| ms(time.took)),
                ..CallTime::default()
            }
        });
        let surplus = self.seen.surplus.iter().map(|(edge, operation, time)| CallTime {
            edge: edge.clone(),
            operation: operation.clone(),
            came_ms: Some(ms(time.came)),
            took_ms: Some(ms(time.took)),
            ..CallTime::default()
        });
        own.take(MOST_STEPS).chain(surplus).collect()
    }

    /// What was said wherever something differs, after the request that began it.
    fn messages(&self) -> Vec<Message> {
        let Over { test, shelf, .. } = self;
        let name = shelf.operation(&test.edge, &test.exchange.request);
        let mut out = vec![message("request", &name, Some(&test.exchange.request), None)];
        for finding in self.findings {
            match finding {
                Finding::Response { .. } => {
                    let recorded = test.exchange.response.as_ref();
                    out.push(message("response", "the answer", recorded, self.answer.as_ref()));
                }
                Finding::CallDiffers { call, .. } => out.extend(self.call(*call)),
                Finding::CallUnexpected { edge, operation, request, .. } => {
                    let title = format!("{edge} · {operation}");
                    out.push(message("call", &title, None, Some(request)));
                }
                Finding::CallMultiplied { edge, operation, requests, .. } => {
                    let title = format!("{edge} · {operation}");
                    let each = requests.iter().take(1);
                    out.extend(each.map(|request| message("call", &title, None, Some(request))));
                }
                Finding::CallMissing { edge, operation, request, call, .. } => {
                    let place = format!("calls[{}].request", call.saturating_sub(1));
                    out.push(message(
                        &place,
                        &format!("{edge} · {operation}"),
                        Some(request),
                        None,
                    ));
                }
                _ => {}
            }
        }
        out.truncate(MOST_MESSAGES);
        out
    }

    /// What a call of the test was and came to be, and how it was answered.
    fn call(&self, number: usize) -> Vec<Message> {
        let index = number.saturating_sub(1);
        let Some(call) = self.test.calls.get(index) else { return Vec::new() };
        let Exchange { request, response, .. } = &call.exchange;
        let title = format!("{} · {}", call.edge, self.shelf.operation(&call.edge, request));
        let mut came = self.seen.differing.iter();
        let came = came.find(|(known, _)| *known as usize == index).map(|(_, request)| request);
        let asked = message(&format!("calls[{index}].request"), &title, Some(request), came);
        let answered = response.as_ref().map(|response| {
            message(&format!("calls[{index}].response"), &title, Some(response), None)
        });
        [asked].into_iter().chain(answered).collect()
    }
}

fn message(place: &str, title: &str, recorded: Option<&Map>, actual: Option<&Map>) -> Message {
    let mut cut = false;
    let mut kept = |map: Option<&Map>| {
        map.map_or(Value::Null, |map| {
            let mut knife = Knife { left: LARGEST, cut: false };
            let kept = knife.map(map);
            cut |= knife.cut;
            Value::Map(kept)
        })
    };
    let (recorded, actual) = (kept(recorded), kept(actual));
    Message { place: place.to_owned(), title: title.to_owned(), recorded, actual, cut }
}

/// Copies as much of a value as there is room for.
struct Knife {
    left: usize,
    cut: bool,
}

impl Knife {
    fn takes(&mut self, size: usize) -> bool {
        let fits = size <= self.left;
        self.left = self.left.saturating_sub(size);
        self.cut |= !fits;
        fits
    }

    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Text(text) => {
                let room = self.left;
                if self.takes(text.len()) {
                    return value.clone();
                }
                let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
                format!("{}… ({} bytes more)", &text[..end], text.len() - end).into()
            }
            Value::Bytes(bytes) => {
                let room = self.left;
                match self.takes(bytes.len()) {
                    true => value.clone(),
                    false => Value::Bytes(bytes[..room.min(bytes.len())].to_vec()),
                }
            }
            Value::List(list) => {
                let mut kept = Vec::new();
                for (place, item) in list.iter().enumerate() {
                    if !self.takes(1) {
                        kept.push(format!("… ({} items more)", list.len() - place).into());
                        break;
                    }
                    kept.push(self.value(item));
                }
                Value::List(kept)
            }
            Value::Map(map) => Value::Map(self.map(map)),
            Value::Number(number) => {
                self.left = self.left.saturating_sub(number.as_str().len());
                value.clone()
            }
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn map(&mut self, map: &Map) -> Map {
        let mut kept = Map::new();
        for (place, (key, value)) in map.iter().enumerate() {
            if !self.takes(key.len() + 1) {
                kept.insert("…", format!("{} keys more", map.len() - place));
                break;
            }
            let value = self.value(value);
            kept.push_new(key, value);
        }
        kept
    }
}

/// Milliseconds with three digits, so that events are short.
fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::json;

    #[track_caller]
    fn check(room: usize, text: &str, kept: &str) {
        let value = json::parse(text).unwrap();
        let mut knife = Knife { left: room, cut: false };
        assert_eq!(json::to_string(&knife.value(&value)), kept);
        assert_eq!(knife.cut, text != kept);
    }

    #[test]
    fn what_is_too_large_is_cut_and_says_so() {
        let text = r#"{"a":"größe","b":[1,2,3],"c":null}"#;
        check(100, text, text);
        check(5, text, r#"{"a":"gr… (5 bytes more)","…":"2 keys more"}"#);
        check(13, text, r#"{"a":"größe","b":[1,"… (2 items more)"],"…":"1 keys more"}"#);
    }
}
