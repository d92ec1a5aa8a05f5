//! Conversations with a few bytes changed, for the protocols whose bytes are lines: whatever comes,
//! nothing panics, and an observer sees the same in whatever pieces it comes.
//!
//! The fuzzer does this at length; this is what every run of the tests affords.

use rehearsal_model::{Exchange, Map, Moment, Value};
use rehearsal_wire::{Answer, Command, Event, Limits, Miss, Peer, protocol};

/// Bytes of one side.
type Line = (Peer, Vec<u8>);

/// Numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % below.max(1)
    }
}

/// Changes, doubles or drops up to four bytes.
fn mutate(lines: &mut [Line], dice: &mut Dice) {
    const BYTES: &[u8] = b"\r\n*$+-:%>|0129 aqkO\xff";
    for _ in 0..=dice.below(4) {
        let line = dice.below(lines.len());
        let bytes = &mut lines[line].1;
        if bytes.is_empty() {
            continue;
        }
        let place = dice.below(bytes.len());
        let byte = BYTES[dice.below(BYTES.len())];
        match dice.below(3) {
            0 => bytes[place] = byte,
            1 => bytes.insert(place, byte),
            _ => _ = bytes.remove(place),
        }
    }
}

/// What an observer sees, or nothing when it gives up.
fn observe(name: &str, lines: &[Line], size: usize) -> Option<Vec<Exchange>> {
    let mut session = protocol(name)?.observer(Limits { body: 4096, ..Limits::default() });
    let (mut out, mut seen) = (Vec::new(), Vec::new());
    for (from, bytes) in lines {
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: *from, bytes, at: Moment(7) };
            session.handle(event, &mut out).ok()?;
        }
    }
    for command in out {
        match command {
            Command::Emit { exchange, .. } => seen.push(*exchange),
            Command::Become { .. } | Command::Reach { .. } => return None,
            _ => {}
        }
    }
    Some(seen)
}

/// Has a responder answer, in turn with what was seen, with nothing, and with a miss.
fn respond(name: &str, lines: &[Line], size: usize, seen: &[Exchange]) -> Option<()> {
    let mut session = protocol(name)?.responder(Limits { body: 4096, ..Limits::default() });
    let (mut out, mut asked) = (Vec::new(), 0);
    for (_, bytes) in lines.iter().filter(|line| line.0 == Peer::Client) {
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: Peer::Client, bytes, at: Moment(7) };
            session.handle(event, &mut out).ok()?;
            while let Some(command) = out.pop() {
                let Command::Ask { id, .. } = command else { continue };
                asked += 1;
                let miss = Miss { message: "no mock".into(), details: Value::Null };
                let answer = match seen.get(asked % (seen.len() + 2)) {
                    Some(one) => Answer::Response(one.response.clone().unwrap_or_default()),
                    None if asked % 2 == 0 => Answer::Response(Map::new()),
                    None => Answer::Miss(miss),
                };
                session.handle(Event::Answer { id, answer, at: Moment(8) }, &mut out).ok()?;
            }
        }
    }
    Some(())
}

fn check(name: &str, conversation: &[(Peer, &str)]) {
    let lines: Vec<Line> = conversation
        .iter()
        .map(|(peer, said)| (*peer, said.replace('|', "\r\n").into_bytes()))
        .collect();
    let whole = observe(name, &lines, usize::MAX).expect("the conversation itself is read");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut read = 0;
    for _ in 0..4000 {
        let mut lines = lines.clone();
        mutate(&mut lines, &mut dice);
        let size = 1 + dice.below(9);
        let seen = observe(name, &lines, usize::MAX);
        let pairs = |seen: Vec<Exchange>| -> Vec<(Map, Option<Map>)> {
            seen.into_iter().map(|one| (one.request, one.response)).collect()
        };
        let facets = protocol(name).expect("it is known").facets();
        for exchange in seen.iter().flatten() {
            read += 1;
            facets.operation(&exchange.request);
            facets.identity(&exchange.request);
            facets.request(&exchange.request);
            facets.usual(&exchange.request);
            facets.waits(&exchange.request);
        }
        let split = observe(name, &lines, size);
        assert_eq!(split.map(pairs), seen.map(pairs), "{lines:?} in pieces of {size}");
        let _ = respond(name, &lines, size, &whole);
    }
    assert!(read > 1000, "much of it is still the protocol: {read}");
}

#[test]
fn redis() {
    use Peer::{Client, Server};
    check(
        "redis",
        &[
            (Client, "*2|$5|HELLO|$1|3|*3|$3|SET|$1|a|$2|xy|"),
            (Server, "%1|$5|proto|:3|+OK|"),
            (Client, "*1|$5|MULTI|*2|$4|INCR|$1|n|*1|$3|BAD|*1|$4|EXEC|"),
            (Server, "+OK|+QUEUED|-ERR no|-EXECABORT no|"),
            (Client, "*3|$9|SUBSCRIBE|$1|a|$1|b|GET x|"),
            (Server, ">3|$9|subscribe|$1|a|:1|>3|$9|subscribe|$1|b|:2|*2|$1|k|_|"),
            (Server, ">3|$7|message|$1|a|$2|hi|"),
            (Client, "*1|$11|UNSUBSCRIBE|*3|$5|BLPOP|$1|q|$1|1|"),
            (Server, ">3|$11|unsubscribe|$1|a|:1|>3|$11|unsubscribe|$1|b|:0|*2|$1|q|,1.5|"),
        ],
    );
}

#[test]
fn memcached() {
    use Peer::{Client, Server};
    check(
        "memcached",
        &[
            (Client, "set a 0 60 5|hello|get a b|"),
            (Server, "STORED|VALUE a 0 5|hello|END|"),
            (Client, "ms a 2 T60|hi|mg a v k Oabc q|mg none v q|md a q|mn|"),
            (Server, "HD|VA 2 ka Oabc|hi|MN|"),
            (Client, "incr n 1|stats|delete a noreply|version|"),
            (Server, "7|STAT pid 1|END|VERSION 1.6|"),
        ],
    );
}
