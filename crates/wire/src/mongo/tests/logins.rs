//! Who is let in by a played server, and what it says when it is not.

use super::*;
use crate::Session;
use std::sync::Arc;

/// What a responder that knows some words says to these commands; the recording has `answer` for
/// whoever was let in.
fn told(words: &[&str], commands: &[&str], answer: &str) -> Vec<String> {
    let words: Arc<[String]> = words.iter().map(|word| (*word).to_owned()).collect();
    let mut session = Mongo.responder_knowing(Limits::default(), &words);
    let mut sent = Vec::new();
    for (id, text) in (1..).zip(commands) {
        give(&mut *session, asks(id, text), answer, &mut sent);
    }
    documents(&sent)
}

fn give(session: &mut dyn Session, (from, bytes): Line, answer: &str, sent: &mut Vec<Vec<u8>>) {
    let mut out = Vec::new();
    session.handle(Event::Data { from, bytes: &bytes, at: Moment(1) }, &mut out).unwrap();
    while let Some(command) = out.pop() {
        match command {
            Command::Send { bytes, .. } => sent.push(bytes.to_vec()),
            Command::Ask { id, request, .. } => {
                assert_eq!(request, map(r#"{"mongodb":"authenticate admin"}"#));
                let answer = Answer::Response(map(answer));
                session.handle(Event::Answer { id, answer, at: Moment(2) }, &mut out).unwrap();
            }
            other => panic!("a responder does not say {other:?}"),
        }
    }
}

fn start(mechanism: &str, payload: &[u8]) -> String {
    let payload = json::to_string(&bson::binary(payload));
    format!(
        r#"{{"saslStart":1,"mechanism":"{mechanism}","payload":{payload},"options":{{"skipEmptyExchange":true}},"$db":"admin"}}"#
    )
}

#[test]
fn mechanisms_that_prove_nothing_to_the_client_let_it_in() {
    let done = r#"{"conversationId":1,"done":true,"payload":{"$binary":{"base64":"","subType":"00"}},"ok":1.0}"#;
    for mechanism in ["PLAIN", "MONGODB-OIDC", "MONGODB-X509"] {
        assert_eq!(told(&[], &[&start(mechanism, b"x")], "{}"), [done]);
    }
    let certificate =
        r#"{"authenticate":1,"mechanism":"MONGODB-X509","user":"CN=a","$db":"admin"}"#;
    assert_eq!(told(&[], &[certificate], "{}"), [r#"{"user":"CN=a","ok":1.0}"#]);
}

#[test]
fn a_login_that_failed_fails_again() {
    let failed = r#"{"error":{"errmsg":"no","code":18}}"#;
    let said = told(&[], &[&start("PLAIN", b"x")], failed);
    assert_eq!(said, [r#"{"ok":0.0,"errmsg":"no","code":18}"#]);
}

#[test]
fn whoever_cannot_be_let_in_is_told_why() {
    let last = r#"{"saslContinue":1,"conversationId":1,"payload":{"$binary":{"base64":"Yz1iaXdzLHI9YWJjLHA9QUFBQQ==","subType":"00"}},"$db":"admin"}"#;
    let scram = start("SCRAM-SHA-256", b"n,,n=u,r=abc");
    for (commands, why) in [
        (&[scram.as_str(), last][..], "is in no variable of the app's environment"),
        (&[&start("MONGODB-AWS", b"x")], "this mechanism is not played"),
        (&[&start("SCRAM-SHA-1", b"x")], "no first message of SCRAM"),
        (&[last], "there is no conversation"),
    ] {
        let said = told(&["pencil"], commands, "{}");
        let last = said.last().unwrap();
        assert!(last.contains(why) && last.contains("AuthenticationFailed"), "{last}");
    }
}
