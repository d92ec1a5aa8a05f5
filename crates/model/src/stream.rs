//! Exchanges that are made of messages both ways: WebSocket, streams of RPC.
//!
//! Their answer has, under [`CONVERSATION`], everything that was said in the order in which it was seen:
//! a list of maps each of which has [`SENT`] (by the client), [`RECEIVED`] (by the client) or
//! [`CLOSED`], beside keys of the protocol's own. What messages hold is the protocol's business.

use crate::{Map, Role, Value};

/// The key of the list in the answer.
pub const CONVERSATION: &str = "conversation";
/// The key of a message that the client sent.
pub const SENT: &str = "sent";
/// The key of a message that the client received.
pub const RECEIVED: &str = "received";
/// The key of an end: a map whose `by` is `client` or `server`. A conversation without one was still
/// open when the recording ended.
pub const CLOSED: &str = "closed";

/// The messages of an answer, when its exchange is made of such.
#[must_use]
pub fn conversation(response: &Map) -> Option<&[Value]> {
    response.get(CONVERSATION).and_then(Value::as_list)
}

/// Takes out the ends by the app's side: it was us who ended the app.
pub fn leave_open(response: &mut Map, app_is: Role) {
    let app = match app_is {
        Role::Inbound => "server",
        Role::Outbound => "client",
    };
    let by_app = |message: &Value| {
        let closed = message.as_map().and_then(|message| message.get(CLOSED)?.as_map());
        closed.is_some_and(|closed| closed.text("by") == Some(app))
    };
    if let Some(Value::List(messages)) = response.get_mut(CONVERSATION) {
        messages.retain(|message| !by_app(message));
    }
}

/// An answer without what the client says in it.
#[must_use]
pub fn without_sent(response: &Map) -> Map {
    let mut told = response.clone();
    if let Some(Value::List(messages)) = told.get_mut(CONVERSATION) {
        messages.retain(|message| message.as_map().is_none_or(|it| it.get(SENT).is_none()));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Map {
        let closed = |by: &str| Value::Map(Map::from([(CLOSED, Map::from([("by", by)]))]));
        let said = |key: &str| Value::Map(Map::from([(key, "x")]));
        let list = vec![said(SENT), said(RECEIVED), closed("server"), closed("client")];
        Map::from([(CONVERSATION, Value::List(list))])
    }

    #[test]
    fn the_end_that_we_made_is_left_out() {
        for (role, left) in [(Role::Inbound, "client"), (Role::Outbound, "server")] {
            let mut response = answer();
            leave_open(&mut response, role);
            let messages = conversation(&response).unwrap();
            let last = messages[2].as_map().unwrap().get(CLOSED).unwrap().as_map().unwrap();
            assert_eq!((messages.len(), last.text("by")), (3, Some(left)));
        }
    }

    #[test]
    fn what_the_client_says_is_not_told_to_it() {
        assert_eq!(conversation(&without_sent(&answer())).unwrap().len(), 3);
        assert_eq!(conversation(&Map::new()), None);
    }
}
