//! Observers: whole transcripts of a connection, in both directions.
//!
//! An input is a list of parts; the first byte of each says who sends it or how a side closes.

use crate::cut::{Dice, parts};
use crate::memory::within;
use rehearsal_model::{Exchange, Moment};
use rehearsal_wire::{Command, Ending, Event, Limits, Peer, Protocol, protocol};

const LIMITS: Limits = Limits { head: 4096, body: 1024, in_flight: 8, schemas: None };
/// What an observer may hold at once for an input of 64 KiB.
const MEMORY: usize = 64 << 20;

/// A step of a transcript.
#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Data(Peer, &'a [u8]),
    Closed(Peer, Ending),
}

/// What an observer made of a transcript.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    exchanges: Vec<Exchange>,
    begun: u64,
    /// The protocol that took over, and the bytes it was given.
    handed: Option<(&'static str, Vec<u8>, Vec<u8>)>,
}

pub(crate) fn http_observer(data: &[u8]) {
    same_at_any_split("http", data);
}

pub(crate) fn redis_observer(data: &[u8]) {
    same_at_any_split("redis", data);
}

pub(crate) fn memcached_observer(data: &[u8]) {
    same_at_any_split("memcached", data);
}

pub(crate) fn opaque_observer(data: &[u8]) {
    same_at_any_split("opaque", data);
}

pub(crate) fn mongodb_observer(data: &[u8]) {
    same_at_any_split("mongodb", data);
}

/// Bytes that come with a request for TLS, and not after its answer, are refused: pieces matter.
pub(crate) fn postgres_observer(data: &[u8]) {
    good_in_any_pieces("postgres", data);
}

/// Bytes that come with a greeting, and not after its answer, are refused: pieces matter.
pub(crate) fn mysql_observer(data: &[u8]) {
    good_in_any_pieces("mysql", data);
}

/// What is handed over with the tunnel is what came in one piece with the end of the talk before it.
pub(crate) fn socks_observer(data: &[u8]) {
    good_in_any_pieces("socks", data);
}

fn good_in_any_pieces(name: &str, data: &[u8]) {
    let protocol = protocol(name).expect("the protocol is known");
    let steps = steps(data);
    let pieces = split(&steps, 40, &mut Dice::of(data));
    for steps in [steps, pieces] {
        if let Ok(seen) = within(MEMORY, || run(protocol, &steps)) {
            judge(protocol, &seen);
        }
    }
}

/// Datagrams are whole by nature, so nothing is split.
pub(crate) fn dns_observer(data: &[u8]) {
    let dns = protocol("dns").expect("there is DNS");
    if let Ok(seen) = within(MEMORY, || run(dns, &steps(data))) {
        judge(dns, &seen);
    }
}

/// What follows the opening of a WebSocket with compression.
pub(crate) fn websocket_observer(data: &[u8]) {
    const TERMS: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let request = format!("GET /ws HTTP/1.1\r\n{TERMS}");
    let response = format!("HTTP/1.1 101 Switching Protocols\r\n{TERMS}");
    let opening = [(Peer::Client, &request), (Peer::Server, &response)];
    let opening = opening.map(|(from, text)| Step::Data(from, text.as_bytes()));
    same_in_any_pieces("http", opening.into_iter().chain(steps(data)).collect(), data);
}

fn same_at_any_split(name: &str, data: &[u8]) {
    same_in_any_pieces(name, steps(data), data);
}

fn same_in_any_pieces(name: &str, steps: Vec<Step<'_>>, data: &[u8]) {
    let protocol = protocol(name).expect("the protocol is known");
    let whole = within(MEMORY, || run(protocol, &steps));
    let mut dice = Dice::of(data);
    for longest in [1, 7, 64] {
        let split = split(&steps, longest, &mut dice);
        let seen = run(protocol, &split);
        assert_eq!(seen.as_ref().ok(), whole.as_ref().ok(), "split into pieces up to {longest}");
    }
    if let Ok(seen) = whole {
        judge(protocol, &seen);
    }
}

/// The exchanges that an observer sees in an input, when it goes through in its protocol.
pub(super) fn exchanges(protocol: &dyn Protocol, data: &[u8]) -> Vec<Exchange> {
    match run(protocol, &steps(data)) {
        Ok(seen) if seen.handed.is_none() => seen.exchanges,
        _ => Vec::new(),
    }
}

