//! What is known of commands: whether they only read, whether they set a connection up, and what
//! their arguments mean.
//!
//! A command that is not here is taken to write, with a key for its first argument.

use super::subscriptions::Change;
use std::borrow::Cow;

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It changes nothing.
    Read,
    /// It may change something.
    Write,
    /// It is about the connection or the server, not about data.
    SetsUp,
}

/// The kind of a command, and its arguments: names one behind the other, of which the last may end
/// in `*` (the rest), `=` (the rest, in pairs), `^` (all but the last, which one more name follows),
/// `#` (a count and as many) or `~` (options, some with a value).
pub(super) type Row = (&'static str, Kind, &'static str);

use Kind::{Read, SetsUp, Write};

/// Sorted by name; a subcommand is part of it.
const ROWS: &[Row] = &[
    ("APPEND", Write, "key value"),
    ("ASKING", SetsUp, ""),
    ("AUTH", SetsUp, "secret*"),
    ("BITCOUNT", Read, "key args*"),
    ("BITPOS", Read, "key args*"),
    ("BLMOVE", Write, "source destination from to timeout"),
    ("BLPOP", Write, "keys^ timeout"),
    ("BRPOP", Write, "keys^ timeout"),
    ("BRPOPLPUSH", Write, "source destination timeout"),
    ("BZPOPMAX", Write, "keys^ timeout"),
    ("BZPOPMIN", Write, "keys^ timeout"),
    ("CLIENT CACHING", SetsUp, "args*"),
    ("CLIENT GETNAME", SetsUp, ""),
    ("CLIENT GETREDIR", SetsUp, ""),
    ("CLIENT ID", SetsUp, ""),
    ("CLIENT INFO", SetsUp, ""),
    ("CLIENT MAINT_NOTIFICATIONS", SetsUp, "args*"),
    ("CLIENT NO-EVICT", SetsUp, "args*"),
    ("CLIENT NO-TOUCH", SetsUp, "args*"),
    ("CLIENT REPLY", SetsUp, "args*"),
    ("CLIENT SETINFO", SetsUp, "name value"),
    ("CLIENT SETNAME", SetsUp, "name"),
    ("CLIENT TRACKING", SetsUp, "args*"),
    ("CLIENT TRACKINGINFO", SetsUp, ""),
    ("CLUSTER INFO", SetsUp, ""),
    ("CLUSTER KEYSLOT", Read, "key"),
    ("CLUSTER MYID", SetsUp, ""),
    ("CLUSTER NODES", SetsUp, ""),
    ("CLUSTER SHARDS", SetsUp, ""),
    ("CLUSTER SLOTS", SetsUp, ""),
    ("COMMAND", SetsUp, "args*"),
    ("COMMAND COUNT", SetsUp, ""),
    ("COMMAND DOCS", SetsUp, "args*"),
    ("COMMAND INFO", SetsUp, "args*"),
    ("COMMAND LIST", SetsUp, "args*"),
    ("CONFIG GET", Read, "names*"),
    ("CONFIG SET", Write, "settings="),
    ("DBSIZE", Read, ""),
    ("DECR", Write, "key"),
    ("DECRBY", Write, "key amount"),
    ("DEL", Write, "keys*"),
    ("DISCARD", Write, ""),
    ("DUMP", Read, "key"),
    ("ECHO", SetsUp, "message"),
    ("EVAL", Write, "script keys# args*"),
    ("EVALSHA", Write, "sha keys# args*"),
    ("EVALSHA_RO", Read, "sha keys# args*"),
    ("EVAL_RO", Read, "script keys# args*"),
    ("EXISTS", Read, "keys*"),
    ("EXPIRE", Write, "key seconds options*"),
    ("EXPIREAT", Write, "key at options*"),
    ("EXPIRETIME", Read, "key"),
    ("FCALL", Write, "function keys# args*"),
    ("FCALL_RO", Read, "function keys# args*"),
    ("GEOADD", Write, "key args*"),
    ("GEODIST", Read, "key args*"),
    ("GEOHASH", Read, "key args*"),
    ("GEOPOS", Read, "key args*"),
    ("GEOSEARCH", Read, "key args*"),
    ("GET", Read, "key"),
    ("GETBIT", Read, "key offset"),
    ("GETDEL", Write, "key"),
    ("GETEX", Write, "key options~"),
    ("GETRANGE", Read, "key start end"),
    ("GETSET", Write, "key value"),
    ("HDEL", Write, "key fields*"),
    ("HELLO", SetsUp, "args*"),
    ("HEXISTS", Read, "key field"),
    ("HGET", Read, "key field"),
    ("HGETALL", Read, "key"),
    ("HINCRBY", Write, "key field amount"),
    ("HINCRBYFLOAT", Write, "key field amount"),
    ("HKEYS", Read, "key"),
    ("HLEN", Read, "key"),
    ("HMGET", Read, "key fields*"),
    ("HMSET", Write, "key fields="),
    ("HRANDFIELD", Read, "key args*"),
    ("HSCAN", Read, "key cursor options*"),
    ("HSET", Write, "key fields="),
    ("HSETNX", Write, "key field value"),
    ("HSTRLEN", Read, "key field"),
    ("HVALS", Read, "key"),
    ("INCR", Write, "key"),
    ("INCRBY", Write, "key amount"),
    ("INCRBYFLOAT", Write, "key amount"),
    ("INFO", SetsUp, "sections*"),
    ("JSON.GET", Read, "key args*"),
    ("JSON.MGET", Read, "keys^ path"),
    ("KEYS", Read, "pattern"),
    ("LASTSAVE", Read, ""),
    ("LINDEX", Read, "key index"),
    ("LLEN", Read, "key"),
    ("LOLWUT", Read, "args*"),
    ("LPOS", Read, "key value options*"),
    ("LPUSH", Write, "key values*"),
    ("LPUSHX", Write, "key values*"),
    ("LRANGE", Read, "key start stop"),
    ("LREM", Write, "key count value"),
    ("LSET", Write, "key index value"),
    ("LTRIM", Write, "key start stop"),
    ("MEMORY USAGE", Read, "key options*"),
    ("MGET", Read, "keys*"),
    ("MODULE LIST", SetsUp, ""),
    ("MSET", Write, "values="),
    ("MSETNX", Write, "values="),
    ("OBJECT ENCODING", Read, "key"),
    ("OBJECT FREQ", Read, "key"),
    ("OBJECT IDLETIME", Read, "key"),
    ("OBJECT REFCOUNT", Read, "key"),
    ("PERSIST", Write, "key"),
    ("PEXPIRE", Write, "key milliseconds options*"),
    ("PEXPIREAT", Write, "key at options*"),
    ("PEXPIRETIME", Read, "key"),
    ("PFADD", Write, "key elements*"),
    ("PFCOUNT", Read, "keys*"),
    ("PING", SetsUp, "message*"),
    ("PSETEX", Write, "key milliseconds value"),
    ("PSUBSCRIBE", SetsUp, "patterns*"),
    ("PTTL", Read, "key"),
    ("PUBLISH", Write, "channel message"),
    ("PUBSUB CHANNELS", Read, "args*"),
    ("PUBSUB NUMPAT", Read, ""),
    ("PUBSUB NUMSUB", Read, "args*"),
    ("PUNSUBSCRIBE", SetsUp, "patterns*"),
    ("QUIT", SetsUp, ""),
    ("RANDOMKEY", Read, ""),
    ("READONLY", SetsUp, ""),
    ("READWRITE", SetsUp, ""),
    ("RENAME", Write, "key new"),
    ("RENAMENX", Write, "key new"),
    ("RESET", SetsUp, ""),
    ("ROLE", SetsUp, ""),
    ("RPUSH", Write, "key values*"),
    ("RPUSHX", Write, "key values*"),
    ("SADD", Write, "key members*"),
    ("SCAN", Read, "cursor options*"),
    ("SCARD", Read, "key"),
    ("SCRIPT EXISTS", SetsUp, "shas*"),
    ("SCRIPT LOAD", SetsUp, "script"),
    ("SDIFF", Read, "keys*"),
    ("SELECT", SetsUp, "db"),
    ("SENTINEL GET-MASTER-ADDR-BY-NAME", SetsUp, "name"),
    ("SENTINEL MASTER", SetsUp, "name"),
    ("SENTINEL MASTERS", SetsUp, ""),
    ("SENTINEL REPLICAS", SetsUp, "name"),
    ("SENTINEL SENTINELS", SetsUp, "name"),
    ("SENTINEL SLAVES", SetsUp, "name"),
    ("SET", Write, "key value options~"),
    ("SETBIT", Write, "key offset value"),
    ("SETEX", Write, "key seconds value"),
    ("SETNX", Write, "key value"),
    ("SETRANGE", Write, "key offset value"),
    ("SINTER", Read, "keys*"),
    ("SINTERCARD", Read, "keys# options*"),
    ("SISMEMBER", Read, "key member"),
    ("SMEMBERS", Read, "key"),
    ("SMISMEMBER", Read, "key members*"),
    ("SMOVE", Write, "source destination member"),
    ("SPUBLISH", Write, "channel message"),
    ("SRANDMEMBER", Read, "key args*"),
    ("SREM", Write, "key members*"),
    ("SSCAN", Read, "key cursor options*"),
    ("SSUBSCRIBE", SetsUp, "channels*"),
    ("STRLEN", Read, "key"),
    ("SUBSCRIBE", SetsUp, "channels*"),
    ("SUNION", Read, "keys*"),
    ("SUNSUBSCRIBE", SetsUp, "channels*"),
    ("TIME", Read, ""),
    ("TOUCH", Write, "keys*"),
    ("TTL", Read, "key"),
    ("TYPE", Read, "key"),
    ("UNLINK", Write, "keys*"),
    ("UNSUBSCRIBE", SetsUp, "channels*"),
    ("UNWATCH", Write, ""),
    ("WATCH", Write, "keys*"),
    ("XADD", Write, "key args*"),
    ("XINFO CONSUMERS", Read, "key args*"),
    ("XINFO GROUPS", Read, "key"),
    ("XINFO STREAM", Read, "key args*"),
    ("XLEN", Read, "key"),
    ("XPENDING", Read, "key args*"),
    ("XRANGE", Read, "key args*"),
    ("XREAD", Read, "args*"),
    ("XREADGROUP", Write, "args*"),
    ("XREVRANGE", Read, "key args*"),
    ("ZCARD", Read, "key"),
    ("ZCOUNT", Read, "key min max"),
    ("ZINCRBY", Write, "key amount member"),
    ("ZLEXCOUNT", Read, "key min max"),
    ("ZMSCORE", Read, "key members*"),
    ("ZRANDMEMBER", Read, "key args*"),
    ("ZRANGE", Read, "key start stop options*"),
    ("ZRANGEBYLEX", Read, "key min max options*"),
    ("ZRANGEBYSCORE", Read, "key min max options*"),
    ("ZRANK", Read, "key member options*"),
    ("ZREM", Write, "key members*"),
    ("ZREVRANGE", Read, "key start stop options*"),
    ("ZREVRANGEBYSCORE", Read, "key max min options*"),
    ("ZREVRANK", Read, "key member options*"),
    ("ZSCAN", Read, "key cursor options*"),
    ("ZSCORE", Read, "key member"),
];

