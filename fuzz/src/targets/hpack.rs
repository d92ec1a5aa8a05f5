//! HPACK alone: an input is the field sections of a client, each a stream of one connection.
//!
//! What is decoded must be the same in whatever pieces the bytes come, and come back when it is sent
//! again, once it is put right.

use crate::cut::parts;
use crate::memory::within;
use rehearsal_model::{ExchangeId, Map, Moment};
use rehearsal_wire::{Command, Event, Limits, Peer, Protocol, protocol};

const LIMITS: Limits = Limits { head: 16 << 10, body: 1024, in_flight: 64, schemas: None };
/// What may be held at once for an input of 64 KiB: the table, and the requests that wait.
const MEMORY: usize = 32 << 20;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const NOW: Moment = Moment(0);

pub(crate) fn hpack(data: &[u8]) {
    let http = protocol("http").expect("there is HTTP");
    let sections: Vec<&[u8]> = parts(data).into_iter().take(32).collect();
    let bytes = connection(&sections);
    let whole = within(MEMORY, || asked(http, &bytes, usize::MAX));
    let pieces = within(MEMORY, || asked(http, &bytes, 7));
    assert_eq!(whole, pieces, "pieces make a difference");
    for request in whole {
        // What may not be said so, such as names in capitals, is put right when it is sent again.
        let Some(right) = sent(http, &request) else { continue };
        let once = asked(http, &right, usize::MAX);
        assert_eq!(once.len(), 1, "it does not come back");
        let again = sent(http, &once[0]).expect("what came can be sent");
        assert_eq!(asked(http, &again, usize::MAX), once, "it does not come back as it was");
    }
}

/// A client's bytes: its preface, and a stream for each section.
fn connection(sections: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [PREFACE, &frame(4, 0, 0, &[])].concat();
    for (section, stream) in sections.iter().zip((1u32..).step_by(2)) {
        bytes.extend(frame(1, 0x5, stream, &section[..section.len().min(1 << 14)]));
    }
    bytes
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The requests that a server hears.
fn asked(http: &dyn Protocol, bytes: &[u8], size: usize) -> Vec<Map> {
    let mut session = http.responder(LIMITS);
    let mut out = Vec::new();
    let _ = session.handle(Event::Opened { at: NOW }, &mut out);
    for bytes in bytes.chunks(size) {
        if session.handle(Event::Data { from: Peer::Client, bytes, at: NOW }, &mut out).is_err() {
            break;
        }
    }
    let requests = out.into_iter().filter_map(|command| match command {
        Command::Ask { request, .. } => Some(request),
        _ => None,
    });
    requests.collect()
}

/// The bytes of a client that sends a request alone, when it can be sent.
fn sent(http: &dyn Protocol, request: &Map) -> Option<Vec<u8>> {
    let mut session = http.requester(LIMITS);
    let mut out = Vec::new();
    let event = Event::Request { id: ExchangeId(1), request, recorded: None, at: NOW };
    session.handle(event, &mut out).ok()?;
    let settings = frame(4, 0, 0, &[]);
    let _ = session.handle(Event::Data { from: Peer::Server, bytes: &settings, at: NOW }, &mut out);
    let bytes = out.into_iter().filter_map(|command| match command {
        Command::Send { bytes, .. } => Some(bytes.to_vec()),
        _ => None,
    });
    Some(bytes.collect::<Vec<_>>().concat())
}
