//! Recorded replies in the form of the version that a client asks for, where that is another than it
//! was when they were recorded.
//!
//! What version 2 lacks is left to the writer. Here is where the two differ in more than the type:
//! by the command. A command that is not here is answered as recorded.

use super::resp::Resp;
use super::table;
use super::write::Version;
use bytes::Bytes;

/// The reply to HELLO, naming the version that was asked for.
pub(super) fn hello(reply: Resp, version: Version) -> Resp {
    let mut pairs = match reply {
        Resp::Map(pairs) => pairs,
        Resp::Array(items) => paired(items),
        other => return other,
    };
    let number = if version == Version::Three { 3 } else { 2 };
    for (key, value) in &mut pairs {
        if *key == Resp::Bulk(Bytes::from_static(b"proto")) {
            *value = Resp::Integer(number);
        }
    }
    Resp::Map(pairs)
}

/// The reply to a command.
pub(super) fn suit(words: &[Bytes], reply: Resp, version: Version) -> Resp {
    let (name, rest) = table::name(words);
    let has = |option: &str| rest.iter().any(|word| word.eq_ignore_ascii_case(option.as_bytes()));
    match (version, &*name, reply) {
        (Version::Three, "HGETALL" | "CONFIG GET", Resp::Array(items)) => Resp::Map(paired(items)),
        (Version::Three, "SMEMBERS" | "SINTER" | "SUNION" | "SDIFF", Resp::Array(items)) => {
            Resp::Set(items)
        }
        (Version::Three, "ZSCORE" | "ZINCRBY", Resp::Bulk(score)) => Resp::Double(score),
        (Version::Three, "ZMSCORE", Resp::Array(scores)) => {
            Resp::Array(scores.into_iter().map(double).collect())
        }
        (Version::Three, name, Resp::Array(items)) if scores(name) && has("WITHSCORES") => {
            let flat = items.iter().all(|item| matches!(item, Resp::Bulk(_)));
            let pair = |(member, score)| Resp::Array(vec![member, double(score)]);
            match flat {
                true => Resp::Array(paired(items).into_iter().map(pair).collect()),
                false => Resp::Array(items),
            }
        }
        (Version::Two, name, Resp::Array(items)) if scores(name) && has("WITHSCORES") => {
            let flat = |item| match item {
                Resp::Array(pair) => pair,
                other => vec![other],
            };
            Resp::Array(items.into_iter().flat_map(flat).collect())
        }
        (Version::Three, "XREAD" | "XREADGROUP", Resp::Array(streams)) => {
            let pair = |stream| match stream {
                Resp::Array(mut pair) if pair.len() == 2 => Some((pair.remove(0), pair.remove(0))),
                _ => None,
            };
            let pairs = streams.iter().cloned().map(pair).collect();
            Option::map_or(pairs, Resp::Array(streams), Resp::Map)
        }
        (Version::Two, "XREAD" | "XREADGROUP", Resp::Map(streams)) => {
            let pair = |(name, entries)| Resp::Array(vec![name, entries]);
            Resp::Array(streams.into_iter().map(pair).collect())
        }
        (
            Version::Two,
            "BLPOP" | "BRPOP" | "BLMPOP" | "BZMPOP" | "BZPOPMIN" | "BZPOPMAX" | "XREAD"
            | "XREADGROUP",
            Resp::Nil,
        ) => Resp::NilArray,
        (_, _, reply) => reply,
    }
}

fn scores(name: &str) -> bool {
    matches!(
        name,
        "ZRANGE"
            | "ZREVRANGE"
            | "ZRANGEBYSCORE"
            | "ZREVRANGEBYSCORE"
            | "ZUNION"
            | "ZINTER"
            | "ZDIFF"
    )
}

fn double(value: Resp) -> Resp {
    match value {
        Resp::Bulk(score) => Resp::Double(score),
        other => other,
    }
}

fn paired(items: Vec<Resp>) -> Vec<(Resp, Resp)> {
    let mut items = items.into_iter();
    let mut pairs = Vec::new();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        pairs.push((key, value));
    }
    pairs
}
