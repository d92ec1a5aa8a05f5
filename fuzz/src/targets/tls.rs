//! How TLS begins: what is said of the first bytes is never taken back when more come.

use rehearsal_wire::{Verdict, begins_tls, misses_hello};

pub(crate) fn hello(data: &[u8]) {
    let whole = begins_tls(data);
    assert!(whole != Verdict::Yes || data.starts_with(&[0x16, 3]), "it is no handshake");
    let mut before = Verdict::NeedMore;
    for end in (0..data.len().min(512)).chain([data.len()]) {
        let verdict = begins_tls(&data[..end]);
        // A hello may turn out to offer only what nobody reads, once it is whole.
        let again = before == Verdict::NeedMore || before == verdict;
        assert!(again || (before, verdict) == (Verdict::Yes, Verdict::No), "{before:?} became {verdict:?}");
        before = verdict;
    }
    assert!(!(misses_hello(data) && whole == Verdict::Yes), "an alert is no hello");
}
