//! Commands that wait until something happens.
//!
//! They are answered when the recording says that it has happened. One that waited in vain left
//! nothing behind in the recording; it waits again, but not for long.

use super::table;
use bytes::Bytes;
use std::time::Duration;

/// The longest that a command waits in vain. An app that waits in a loop does not spin, and a test
/// is not held up.
const LONGEST: Duration = Duration::from_secs(1);

/// Whether the command of a name waits.
pub(super) fn waits(name: &str, words: &[Bytes]) -> bool {
    let may = name.starts_with('B') || name.starts_with("XREAD");
    may && limit(words).is_some()
}

/// How long a command waits; none for one that does not wait.
pub(super) fn limit(words: &[Bytes]) -> Option<Duration> {
    let (name, rest) = table::name(words);
    let seconds = |word: Option<&Bytes>| number(word).map(Duration::from_secs_f64);
    let limit = match &*name {
        "BLPOP" | "BRPOP" | "BRPOPLPUSH" | "BLMOVE" | "BZPOPMIN" | "BZPOPMAX" => {
            seconds(rest.last())?
        }
        "BLMPOP" | "BZMPOP" => seconds(rest.first())?,
        "XREAD" | "XREADGROUP" => {
            let is = |word: &Bytes, name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let options = rest.iter().take_while(|word| !is(word, "STREAMS"));
            let place = options.clone().position(|word| is(word, "BLOCK"))?;
            Duration::from_secs_f64(number(options.clone().nth(place + 1))? / 1000.0)
        }
        _ => return None,
    };
    Some(if limit.is_zero() { Duration::MAX } else { limit.min(LONGEST) })
}

fn number(word: Option<&Bytes>) -> Option<f64> {
    let text = std::str::from_utf8(word?).ok()?;
    text.parse::<f64>().ok().filter(|number| (0.0..1e9).contains(number))
}
