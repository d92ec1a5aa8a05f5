//! Plays one side of a recorded conversation of messages, whatever its protocol.
//!
//! What the played side says next is due once all has come that the other side had said before it in
//! the recording. What comes is counted and not judged: a message that differs stands for the one in
//! its place, so that the conversation goes on and the difference is found by comparing. Names that
//! the other side has invented are said back to it as they are today.

use crate::Peer;
use crate::renaming::Renaming;
use rehearsal_model::{Map, Value, stream};
use std::collections::BTreeSet;

/// Messages of the other side that are kept beyond those recorded.
const EXTRA: usize = 1000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Script {
    plays: Peer,
    recorded: Vec<(Peer, Map)>,
    /// Everything above this one was said or has come.
    next: usize,
    /// How many of those that came stand above `next`.
    passed: usize,
    /// What the other side has said.
    came: Vec<Map>,
    /// What the played side has said.
    said: Vec<Map>,
    /// Everything of theirs above this one has its message of today.
    paired: usize,
    renaming: Renaming,
    /// Places of messages that were waited for in vain.
    gaps: BTreeSet<usize>,
    theirs: usize,
}

impl Script {
    /// The script of a recorded answer; what is no message in it is passed over.
    pub(crate) fn new(plays: Peer, response: &Map) -> Self {
        let recorded: Vec<(Peer, Map)> = stream::conversation(response)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_map)
            .filter_map(|message| Some((side(message)?, message.clone())))
            .collect();
        let theirs = recorded.iter().filter(|(by, _)| *by != plays).count();
        Script {
            plays,
            recorded,
            next: 0,
            passed: 0,
            came: Vec::new(),
            said: Vec::new(),
            paired: 0,
            renaming: Renaming::default(),
            gaps: BTreeSet::new(),
            theirs,
        }
    }

    /// What the played side says now; none when it waits or has said all.
    pub(crate) fn due(&mut self) -> Option<&Map> {
        while let Some((by, _)) = self.recorded.get(self.next) {
            if *by == self.plays {
                let (_, message) = self.recorded.get(self.next)?;
                self.said.push(self.renaming.apply(message).into_owned());
                self.next += 1;
                return self.said.last();
            }
            if self.passed == self.came.len() {
                return None;
            }
            self.passed += 1;
            self.next += 1;
        }
        None
    }

    /// The other side said something. False when it says too much.
    pub(crate) fn came(&mut self, message: Map) -> bool {
        while let Some((by, recorded)) = self.recorded.get(self.paired) {
            self.paired += 1;
            if *by != self.plays && !self.gaps.contains(&(self.paired - 1)) {
                self.renaming.learn(recorded, &message);
                break;
            }
        }
        self.came.push(message);
        self.came.len() <= self.theirs + EXTRA
    }

    /// Goes on as if what is waited for will not come.
    pub(crate) fn give_up_one(&mut self) {
        if self.next < self.recorded.len() {
            self.gaps.insert(self.next);
            self.next += 1;
        }
    }

    /// Whether both sides have said all that they did when this was recorded.
    pub(crate) fn is_complete(&self) -> bool {
        self.next == self.recorded.len()
    }

    /// What was said, in the order of the recording as far as each side kept its own: which of two
    /// that say something at the same time comes first is chance. What the played side says is there
    /// even where the other one has not let it come to that.
    pub(crate) fn transcript(&self) -> Value {
        let (mut came, mut told) = (self.came.iter(), self.said.iter());
        let mut out: Vec<Value> = Vec::with_capacity(self.recorded.len());
        for (place, (by, message)) in self.recorded.iter().enumerate() {
            let said = match *by == self.plays {
                true => Some(told.next().unwrap_or(message)),
                false if self.gaps.contains(&place) => None,
                false => came.next(),
            };
            out.extend(said.cloned().map(Value::Map));
        }
        out.extend(came.cloned().map(Value::Map));
        Value::List(out)
    }
}

/// Who said a message.
fn side(message: &Map) -> Option<Peer> {
    if message.get(stream::SENT).is_some() {
        return Some(Peer::Client);
    }
    if message.get(stream::RECEIVED).is_some() {
        return Some(Peer::Server);
    }
    match message.get(stream::CLOSED)?.as_map()?.text("by") {
        Some("client") => Some(Peer::Client),
        Some("server") => Some(Peer::Server),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::json;

    fn said(key: &str, what: &str) -> Map {
        Map::from([(key, what)])
    }

    fn script(plays: Peer, messages: &[(&str, &str)]) -> Script {
        let list = messages.iter().map(|(key, what)| Value::Map(said(key, what))).collect();
        Script::new(plays, &Map::from([(stream::CONVERSATION, Value::List(list))]))
    }

    fn due(script: &mut Script) -> Vec<String> {
        std::iter::from_fn(|| script.due().map(|it| it.text(stream::RECEIVED).unwrap().to_owned()))
            .collect()
    }

    const TALK: [(&str, &str); 5] =
        [("received", "hi"), ("sent", "a"), ("received", "A"), ("sent", "b"), ("received", "B")];

    #[test]
    fn what_follows_a_message_waits_for_it() {
        let mut script = script(Peer::Server, &TALK);
        assert_eq!(due(&mut script), ["hi"]);
        assert!(due(&mut script).is_empty());
        assert!(script.came(said("sent", "x")));
        assert_eq!(due(&mut script), ["A"]);
        assert!(script.came(said("sent", "b")) && !script.is_complete());
        assert_eq!(due(&mut script), ["B"]);
        assert!(script.is_complete());
        let wanted =
            r#"[{"received":"hi"},{"sent":"x"},{"received":"A"},{"sent":"b"},{"received":"B"}]"#;
        assert_eq!(json::to_string(&script.transcript()), wanted);
    }

    #[test]
    fn what_comes_early_counts_and_what_is_too_much_stands_last() {
        let mut script = script(Peer::Server, &TALK);
        ["a", "b", "c"].iter().for_each(|text| assert!(script.came(said("sent", text))));
        assert_eq!(due(&mut script), ["hi", "A", "B"]);
        let said = json::to_string(&script.transcript());
        assert!(said.ends_with(r#"{"received":"B"},{"sent":"c"}]"#), "{said}");
        let mut endless = (0..2000).take_while(|_| script.came(super::Map::new()));
        assert!(endless.by_ref().count() < 1100);
    }

    #[test]
    fn what_did_not_come_is_missing_alone() {
        let mut script = script(Peer::Client, &TALK);
        assert!(script.due().is_none());
        let left = json::to_string(&script.transcript());
        assert_eq!(left, r#"[{"sent":"a"},{"sent":"b"}]"#);
        script.give_up_one();
        assert_eq!(script.due().and_then(|it| it.text("sent")), Some("a"));
        script.came(said("received", "A"));
        assert_eq!(script.due().and_then(|it| it.text("sent")), Some("b"));
        script.came(said("received", "B"));
        assert!(script.due().is_none() && script.is_complete());
        let without_greeting = r#"[{"sent":"a"},{"received":"A"},{"sent":"b"},{"received":"B"}]"#;
        assert_eq!(json::to_string(&script.transcript()), without_greeting);
    }
}
