//! What a recorded look-up says of names and addresses.

use super::map::{parse_answer, parse_question};
use super::message::Data;
use super::name::Name;
use rehearsal_model::Map;
use std::collections::HashSet;
use std::net::IpAddr;

/// The name that a recorded query asks for, in lower case and without a final dot; `None` when
/// `query` does not hold one.
#[must_use]
pub fn queried_name(query: &Map) -> Option<String> {
    let question = parse_question(query.text("query")?)?;
    Some(question.name.to_string().to_ascii_lowercase())
}

/// The addresses that a recorded answer gives for the name of its query, by itself or through
/// CNAME, in the order of the answer. Empty when there are none or a key is not as it must be.
#[must_use]
pub fn addresses(query: &Map, answer: &Map) -> Vec<IpAddr> {
    let question = query.text("query").and_then(parse_question);
    let (Some(question), Ok(answer)) = (question, parse_answer(answer)) else {
        return Vec::new();
    };
    let lower = |name: &Name| name.to_string().to_ascii_lowercase();
    let aliases = answer.records.iter().filter_map(|record| match &record.data {
        Data::Name(target) if record.kind == super::word::kind::CNAME => Some(lower(target)),
        _ => None,
    });
    let names: HashSet<String> = aliases.chain([lower(&question.name)]).collect();
    let records = answer.records.iter().filter(|record| names.contains(&lower(&record.name)));
    let address = |data: &Data| match data {
        Data::Address(address) => Some(*address),
        _ => None,
    };
    records.filter_map(|record| address(&record.data)).collect()
}
