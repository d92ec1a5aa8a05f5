//! Which tests need which earlier ones, as far as the recording shows it: a test that says what only the
//! app's answer to an earlier one told its client is part of a conversation.
//!
//! What the app remembers without saying it cannot be seen here.

use rehearsal_compare::invented;
use rehearsal_model::{Map, TestCase, TestId, Value, secret};
use rehearsal_store::StoreError;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Of each test, the places of those that it needs. `read` gives a test; its calls do not matter.
///
/// # Errors
/// When a test cannot be read.
pub(crate) fn needs(
    tests: &[TestId],
    read: impl Fn(TestId) -> Result<TestCase, StoreError>,
) -> Result<Vec<Vec<usize>>, StoreError> {
    // Who told a word first; nobody, when that was a client.
    let mut told: HashMap<String, Option<usize>> = HashMap::new();
    let mut all = Vec::with_capacity(tests.len());
    for (place, id) in tests.iter().enumerate() {
        let test = read(*id)?;
        let mut needs: BTreeSet<usize> = BTreeSet::new();
        for word in words(&test.exchange.request) {
            needs.extend(told.entry(word).or_insert(None).iter());
        }
        for word in test.exchange.response.iter().flat_map(words) {
            told.entry(word).or_insert(Some(place));
        }
        all.push(needs.into_iter().collect());
    }
    Ok(all)
}

/// What looks invented in a message, and what stands for secrets.
fn words(message: &Map) -> HashSet<String> {
    let mut words = invented(message);
    message.iter().for_each(|(_, value)| secrets(value, &mut words));
    words
}

fn secrets(value: &Value, words: &mut HashSet<String>) {
    match value {
        Value::Text(text) => {
            let mut rest = text.as_str();
            while let Some(found) = secret::find(rest) {
                words.insert(rest[found.clone()].to_owned());
                rest = &rest[found.end..];
            }
        }
        Value::List(list) => list.iter().for_each(|value| secrets(value, words)),
        Value::Map(map) => map.iter().for_each(|(_, value)| secrets(value, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Bytes(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{EdgeName, Exchange, Timestamp};

    #[track_caller]
    fn check(said: &[(&str, &str)], expected: &[&[usize]]) {
        let ids: Vec<TestId> = (1..).map(TestId).take(said.len()).collect();
        let read = |id: TestId| {
            let (request, response) = said[id.0 as usize - 1];
            let exchange = Exchange {
                request: Map::from([("http", request)]),
                response: Some(Map::from([("body", response)])),
                ..Exchange::default()
            };
            let (name, edge) = (String::new(), EdgeName::new("inbound"));
            let (calls, noise, during) = (Vec::new(), Vec::new(), Vec::new());
            Ok(TestCase { id, name, at: Timestamp(0), edge, exchange, calls, noise, during })
        };
        assert_eq!(needs(&ids, read).unwrap(), expected);
    }

    #[test]
    fn a_test_needs_the_one_that_told_what_it_says() {
        let id = "0b54b4a5-1c1e-4b6f-9a50-0d3f6b9c2a11";
        let get = format!("GET /carts/{id}");
        check(&[("POST /carts", id), ("GET /health", "ok"), (&get, id)], &[&[], &[], &[0]]);
        // The client knew it before.
        check(&[(&get, id), (&get, id)], &[&[], &[]]);
        check(&[("GET /", "17"), ("GET /17", "")], &[&[], &[]]);
    }

    #[test]
    fn a_secret_that_was_handed_out_is_told() {
        let token = secret::placeholder("token", 7);
        let sent = format!("GET / {token}");
        check(&[("POST /login", &token), (&sent, ""), (&sent, "")], &[&[], &[0], &[0]]);
    }
}
