//! Conversations in bytes, as HTTP's sessions see them.

mod nasty;
mod playing;
mod watching;

use super::frame::Opcode;
use crate::http::Http;
use crate::{Command, Event, Limits, Peer, Protocol, WireError};
use flate2::{Compress, Compression, FlushCompress};
use rehearsal_model::{Exchange, Map, Moment, Value, json};

const NOW: Moment = Moment(7);
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// RFC 6455, section 1.3.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn request(extensions: &str) -> Vec<u8> {
    let offer = offer(extensions);
    format!(
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    )
    .into_bytes()
}

fn response(extensions: &str) -> Vec<u8> {
    let offer = offer(extensions);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n{offer}\r\n"
    )
    .into_bytes()
}

fn offer(extensions: &str) -> String {
    match extensions {
        "" => String::new(),
        some => format!("Sec-WebSocket-Extensions: {some}\r\n"),
    }
}

/// A frame with its first byte as given.
fn frame(by: Peer, first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    super::frame::write(by, Opcode::Text, payload, &mut out);
    out[0] = first;
    if by == Peer::Client {
        // A mask that shows when it is not undone.
        let (mask, from) = ([0x37, 0xfa, 0x21, 0x3d], out.len() - payload.len());
        out[from - 4..from].copy_from_slice(&mask);
        out[from..].iter_mut().zip(0..).for_each(|(byte, place)| *byte ^= mask[place % 4]);
    }
    out
}

fn text(by: Peer, text: &str) -> Vec<u8> {
    frame(by, 0x81, text.as_bytes())
}

fn close(by: Peer, code: u16, reason: &str) -> Vec<u8> {
    frame(by, 0x88, &[&code.to_be_bytes()[..], reason.as_bytes()].concat())
}

/// The payload of a compressed message, with what was compressed before in mind.
fn deflated(state: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 2 + 1024);
    state.compress_vec(bytes, &mut out, FlushCompress::Sync).unwrap();
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

fn compressor() -> Compress {
    Compress::new(Compression::default(), false)
}

/// What an observer made of bytes.
fn observe(
    lines: &[(Peer, Vec<u8>)],
    size: usize,
    limits: Limits,
) -> (Vec<Exchange>, usize, Option<WireError>) {
    let mut session = Http.observer(limits);
    let (mut exchanges, mut stirs, mut failed) = (Vec::new(), 0, None);
    'all: for (from, bytes) in lines {
        for bytes in bytes.chunks(size) {
            let mut out = Vec::new();
            let event = Event::Data { from: *from, bytes, at: NOW };
            failed = session.handle(event, &mut out).err();
            for command in out {
                match command {
                    Command::Emit { exchange, .. } => exchanges.push(*exchange),
                    Command::Stir { .. } => stirs += 1,
                    Command::Begin { .. } => {}
                    other => panic!("an observer does not say {other:?}"),
                }
            }
            if failed.is_some() {
                break 'all;
            }
        }
    }
    (exchanges, stirs, failed)
}

/// The messages of an exchange, as JSON.
fn messages(exchange: &Exchange) -> String {
    let response = exchange.response.as_ref().unwrap();
    json::to_string(response.get("conversation").unwrap())
}

/// A recorded answer with these messages, written as JSON.
fn recorded(messages: &str) -> Map {
    let mut headers = Map::from([("Upgrade", "websocket"), ("Connection", "Upgrade")]);
    headers.insert("Sec-WebSocket-Accept", "auto");
    let mut map = Map::from([("status", Value::from(101))]);
    map.insert("headers", headers);
    map.insert("conversation", json::parse(messages).unwrap());
    map
}
