//! Plays the server while a client says who it is: anybody is let in who can be.
//!
//! Whether it was let in when it was recorded is for the recording to say; what was said stays out of
//! it. Mechanisms whose server half needs a secret that the app does not have are refused.

use super::bson;
use super::message::Said;
use super::reply;
use super::scram::{Hash, Scram};
use rehearsal_model::{Map, Value};

/// How far a client has come.
#[derive(Debug, Default)]
pub(super) enum Login {
    #[default]
    Nothing,
    /// SCRAM has begun; whether an empty message follows the last one.
    Begun(Scram, bool),
    /// The client has to be told once more that it is in.
    Told,
}

/// What a client is told.
#[derive(Debug)]
pub(super) enum Step {
    /// This, and more is to come.
    On(Value),
    /// This, if the recording says that it was let in.
    In(Value),
    /// This: it is not.
    Out(Value),
}

impl Login {
    /// Takes a message of a conversation about who the client is.
    pub(super) fn take(&mut self, name: &str, said: &Said, words: &[String]) -> Step {
        let document = &said.document;
        let payload = document.get("payload").and_then(bson::bytes);
        let payload = payload.and_then(|payload| String::from_utf8(payload).ok());
        let payload = payload.unwrap_or_default();
        match (name, std::mem::take(self)) {
            ("authenticate", _) => {
                let kept = ["user", "dbname"].map(|key| (key, document.get(key).cloned()));
                let kept = kept.into_iter().filter_map(|(key, value)| Some((key, value?)));
                Step::In(reply::done(kept.collect()))
            }
            ("saslStart", _) => self.start(document, &payload),
            (_, Login::Begun(scram, empty_follows)) => match scram.finish(&payload, words) {
                Some(last) if empty_follows => {
                    *self = Login::Told;
                    Step::On(message(&last, false))
                }
                Some(last) => Step::In(message(&last, true)),
                None => Step::Out(refusal(
                    "rehearsal: the password of this client is in no variable of the app's \
                     environment and no word of its command; give it in one of them",
                )),
            },
            (_, Login::Told) => Step::In(message("", true)),
            (_, Login::Nothing) => Step::Out(refusal("rehearsal: there is no conversation")),
        }
    }

    fn start(&mut self, document: &Map, payload: &str) -> Step {
        let hash = match document.text("mechanism") {
            Some("SCRAM-SHA-1") => Hash::Sha1,
            Some("SCRAM-SHA-256") => Hash::Sha256,
            // What these send is not checked here, and the server has nothing to say.
            Some("MONGODB-X509" | "MONGODB-OIDC" | "PLAIN") => return Step::In(message("", true)),
            _ => return Step::Out(refusal("rehearsal: this mechanism is not played")),
        };
        let options = document.get("options").and_then(Value::as_map);
        let skips = options.and_then(|options| options.get("skipEmptyExchange"));
        let Some((scram, first)) = Scram::begin(hash, payload) else {
            return Step::Out(refusal("rehearsal: this is no first message of SCRAM"));
        };
        *self = Login::Begun(scram, skips != Some(&Value::Bool(true)));
        Step::On(message(&first, false))
    }
}

fn refusal(why: &str) -> Value {
    reply::refusal(18, "AuthenticationFailed", why)
}

fn message(payload: &str, done: bool) -> Value {
    let mut map = Map::from([("conversationId", 1)]);
    map.push_new("done", done);
    map.push_new("payload", bson::binary(payload.as_bytes()));
    reply::done(map)
}