/// Commands whose first argument names what they do.
const FAMILIES: &[&str] = &[
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY",
    "MODULE", "OBJECT", "PUBSUB", "SCRIPT", "SENTINEL", "SLOWLOG", "XGROUP", "XINFO",
];

/// For each first letter, where its rows begin; the last is their end.
const BEGINNINGS: [usize; 27] = {
    let (mut beginnings, mut letter, mut place) = ([0; 27], 0, 0);
    while letter < 27 {
        while place < ROWS.len() && ROWS[place].0.as_bytes()[0] < b'A' + letter as u8 {
            place += 1;
        }
        beginnings[letter] = place;
        letter += 1;
    }
    beginnings
};

/// The row of a name in capital letters.
fn find(name: &[u8]) -> Option<Row> {
    let letter = usize::from(name.first()?.checked_sub(b'A')?);
    let rows = &ROWS[*BEGINNINGS.get(letter)?..*BEGINNINGS.get(letter + 1)?];
    // Few of one letter have one length: hardly ever is another name compared.
    rows.iter().find(|row| row.0.len() == name.len() && row.0.as_bytes() == name).copied()
}

/// Options that have a value behind them, of the commands whose options are read.
const VALUED: &[&str] = &["EX", "EXAT", "PX", "PXAT"];

