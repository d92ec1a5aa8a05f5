//! Content codings: a few bytes that say they are many.
//!
//! The first byte of an input chooses the coding, the rest is the body.

use crate::memory::within;
use rehearsal_model::Moment;
use rehearsal_wire::{Command, Event, Limits, Peer, protocol};

const LIMITS: Limits = Limits { head: 4096, body: 1 << 20, in_flight: 8, schemas: None };
/// A window of Brotli has up to 16 MiB and one of Zstandard 8 MiB; and the body a few times.
const MEMORY: usize = 64 << 20;

pub(crate) fn codings(data: &[u8]) {
    let Some((which, body)) = data.split_first() else { return };
    let coding = match which % 6 {
        0 => "gzip",
        1 => "deflate",
        2 => "br",
        3 => "zstd",
        4 => "gzip, br",
        _ => "zstd, gzip",
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let response = [head.as_bytes(), body].concat();
    within(MEMORY, || observe(&response));
}

fn observe(response: &[u8]) {
    let http = protocol("http").expect("there is HTTP");
    let mut observer = http.observer(LIMITS);
    let (at, mut out) = (Moment(7), Vec::new());
    let request = b"GET / HTTP/1.1\r\n\r\n";
    for event in [
        Event::Opened { at },
        Event::Data { from: Peer::Client, bytes: request, at },
        Event::Data { from: Peer::Server, bytes: response, at },
    ] {
        observer.handle(event, &mut out).expect("the framing is right, whatever the body");
    }
    let exchange = out.into_iter().find_map(|command| match command {
        Command::Emit { exchange, .. } => Some(exchange),
        _ => None,
    });
    let exchange = exchange.expect("the exchange is complete");
    let response = exchange.response.expect("there is a response");
    http.facets().response(&exchange.request, &response);
}
