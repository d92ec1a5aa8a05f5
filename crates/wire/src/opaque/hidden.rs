//! Where secrets are in what a client sends: said by a session, and used by the search for secrets.
//!
//! Which bytes they are is known only to who has followed the conversation. So a session says it in the
//! request, and it is taken out of there together with them, before anything is written or compared.

use rehearsal_model::{Map, Value};
use std::ops::Range;

/// The key under which it is said: a list of first and last places, by turns. In no file.
const KEY: &str = "hidden";

/// The name that such secrets go by.
const NAME: &str = "password";

/// Says in a request where its secrets are.
pub(super) fn mark(request: &mut Map, hidden: &[Range<usize>]) {
    if hidden.is_empty() || request.get("send").is_none() {
        return;
    }
    let places = hidden.iter().flat_map(|range| [range.start, range.end]);
    request.push_new(KEY, Value::List(places.map(|place| Value::from(place as u64)).collect()));
}

/// Has the secrets of a request changed, and takes out where they are.
pub(super) fn change(request: &mut Map, change: &mut dyn FnMut(&str, &str) -> Option<String>) {
    let Some(Value::List(places)) = request.remove(KEY) else { return };
    let Some(send) = request.get("send").and_then(Value::as_bytes) else { return };
    let place = |value: &Value| value.as_i64().and_then(|place| usize::try_from(place).ok());
    let (mut changed, mut done) = (Vec::with_capacity(send.len()), 0);
    for pair in places.chunks_exact(2) {
        let (Some(start), Some(end)) = (place(&pair[0]), place(&pair[1])) else { continue };
        let Some((before, secret)) = send.get(done..start).zip(send.get(start..end)) else {
            continue;
        };
        changed.extend_from_slice(before);
        match change(NAME, &String::from_utf8_lossy(secret)) {
            Some(placeholder) => changed.extend_from_slice(placeholder.as_bytes()),
            None => changed.extend_from_slice(secret),
        }
        done = end;
    }
    changed.extend_from_slice(&send[done..]);
    request.insert("send", Value::from_bytes(&changed));
}