/// The longest name of one word that is looked for.
const LONGEST: usize = 24;

/// The name of a command in capital letters, with its subcommand.
pub(super) type Name = Cow<'static, str>;

/// The name of a command, and its arguments.
pub(super) fn name<W: AsRef<[u8]>>(words: &[W]) -> (Name, &[W]) {
    let Some((first, rest)) = words.split_first() else { return (Cow::Borrowed(""), &[]) };
    let name = upper(first.as_ref());
    match rest.split_first() {
        Some((second, rest)) if FAMILIES.contains(&&*name) => {
            (format!("{name} {}", upper(second.as_ref())).into(), rest)
        }
        _ => (name, rest),
    }
}

/// A word in capital letters; nothing is allocated for what has a row.
fn upper(word: &[u8]) -> Name {
    let mut letters = [0; LONGEST];
    if let Some(letters) = letters.get_mut(..word.len()) {
        letters.copy_from_slice(word);
        letters.make_ascii_uppercase();
        if let Some((name, ..)) = find(letters) {
            return Cow::Borrowed(name);
        }
    }
    String::from_utf8_lossy(word).to_ascii_uppercase().into()
}

/// What is known of the command of a name.
pub(super) fn row(name: &str) -> Row {
    find(name.as_bytes()).unwrap_or(("", Write, "key args*"))
}

