//! What was observed can be replayed: a requester says it and a responder understands the same, and
//! the other way round with the answer.

use rehearsal_model::{Exchange, ExchangeId, Map, Moment, Value, json};
use rehearsal_wire::{Answer, Command, Ending, Event, Limits, Peer, Protocol, WireError};

use super::transcript::exchanges;

const AT: Moment = Moment(7);
const ID: ExchangeId = ExchangeId(1);

pub(crate) fn http(data: &[u8]) {
    every("http", data);
}

pub(crate) fn dns(data: &[u8]) {
    every("dns", data);
}

fn every(name: &str, data: &[u8]) {
    let protocol = rehearsal_wire::protocol(name).expect("the protocol is known");
    for exchange in exchanges(protocol, data) {
        let whole = !is_partial(&exchange) && !is_early(&exchange) && !is_coded_for_1_0(&exchange);
        if exchange.response.is_some()
            && exchange.failure.is_none()
            && whole
            && !is_conversation(&exchange)
        {
            replay(protocol, &exchange);
        }
    }
}

/// Whether a body was too large to keep, so that nothing can say it again.
fn is_partial(exchange: &Exchange) -> bool {
    let omitted = |map: &Map| map.get("omitted").is_some();
    omitted(&exchange.request) || exchange.response.as_ref().is_some_and(omitted)
}

/// Whether more than one message was said on either side; the targets of that protocol play those.
fn is_conversation(exchange: &Exchange) -> bool {
    exchange.response.as_ref().is_some_and(|response| response.get("conversation").is_some())
}

/// Whether the answer came before the body of the request, which then says another length.
fn is_early(exchange: &Exchange) -> bool {
    has_header(&exchange.request, |name, value| {
        name.eq_ignore_ascii_case("content-length") && value.as_text() != Some("auto")
    })
}

/// Whether an answer to HTTP/1.0 has a transfer coding, which that version does not know: it is
/// said without.
fn is_coded_for_1_0(exchange: &Exchange) -> bool {
    let response = exchange.response.as_ref();
    exchange.request.text("version") == Some("1.0")
        && response.is_some_and(|response| {
            has_header(response, |name, _| name.eq_ignore_ascii_case("transfer-encoding"))
        })
}

/// Whether a message has such a header. Where a name is repeated with others between, the headers
/// are a list of maps of one.
fn has_header(message: &Map, is_it: impl Fn(&str, &Value) -> bool) -> bool {
    let among = |headers: &Map| headers.iter().any(|(name, value)| is_it(name, value));
    match message.get("headers") {
        Some(Value::Map(headers)) => among(headers),
        Some(Value::List(list)) => list.iter().filter_map(Value::as_map).any(among),
        _ => false,
    }
}

fn replay(protocol: &dyn Protocol, exchange: &Exchange) {
    let mut requester = protocol.requester(Limits::default());
    let mut responder = protocol.responder(Limits::default());
    let mut give = |server: bool, event: Event<'_>| -> Result<Vec<Command>, WireError> {
        let mut out = Vec::new();
        if server { &mut responder } else { &mut requester }.handle(event, &mut out)?;
        Ok(out)
    };
    for server in [false, true] {
        give(server, Event::Opened { at: AT }).expect("nothing is wrong yet");
    }
    let recorded = exchange.response.as_ref();
    let request = Event::Request { id: ID, request: &exchange.request, recorded, at: AT };
    let (bytes, _) = sent(give(false, request).expect("what was observed can be said"));
    let data = Event::Data { from: Peer::Client, bytes: &bytes, at: AT };
    let asked = give(true, data).expect("what was said is understood");
    let asked = asked.into_iter().find_map(|command| match command {
        Command::Ask { id, request, .. } => Some((id, request)),
        _ => None,
    });
    let (id, asked) = asked.expect("what was said is a request");
    assert_eq!(asked, exchange.request, "{}", String::from_utf8_lossy(&bytes));
    let response = exchange.response.clone().expect("there is a response");
    let answer = Event::Answer { id, answer: Answer::Response(response), at: AT };
    let said = match give(true, answer) {
        // A code of more than four bits was read from EDNS, in which nothing is answered.
        Err(WireError::Unwritable { protocol: "dns", what }) if what.contains("EDNS") => return,
        said => said.expect("the answer can be said"),
    };
    let (bytes, closes) = sent(said);
    let data = Event::Data { from: Peer::Server, bytes: &bytes, at: AT };
    let mut emitted = give(false, data).expect("the answer is understood");
    if closes {
        let how = Ending::Finished;
        let closed = Event::Closed { from: Peer::Server, how, at: AT };
        emitted.extend(give(false, closed).expect("an ending is understood"));
    }
    // An answer that has no end of its own is left after a while.
    let wake = emitted.iter().find_map(|command| match command {
        Command::Wake { after } => Some(*after),
        _ => None,
    });
    if let Some(after) = wake {
        let nanoseconds = u64::try_from(after.as_nanos()).expect("a client is not that patient");
        let at = Moment(AT.0 + nanoseconds);
        emitted.extend(give(false, Event::Tick { at }).expect("time passes"));
    }
    let again = emitted.into_iter().find_map(|command| match command {
        Command::Emit { exchange, .. } => Some(exchange),
        _ => None,
    });
    let again = again.expect("the answer is complete");
    let (mut again_said, mut said) = (without_continue(&again), without_continue(exchange));
    if protocol.name() == "dns" {
        (again_said, said) = (in_lower_case(again_said), in_lower_case(said));
    }
    assert_eq!(again_said, said, "{}", String::from_utf8_lossy(&bytes));
    assert_eq!(again.failure, None);
}

/// The response without what asked for the body: a body that is there is not asked for.
fn without_continue(exchange: &Exchange) -> Map {
    let mut response = exchange.response.clone().unwrap_or_default();
    if let Some(Value::List(mut list)) = response.remove("informational") {
        let status = |it: &Value| it.as_map()?.get("status")?.as_i64();
        list.retain(|it| status(it) != Some(100));
        if !list.is_empty() {
            response.insert("informational", list);
        }
    }
    response
}

/// Names in a DNS answer take the spelling of the question.
fn in_lower_case(response: Map) -> Map {
    Map::from([("response", json::to_string(&response.into()).to_ascii_lowercase())])
}

/// The bytes that are sent, and whether the connection is closed after them.
fn sent(commands: Vec<Command>) -> (Vec<u8>, bool) {
    let (mut bytes, mut closes) = (Vec::new(), false);
    for command in commands {
        match command {
            Command::Send { bytes: piece, .. } => bytes.extend(piece),
            Command::Close { .. } => closes = true,
            _ => {}
        }
    }
    (bytes, closes)
}
