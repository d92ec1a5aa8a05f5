//! Messages in comparison form: what says the same is equal, and what is of no concern is absent.

use super::content::Kind;
use super::endless::ENDED;
use super::{events, fields, form, media};
use crate::websocket;
use rehearsal_model::{Map, Value, json, stream};
use std::borrow::Cow;

/// Whether a message is a request or a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// Fields of one connection (RFC 9110, section 7.6.1) and of framing.
const CONNECTION: &[&str] = &[
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "sec-websocket-extensions",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields of requests that tell of the client's software, or tie a call to its cause.
const CLIENT: &[&str] = &[
    "accept-encoding",
    "b3",
    "date",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "host",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-correlation-id",
    "x-rehearsal-test",
    "x-request-id",
];

/// Fields whose value is a set (RFC 9110, sections 10.2.1 and 12.5.5; Fetch, section 3.3): servers that
/// keep one in a hash table list it in another order at each start.
const SETS: &[&str] = &[
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-expose-headers",
    "allow",
    "vary",
];

/// Adds headers, body and trailers in comparison form.
pub(super) fn message(message: &Map, side: Side, out: &mut Map) {
    if side == Side::Response {
        informational(message, out);
    }
    add_fields("headers", message.get("headers"), side, out);
    let list = fields::each(message.get("headers"));
    content(message, Kind::of(list.into_iter()).content_type, side, out);
    add_fields("trailers", message.get("trailers"), side, out);
    if let Some(by) = message.get(ENDED) {
        out.push_new(ENDED, by.clone());
    }
    // How a call of gRPC ended, whichever fields said it.
    if let Some(ended) = message.get("grpc") {
        out.push_new("grpc", ended.clone());
    }
    if let Some(messages) = stream::conversation(message) {
        let messages = messages.iter().map(websocket::comparable).collect();
        out.push_new(stream::CONVERSATION, Value::List(messages));
    }
}

/// Early hints and the like matter; whether a `100 Continue` came is a matter of timing.
fn informational(message: &Map, out: &mut Map) {
    let list = message.get("informational").and_then(Value::as_list).unwrap_or_default();
    let mut shown: Vec<Value> = Vec::new();
    for map in list.iter().filter_map(Value::as_map) {
        let status = map.get("status").cloned().unwrap_or_default();
        if status.as_i64() == Some(100) {
            continue;
        }
        let mut one = Map::from([("status", status)]);
        add_fields("headers", map.get("headers"), Side::Response, &mut one);
        shown.push(one.into());
    }
    if !shown.is_empty() {
        out.push_new("informational", Value::List(shown));
    }
}

fn add_fields(key: &str, recorded: Option<&Value>, side: Side, out: &mut Map) {
    let list = fields::each(recorded);
    let nominated = connection_options(&list);
    let mut shown: Vec<(String, Value)> = Vec::with_capacity(list.len());
    for (name, value) in list {
        let name = name.to_ascii_lowercase();
        let elsewhere = name.starts_with("grpc-") && value.as_text() == Some("auto");
        if !is_left_out(&name, side) && !nominated.contains(&name) && !elsewhere {
            let value = comparable(&name, value);
            shown.push((name, value));
        }
    }
    if !shown.is_empty() {
        shown.sort_by(|one, other| one.0.cmp(&other.0));
        out.push_new(key, grouped(shown));
    }
}

/// The fields that `Connection` declares to be of this connection only.
fn connection_options(list: &[(&str, &Value)]) -> Vec<String> {
    let options = fields::find(list, "connection").unwrap_or_default().split(',');
    options.map(|option| option.trim().to_ascii_lowercase()).collect()
}

fn is_left_out(name: &str, side: Side) -> bool {
    CONNECTION.contains(&name)
        || (side == Side::Request && (CLIENT.contains(&name) || name.starts_with("x-b3-")))
}

fn comparable(name: &str, value: &Value) -> Value {
    match (name, value) {
        ("date", Value::Text(date)) if is_imf_fixdate(date) => "<HTTP date>".into(),
        // Clients make up a boundary for each message.
        ("content-type", Value::Text(kind)) if media::boundary(Some(kind)).is_some() => {
            media::without_boundary(kind).into()
        }
        (_, Value::Text(members)) if SETS.contains(&name) => in_order(members).into(),
        _ => value.clone(),
    }
}

/// The members of a set between commas, sorted.
fn in_order(members: &str) -> String {
    let mut members: Vec<&str> = members.split(',').map(str::trim).collect();
    members.sort_unstable();
    members.join(", ")
}

/// Sorted pairs as a map; values of equal names become a list.
pub(super) fn grouped(list: Vec<(String, Value)>) -> Map {
    let mut out: Vec<(String, Value)> = Vec::with_capacity(list.len());
    for (name, value) in list {
        match out.last_mut() {
            Some((last, values)) if *last == name => fields::push(values, value),
            _ => out.push((name, value)),
        }
    }
    let mut map = Map::new();
    out.into_iter().for_each(|(name, value)| map.push_new(name, value));
    map
}

fn content(message: &Map, content_type: Option<&str>, side: Side, out: &mut Map) {
    if let Some(omitted) = message.get("omitted") {
        out.push_new("omitted", omitted.clone());
    } else if let Some(messages) = message.get("messages") {
        if messages.as_list().is_none_or(|list| !list.is_empty()) {
            out.push_new("messages", messages.clone());
        }
    } else if let Some(parts) = message.get("multipart").and_then(Value::as_list) {
        out.push_new("multipart", Value::List(parts.iter().map(part).collect()));
    } else if let Some(list) = message.get("events") {
        out.push_new("events", events::comparable(list));
    } else if let Some(list) = message.get("values") {
        out.push_new("values", list.clone());
    } else if let Some(value) = message.get("form") {
        out.push_new("form", sorted_form(fields::each(Some(value))));
    } else if let Some(body) = message.get("body")
        && !(side == Side::Request && body.as_text() == Some(""))
    {
        // A request without content is the same whether it says the length of that or not.
        let (key, value) = meaning(body, content_type);
        out.push_new(key, value.into_owned());
    }
}

/// What the body of a message says, when it has one that is neither a form nor multipart.
pub(super) fn body<'a>(message: &'a Map, content_type: Option<&str>) -> Option<Cow<'a, Value>> {
    let shown = message.get("omitted").or(message.get("multipart")).or(message.get("form"));
    let body = message.get("body").filter(|_| shown.is_none())?;
    let (key, value) = meaning(body, content_type);
    (key == "body").then_some(value)
}