/// Whether it matters to the command of a name which database is selected.
pub(super) fn is_about_data(name: &str) -> bool {
    row(name).1 != SetsUp && Change::parse(name.as_bytes()).is_none()
}

/// Whether an option has a value behind it.
pub(super) fn is_valued(option: &str) -> bool {
    VALUED.contains(&option)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_their_arguments_make_sense() {
        assert!(ROWS.is_sorted_by(|one, other| one.0 < other.0));
        for row @ (name, _, arguments) in ROWS {
            assert_eq!(self::row(name), *row);
            let names: Vec<&str> = arguments.split_whitespace().collect();
            let rest = names.iter().position(|name| name.ends_with(['*', '=', '~']));
            assert!(rest.is_none_or(|place| place + 1 == names.len()), "{name}");
            let all_but_one = names.iter().position(|name| name.ends_with('^'));
            assert!(all_but_one.is_none_or(|place| place + 2 == names.len()), "{name}");
        }
    }

    #[test]
    fn subcommands_are_part_of_a_name() {
        assert_eq!(name(&["client", "setName", "x"]).0, "CLIENT SETNAME");
        assert_eq!(name(&["get", "a"]), ("GET".into(), &["a"][..]));
        assert_eq!(name(&["COMMAND"]).0, "COMMAND");
        assert_eq!(row("JSON.SET").1, Kind::Write);
    }
}
