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
            patterns: vec!["tok_[a-z0-9]{8,}".to_owned()],
            keep: vec!["public_key".to_owned()],
        };
        Scrubber::new(&settings, Key::new([7; 32])).expect("the patterns are right")
    })
}

/// A JSON map is scrubbed as a request, anything else as a text.
pub(crate) fn scrub(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let once = scrubber().text(text).into_owned();
    assert_eq!(scrubber().text(&once), once, "a text, the second time");
    let Ok(Value::Map(request)) = json::parse(text) else { return };
    let mut exchange = Exchange { request, ..Exchange::default() };
    let pairs = scrubber().scrub(&mut exchange);
    for (placeholder, _) in &pairs {
        assert_eq!(secret::find(placeholder), Some(0..placeholder.len()));
    }
    let once = exchange.clone();
    let more = scrubber().scrub(&mut exchange);
    assert_eq!(exchange, once, "an exchange, the second time");
    assert!(more.is_empty(), "{more:?}");
}

pub(crate) fn mask(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let masked = secret::mask(text);
    assert_eq!(secret::find(&masked), None);
    assert_eq!(masked == text, secret::find(text).is_none());
}