/// What a body says, however it is spelled.
fn meaning<'a>(body: &'a Value, content_type: Option<&str>) -> (&'static str, Cow<'a, Value>) {
    let Value::Text(text) = body else { return ("body", Cow::Borrowed(body)) };
    if media::is(content_type, "application/x-www-form-urlencoded") && !text.is_empty() {
        let pairs: Option<Vec<(String, Value)>> = form::pairs(text)
            .map(|(name, value)| Some((name?, Value::Text(value.unwrap_or(Some(String::new()))?))))
            .collect();
        if let Some(pairs) = pairs {
            let list = pairs.iter().map(|(name, value)| (name.as_str(), value)).collect();
            return ("form", Cow::Owned(sorted_form(list)));
        }
    }
    if media::may_be_json(content_type, text.as_bytes())
        && let Ok(tree) = json::parse(text)
    {
        return ("body", Cow::Owned(tree));
    }
    ("body", Cow::Borrowed(body))
}

fn sorted_form(mut list: Vec<(&str, &Value)>) -> Value {
    list.sort_by(|one, other| one.0.cmp(other.0));
    let owned = list.into_iter().map(|(name, value)| (name.to_owned(), value.clone()));
    Value::Map(grouped(owned.collect()))
}

fn part(part: &Value) -> Value {
    let Some(map) = part.as_map() else { return part.clone() };
    let mut out = Map::new();
    add_fields("headers", map.get("headers"), Side::Response, &mut out);
    let list = fields::each(map.get("headers"));
    let content_type = Kind::of(list.into_iter()).content_type.or(Some("text/plain"));
    content(map, content_type, Side::Response, &mut out);
    Value::Map(out)
}

/// Whether text is a date in the form that HTTP generates (RFC 9110, section 5.6.7), such as
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn is_imf_fixdate(text: &str) -> bool {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number = |at: usize, digits: usize, max: u32| {
        let digits = text.get(at..at + digits).filter(|it| it.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|it| it.parse::<u32>().ok()).is_some_and(|number| number <= max)
    };
    let literal = |at: usize, wanted: &str| text.get(at..at + wanted.len()) == Some(wanted);
    text.len() == 29
        && text.get(..3).is_some_and(|day| DAYS.contains(&day))
        && text.get(8..11).is_some_and(|month| MONTHS.contains(&month))
        && [(3, ", "), (7, " "), (11, " "), (16, " "), (19, ":"), (22, ":"), (25, " GMT")]
            .iter()
            .all(|(at, wanted)| literal(*at, wanted))
        && number(5, 2, 31)
        && number(12, 4, 9999)
        && number(17, 2, 23)
        && number(20, 2, 59)
        && number(23, 2, 60)
}
