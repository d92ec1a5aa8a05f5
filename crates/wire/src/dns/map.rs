//! From a message to the maps that are recorded, and back.

use super::encode::unwritable;
use super::message::{Message, Question, Record, bit};
use super::name::Name;
use super::word::{CLASSES, FLAGS, IN, KINDS, RCODES};
use super::{presentation, word};
use crate::WireError;
use rehearsal_model::{Map, Value};

/// The bits of a query that a stub resolver sends; they are not recorded.
const USUAL_QUERY: u16 = bit::RECURSION_DESIRED;

/// The bits of an answer by a resolver that looks names up for others; they are not recorded. The
/// one that repeats the query is left out.
const USUAL_ANSWER: u16 = bit::RECURSION_AVAILABLE;

/// A query as it is recorded.
pub(super) fn query_map(message: &Message, question: &Question) -> Map {
    let mut map = Map::from([("query", question_text(question))]);
    push_flags(&mut map, message.bits, USUAL_QUERY);
    map
}

/// `payments.example A`, with the class behind it when it is not IN.
fn question_text(question: &Question) -> String {
    let kind = KINDS.word(question.kind);
    match question.class {
        IN => format!("{} {kind}", question.name),
        class => format!("{} {kind} {}", question.name, CLASSES.word(class)),
    }
}

/// The question of a recorded query.
pub(super) fn parse_question(text: &str) -> Option<Question> {
    let mut parts = text.split(' ');
    let (name, kind, class) = (parts.next()?, parts.next()?, parts.next());
    let class = class.map_or(Some(IN), |class| CLASSES.number(class))?;
    let end = parts.next().is_none();
    let (name, kind) = (Name::parse(name)?, KINDS.number(kind)?);
    end.then_some(Question { name, kind, class })
}

/// The question and header bits of a recorded query.
///
/// # Errors
/// When a key does not hold what it must.
pub(super) fn parse_query(map: &Map) -> Result<(Question, u16), WireError> {
    let question = map.text("query").and_then(parse_question);
    let question = question.ok_or_else(|| unwritable("`query` must be like `host.example A`"))?;
    Ok((question, parse_flags(map, USUAL_QUERY)?))
}

/// A response as it is recorded.
pub(super) fn answer_map(message: &Message) -> Map {
    let mut map = Map::from([("rcode", RCODES.word(message.rcode))]);
    push_flags(&mut map, message.bits & !bit::RECURSION_DESIRED, USUAL_ANSWER);
    if message.bits & bit::TRUNCATED != 0 {
        map.push_new("truncated", true);
    }
    let sections = [
        ("records", &message.records),
        ("authority", &message.authority),
        ("additional", &message.additional),
    ];
    for (key, section) in sections {
        if !section.is_empty() {
            map.push_new(key, section.iter().map(record_map).collect::<Vec<_>>());
        }
    }
    map
}

/// The response that a map stands for; its number and question are the caller's.
///
/// # Errors
/// When a key does not hold what it must.
pub(super) fn parse_answer(map: &Map) -> Result<Message, WireError> {
    let rcode = map.text("rcode").and_then(|word| RCODES.number(word));
    let truncated = map.get("truncated") == Some(&Value::Bool(true));
    let truncated = if truncated { bit::TRUNCATED } else { 0 };
    Ok(Message {
        id: 0,
        bits: bit::RESPONSE | truncated | parse_flags(map, USUAL_ANSWER)?,
        rcode: rcode.ok_or_else(|| unwritable("`rcode` must be a word such as NOERROR"))?,
        question: None,
        records: parse_records(map, "records")?,
        authority: parse_records(map, "authority")?,
        additional: parse_records(map, "additional")?,
    })
}

fn push_flags(map: &mut Map, bits: u16, usual: u16) {
    let known = FLAGS.iter().fold(0, |all, (bit, _)| all | bit);
    if bits & known != usual {
        let set = FLAGS.iter().filter(|(bit, _)| bits & bit != 0);
        map.push_new("flags", set.map(|(_, word)| *word).collect::<Vec<_>>());
    }
}

fn parse_flags(map: &Map, usual: u16) -> Result<u16, WireError> {
    let Some(flags) = map.get("flags") else { return Ok(usual) };
    let bit = |flag: &Value| {
        let word = flag.as_text()?;
        FLAGS.iter().find(|(_, known)| *known == word).map(|(bit, _)| *bit)
    };
    let bits = flags
        .as_list()
        .and_then(|flags| flags.iter().try_fold(0, |all, flag| Some(all | bit(flag)?)));
    bits.ok_or_else(|| unwritable("`flags` must be a list of aa, rd, ra, ad and cd"))
}

fn record_map(record: &Record) -> Map {
    let mut map = Map::from([("name", record.name.to_string())]);
    map.push_new("type", KINDS.word(record.kind));
    if record.class != IN {
        map.push_new("class", CLASSES.word(record.class));
    }
    map.push_new("ttl", record.ttl);
    map.push_new("data", presentation::value(&record.data));
    map
}

fn parse_records(map: &Map, key: &str) -> Result<Vec<Record>, WireError> {
    let Some(section) = map.get(key) else { return Ok(Vec::new()) };
    let wrong = |place: usize, what| unwritable(format!("`{key}[{place}]` {what}"));
    let section =
        section.as_list().ok_or_else(|| unwritable(format!("`{key}` must be a list of maps")))?;
    let parse = |(place, record): (usize, &Value)| {
        let record = record.as_map().ok_or_else(|| wrong(place, "must be a map"))?;
        parse_record(record)
            .ok_or_else(|| wrong(place, "must have `name`, `type` and `data` that fits the type"))
    };
    section.iter().enumerate().map(parse).collect()
}

/// A record without a time to live may not be kept by who asks.
fn parse_record(map: &Map) -> Option<Record> {
    let kind = KINDS.number(map.text("type")?)?;
    let class = map.text("class").map_or(Some(IN), |class| CLASSES.number(class))?;
    let ttl = match map.get("ttl") {
        Some(ttl) => u32::try_from(ttl.as_i64()?).ok()?,
        None => 0,
    };
    let data = presentation::parse(kind, class, map.get("data")?)?;
    let not_opt = kind != word::kind::OPT;
    not_opt.then_some(Record { name: Name::parse(map.text("name")?)?, kind, class, ttl, data })
}
