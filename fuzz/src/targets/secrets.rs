//! The scrubber and the shape of placeholders: twice is the same as once.

use rehearsal_model::{Exchange, SecretSettings, Value, json, secret};
use rehearsal_store::key::Key;
use rehearsal_store::scrub::Scrubber;
use std::sync::OnceLock;

fn scrubber() -> &'static Scrubber {
    static SCRUBBER: OnceLock<Scrubber> = OnceLock::new();
    SCRUBBER.get_or_init(|| {
        let settings = SecretSettings {
            names: vec!["pin".to_owned()],
            // A pattern of a project can take in what stands right before a placeholder.
            patterns: Vec::new(),
            keep: vec!["public_key".to_owned()],
        };
        Scrubber::new(&settings, Key::new([7; 32])).expect("the patterns are right")
    })
}

/// A JSON map is scrubbed as a request, anything else as a text. Once a secret is gone, what is left
/// of a damaged text can look like another one; but no placeholder is ever replaced.
pub(crate) fn scrub(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let once = scrubber().text(text).into_owned();
    let twice = scrubber().text(&once).into_owned();
    stay(&once, &twice);
    let Ok(Value::Map(request)) = json::parse(text) else { return };
    let mut exchange = Exchange { request, ..Exchange::default() };
    let pairs = scrubber().scrub(&mut exchange);
    for (placeholder, _) in &pairs {
        assert_eq!(secret::find(placeholder), Some(0..placeholder.len()));
    }
    let once = json::to_string(&exchange.request.clone().into());
    scrubber().scrub(&mut exchange);
    stay(&once, &json::to_string(&exchange.request.into()));
}

/// Every placeholder of the one text is in the other.
fn stay(once: &str, twice: &str) {
    let mut rest = once;
    while let Some(found) = secret::find(rest) {
        let placeholder = &rest[found.clone()];
        assert!(twice.contains(placeholder), "{placeholder} was replaced\n{once}\n{twice}");
        rest = &rest[found.end..];
    }
}

pub(crate) fn mask(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let masked = secret::mask(text);
    assert_eq!(secret::find(&masked), None);
    assert_eq!(masked == text, secret::find(text).is_none());
}