/// Reads the steps of an input.
fn steps(data: &[u8]) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for part in parts(data) {
        let Some((who, bytes)) = part.split_first() else { continue };
        match who {
            b'<' => steps.push(Step::Data(Peer::Server, bytes)),
            b'c' => steps.push(Step::Closed(Peer::Client, Ending::Finished)),
            b's' => steps.push(Step::Closed(Peer::Server, Ending::Finished)),
            b'C' => steps.push(Step::Closed(Peer::Client, Ending::Reset)),
            b'S' => steps.push(Step::Closed(Peer::Server, Ending::Reset)),
            _ => steps.push(Step::Data(Peer::Client, bytes)),
        }
    }
    steps
}

/// The same bytes in more pieces, each up to `longest` bytes.
fn split<'a>(steps: &[Step<'a>], longest: usize, dice: &mut Dice) -> Vec<Step<'a>> {
    let mut out = Vec::new();
    for step in steps {
        match *step {
            Step::Data(peer, bytes) => {
                let pieces = dice.split(&[bytes], longest);
                out.extend(pieces.into_iter().map(|piece| Step::Data(peer, piece)));
            }
            step => out.push(step),
        }
    }
    out
}

/// Observes a transcript; `Err` when the observer gives up.
fn run(protocol: &dyn Protocol, steps: &[Step<'_>]) -> Result<Seen, String> {
    let mut observer = protocol.observer(LIMITS);
    let mut seen = Seen::default();
    let mut out = Vec::new();
    let at = Moment(7);
    let mut handle = |event, seen: &mut Seen| {
        observer.handle(event, &mut out).map_err(|error| error.to_string())?;
        out.drain(..).for_each(|command| take(seen, command));
        Ok::<(), String>(())
    };
    handle(Event::Opened { at }, &mut seen)?;
    for step in steps {
        match (&mut seen.handed, *step) {
            // A driver gives the bytes after a hand-over to the other protocol.
            (Some((_, client, _)), Step::Data(Peer::Client, bytes)) => client.extend(bytes),
            (Some((_, _, server)), Step::Data(Peer::Server, bytes)) => server.extend(bytes),
            (Some(_), Step::Closed(..)) => {}
            (None, Step::Data(from, bytes)) => {
                handle(Event::Data { from, bytes, at }, &mut seen)?;
            }
            (None, Step::Closed(from, how)) => {
                handle(Event::Closed { from, how, at }, &mut seen)?;
            }
        }
    }
    Ok(seen)
}

fn take(seen: &mut Seen, command: Command) {
    match command {
        Command::Begin { .. } => seen.begun += 1,
        Command::Emit { exchange, .. } => seen.exchanges.push(*exchange),
        Command::Become { protocol, client, server } => {
            seen.handed = Some((protocol, client.to_vec(), server.to_vec()));
        }
        Command::Reach { client, server, .. } => {
            seen.handed = Some(("", client.to_vec(), server.to_vec()));
        }
        // What follows is encrypted; a driver without TLS reads no further.
        Command::StartTls { with, unread } => {
            let handed = seen.handed.get_or_insert(("tls", Vec::new(), Vec::new()));
            match with {
                Peer::Client => handed.1.extend(unread),
                Peer::Server => handed.2.extend(unread),
            }
        }
        // While it holds a side it forwards by itself.
        Command::Hold { .. }
        | Command::Forward { .. }
        | Command::Send { .. }
        | Command::Stir { .. }
        | Command::Teach(_)
        | Command::Unasked(_) => {}
        other => panic!("an observer does not say {other:?}"),
    }
}

/// What must hold for everything that was observed.
fn judge(protocol: &dyn Protocol, seen: &Seen) {
    assert!(seen.exchanges.len() as u64 <= seen.begun, "more came to an end than began");
    let facets = protocol.facets();
    for exchange in &seen.exchanges {
        facets.operation(&exchange.request);
        facets.identity(&exchange.request);
        facets.request(&exchange.request);
        facets.repeatable(&exchange.request);
        facets.trace(&exchange.request);
        facets.usual(&exchange.request);
        facets.waits(&exchange.request);
        if let Some(response) = &exchange.response {
            facets.response(&exchange.request, response);
        }
    }
}
