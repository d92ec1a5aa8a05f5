//! The files that people edit: recordings and settings.

use crate::cut::parts;
use rehearsal_model::{Manifest, TestId};
use rehearsal_store::{binary, parse_duration, parse_size, text};

/// A manifest, a test and ambient mocks, in three parts.
pub(crate) fn recording(data: &[u8]) {
    let texts: Vec<_> = parts(data).into_iter().map(String::from_utf8_lossy).collect();
    let manifest = texts.first().and_then(|it| text::manifest(it).ok());
    let manifest = manifest.unwrap_or_else(Manifest::default);
    if let Some(Ok(test)) = texts.get(1).map(|it| text::test(it, TestId(1), &manifest)) {
        let encoded = binary::encode(&test).expect("what files hold is not too deep");
        assert_eq!(binary::decode(&encoded), Ok(test));
    }
    if let Some(Ok(mocks)) = texts.get(2).map(|it| text::mocks(it, &manifest)) {
        for mock in mocks {
            let encoded = binary::encode(&mock).expect("what files hold is not too deep");
            assert_eq!(binary::decode(&encoded), Ok(mock));
        }
    }
}

pub(crate) fn settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = text::settings(&text);
    for line in text.lines() {
        let _ = parse_duration(line);
        let _ = parse_size(line);
    }
}
