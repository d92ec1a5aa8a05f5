//! gRPC: messages in the content of a request, and descriptors.
//!
//! The first byte of an input says whether the rest is one message or a whole content. Whatever it is, it
//! comes back byte for byte from what is recorded of it.

use crate::memory::within;
use rehearsal_model::{ExchangeId, Map, Moment};
use rehearsal_wire::{Command, Event, Limits, Peer, Schemas, protocol};

/// The schemas by which the messages are read.
const KNOWN: &[u8] = include_bytes!("../../corpus/descriptors/interop");
/// What a message of 64 KiB may take while it is shown.
const MEMORY: usize = 64 << 20;
const AT: Moment = Moment(7);

pub(crate) fn grpc(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let length = u32::try_from(rest.len()).expect("inputs are small").to_be_bytes();
    let content = match which % 2 {
        0 => [&[0], &length[..], rest].concat(),
        _ => rest.to_vec(),
    };
    let schemas = Schemas::shared(KNOWN).expect("the descriptors are good");
    for schemas in [schemas, None] {
        let limits = Limits { schemas, ..Limits::default() };
        let request = within(MEMORY, || observe(limits, &content));
        let again = send(limits, &request);
        assert!(again.ends_with(&content), "the content is sent as it was");
    }
}

pub(crate) fn descriptors(data: &[u8]) {
    within(MEMORY, || Schemas::read(data).is_ok());
}

fn observe(limits: Limits, content: &[u8]) -> Map {
    let http = protocol("http").expect("there is HTTP");
    let mut observer = http.observer(limits);
    let head = format!(
        "POST /interop.Interop/Unary HTTP/1.1\r\nContent-Type: application/grpc-web\r\n\
         Content-Length: {}\r\n\r\n",
        content.len()
    );
    let asked = [head.as_bytes(), content].concat();
    let mut out = Vec::new();
    for event in [
        Event::Opened { at: AT },
        Event::Data { from: Peer::Client, bytes: &asked, at: AT },
        Event::Data { from: Peer::Server, bytes: b"HTTP/1.1 204 No Content\r\n\r\n", at: AT },
    ] {
        observer.handle(event, &mut out).expect("the framing is right, whatever the content");
    }
    let exchange = out.into_iter().find_map(|command| match command {
        Command::Emit { exchange, .. } => Some(exchange),
        _ => None,
    });
    let exchange = exchange.expect("the exchange is complete");
    http.facets().request(&exchange.request);
    exchange.request
}

fn send(limits: Limits, request: &Map) -> Vec<u8> {
    let http = protocol("http").expect("there is HTTP");
    let mut out = Vec::new();
    let event = Event::Request { id: ExchangeId(1), request, recorded: None, at: AT };
    http.requester(limits).handle(event, &mut out).expect("what was recorded can be sent");
    let sent = out.iter().filter_map(|command| match command {
        Command::Send { bytes, .. } => Some(&bytes[..]),
        _ => None,
    });
    sent.collect::<Vec<_>>().concat()
}
