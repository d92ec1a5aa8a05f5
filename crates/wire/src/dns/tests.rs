//! Datagrams written out by hand, hostile ones, and round trips.

use super::decode::decode;
use super::encode::encode;
use super::map::{answer_map, parse_answer, parse_query, query_map};
use super::message::{Data, Message, Question, Record, bit};
use super::name::Name;
use super::word::{IN, kind};
use super::{Dns, addresses, queried_name};
use crate::{Answer, Command, Ending, Event, Limits, Miss, Peer, Protocol, Session, Verdict};
use proptest::prelude::*;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value, json};

use Peer::{Client, Server};

/// A query for `payments.example A`: number 0x1234, rd, and an OPT record of 1232 bytes.
const QUERY: &[u8] = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\x01\
    \x08payments\x07example\0\0\x01\0\x01\
    \0\0\x29\x04\xd0\0\0\0\0\0\0";

/// Its answer: a CNAME to `lb.example` by a pointer into the question, and the address of that.
const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\x01\
    \x08payments\x07example\0\0\x01\0\x01\
    \xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x05\x02lb\xc0\x15\
    \xc0\x2e\0\x01\0\x01\0\0\0\x05\0\x04\x0a\0\0\x07\
    \0\0\x29\x04\xd0\0\0\0\0\0\0";

const SMALL: Limits = Limits { head: 512, body: 512, in_flight: 2, schemas: None };

/// A session that is given events.
struct Side(Box<dyn Session>);

impl Side {
    fn give(&mut self, event: Event<'_>) -> Vec<Command> {
        let mut out = Vec::new();
        self.0.handle(event, &mut out).unwrap();
        out
    }

    fn data(&mut self, from: Peer, bytes: &[u8], at: u64) -> Vec<Command> {
        self.give(Event::Data { from, bytes, at: Moment(at) })
    }

    /// The only thing that the player of the server sends for an answer.
    fn answer(&mut self, id: u64, answer: Answer) -> Vec<u8> {
        let out = self.give(Event::Answer { id: ExchangeId(id), answer, at: Moment(9) });
        match &out[..] {
            [] => Vec::new(),
            [Command::Send { to: Client, bytes }] => bytes.to_vec(),
            other => panic!("unexpected {other:?}"),
        }
    }
}

fn emitted(out: Vec<Command>) -> Vec<(u64, Exchange)> {
    let emits = out.into_iter().filter_map(|command| match command {
        Command::Emit { id, exchange } => Some((id.0, *exchange)),
        _ => None,
    });
    emits.collect()
}

fn record(name: &str, kind: &str, ttl: u32, data: &str) -> Map {
    let mut record = Map::from([("name", name), ("type", kind)]);
    record.insert("ttl", ttl);
    record.insert("data", data);
    record
}

fn payments() -> Map {
    let records = vec![
        record("payments.example", "CNAME", 60, "lb.example"),
        record("lb.example", "A", 5, "10.0.0.7"),
    ];
    let mut answer = Map::from([("rcode", "NOERROR")]);
    answer.insert("records", records);
    answer
}

fn named(query: &str) -> Map {
    Map::from([("query", query)])
}

#[test]
fn a_look_up_is_observed() {
    let mut side = Side(Dns.observer(SMALL));
    let begun = side.data(Client, QUERY, 1);
    assert_eq!(begun, [Command::Begin { id: ExchangeId(1), at: Moment(1) }]);
    assert_eq!(side.data(Client, QUERY, 2), [], "sent again, it is the same");
    let seen = emitted(side.data(Server, ANSWER, 3));
    let expected = Exchange {
        request: named("payments.example A"),
        response: Some(payments()),
        failure: None,
        connection: 0,
        unit: None,
        started: Moment(1),
        finished: Moment(3),
    };
    assert_eq!(seen, [(1, expected)]);
    assert_eq!(side.data(Server, ANSWER, 4), [], "answered twice, it is one");
}

#[test]
fn answers_are_told_apart_by_number_and_question() {
    let mut side = Side(Dns.observer(SMALL));
    let mut aaaa = QUERY.to_vec();
    aaaa[0] = 0x99;
    aaaa[31] = 28;
    side.data(Client, &aaaa, 1);
    side.data(Client, QUERY, 2);
    assert_eq!(emitted(side.data(Server, ANSWER, 3))[0].0, 2);

    let mut forged = ANSWER.to_vec();
    forged[0] = 0x99;
    assert_eq!(side.data(Server, &forged, 4), [], "the number of one, the question of another");

    let refused = b"\x99\x34\x80\x01\0\0\0\0\0\0\0\0";
    let (id, seen) = emitted(side.data(Server, refused, 5)).remove(0);
    assert_eq!((id, seen.request), (1, named("payments.example AAAA")));
    let expected = r#"{"rcode":"FORMERR","flags":[]}"#;
    assert_eq!(json::to_string(&Value::from(seen.response)), expected);
}

#[test]
fn what_is_never_answered_is_a_failure() {
    for (from, how, failure) in [
        (Client, Ending::Finished, Failure::TimedOut),
        (Server, Ending::Finished, Failure::TimedOut),
        (Server, Ending::Reset, Failure::Refused),
    ] {
        let mut side = Side(Dns.observer(SMALL));
        side.data(Client, QUERY, 1);
        let seen = emitted(side.give(Event::Closed { from, how, at: Moment(7) }));
        assert_eq!((seen[0].1.failure, &seen[0].1.response), (Some(failure), &None));
    }
}

#[test]
fn what_waits_is_bounded() {
    let numbered = |number| {
        let mut query = QUERY.to_vec();
        query[0] = number;
        query
    };
    let mut observer = Side(Dns.observer(SMALL));
    let mut responder = Dns.responder(SMALL);
    for number in 0..2 {
        observer.data(Client, &numbered(number), 1);
        let bytes = &numbered(number);
        let event = Event::Data { from: Client, bytes, at: Moment(1) };
        responder.handle(event, &mut Vec::new()).unwrap();
    }
    let seen = emitted(observer.data(Client, &numbered(2), 2));
    assert_eq!((seen[0].0, seen[0].1.failure), (1, Some(Failure::TimedOut)), "the oldest goes");
    let event = Event::Data { from: Client, bytes: &numbered(2), at: Moment(1) };
    let error = responder.handle(event, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "read dns: more than 2 queries without an answer");
}

#[test]
fn a_played_server_keeps_number_and_spelling() {
    let mut side = Side(Dns.responder(SMALL));
    let mut query = QUERY.to_vec();
    query[13..21].copy_from_slice(b"pAyMeNtS");
    let asked = side.data(Client, &query, 1);
    let [Command::Ask { id: ExchangeId(1), request, at: Moment(1) }] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(request.text("query"), Some("pAyMeNtS.example A"));
    let bytes = side.answer(1, Answer::Response(payments()));
    let mut expected = ANSWER[..ANSWER.len() - 11].to_vec();
    expected[13..21].copy_from_slice(b"pAyMeNtS");
    expected[11] = 0;
    assert_eq!(bytes, expected, "without EDNS, the owner spelled as it was asked");
    assert_eq!(side.answer(1, Answer::Response(payments())), b"", "answered once");
}

#[test]
fn a_played_server_says_that_it_failed_on_a_miss_and_nothing_on_a_failure() {
    let mut side = Side(Dns.responder(SMALL));
    let miss = Miss { message: "no mock".to_owned(), details: Value::Null };
    for (id, answer) in [(1, Answer::Miss(miss)), (2, Answer::Incomplete)] {
        side.data(Client, QUERY, 1);
        let bytes = side.answer(id, answer);
        assert_eq!(bytes[..4], *b"\x12\x34\x81\x82");
        assert_eq!(decode(&bytes).unwrap().question, decode(QUERY).unwrap().question);
    }
    side.data(Client, QUERY, 2);
    assert_eq!(side.answer(3, Answer::Failure(Failure::TimedOut)), b"");
}

#[test]
fn a_played_client_gets_what_a_played_server_says() {
    let mut client = Side(Dns.requester(SMALL));
    let mut server = Side(Dns.responder(SMALL));
    let mut request = named("4.3.2.1.in-addr.arpa PTR CH");
    request.insert("flags", vec!["rd", "ad"]);
    let id = ExchangeId(70);
    let sent = client.give(Event::Request { id, request: &request, recorded: None, at: Moment(1) });
    let [Command::Send { to: Server, bytes }] = &sent[..] else { panic!("{sent:?}") };
    let asked = server.data(Client, bytes, 2);
    assert!(matches!(&asked[..], [Command::Ask { request: asked, .. }] if *asked == request));
    let answer = Map::from([("rcode", Value::from("NXDOMAIN")), ("truncated", Value::from(true))]);
    let bytes = server.answer(1, Answer::Response(answer.clone()));
    let seen = emitted(client.data(Server, &bytes, 3));
    assert_eq!((seen[0].0, seen[0].1.response.clone()), (70, Some(answer)));
}

#[test]
fn every_type_has_its_text() {
    let name = |text: &str| Name::parse(text).unwrap();
    let data = [
        (kind::AAAA, Data::Address("2001:db8::7".parse().unwrap())),
        (kind::NS, Data::Name(name("ns.example"))),
        (kind::PTR, Data::Name(name("."))),
        (kind::MX, Data::Mail(10, name("mail.example"))),
        (kind::TXT, Data::Strings(vec![b"a \"b\"".to_vec(), b"\x00".to_vec(), Vec::new()])),
        (kind::SRV, Data::Service([1, 2, 443], name("a\\.b.example"))),
        (kind::SOA, Data::Start(name("ns.example"), name("me.example"), [1, 2, 3, 4, u32::MAX])),
        (65, Data::Other(vec![0, 1, 0])),
    ];
    let records =
        data.map(|(kind, data)| Record { name: name("example"), kind, class: IN, ttl: 0, data });
    let bits = bit::RESPONSE | bit::RECURSION_AVAILABLE;
    let message = Message { bits, records: records.to_vec(), ..Message::default() };
    let map = answer_map(&decode(&encode(&message).unwrap()).unwrap());
    let texts: Vec<_> = map.get("records").and_then(Value::as_list).unwrap().iter().collect();
    let texts: Vec<_> = texts
        .into_iter()
        .filter_map(Value::as_map)
        .map(|record| (record.text("type").unwrap(), record.get("data").unwrap().clone()))
        .collect();
    let expected = [
        ("AAAA", Value::from("2001:db8::7")),
        ("NS", Value::from("ns.example")),
        ("PTR", Value::from(".")),
        ("MX", Value::from("10 mail.example")),
        ("TXT", Value::from(r#""a \"b\"" "\000" """#)),
        ("SRV", Value::from(r"1 2 443 a\.b.example")),
        ("SOA", Value::from("ns.example me.example 1 2 3 4 4294967295")),
        ("TYPE65", Value::Bytes(vec![0, 1, 0])),
    ];
    assert_eq!(texts, expected);
    assert_eq!(parse_answer(&map).unwrap(), message);
}

#[track_caller]
fn rejected(datagram: &[u8], expected: &str) {
    assert_eq!(decode(datagram).unwrap_err().to_string(), format!("read dns: {expected}"));
}

#[test]
fn hostile_datagrams_are_errors() {
    let header = |answers: u8| [&b"\0\x01\x80\0\0\x01\0"[..], &[answers], b"\0\0\0\0"].concat();
    let asked = |rest: &[u8]| [&header(1), rest].concat();
    rejected(&asked(b"\xc0\x0c\0\x01\0\x01"), "a name that does not point backwards");
    rejected(&asked(b"\x01a\xc0\x0c\0\x01\0\x01"), "a name that does not point backwards");
    rejected(&asked(b"\xc0\x00\0\x01\0\x01"), "a name that does not point backwards");
    rejected(&asked(b"\x01a\xc0\x40\0\x01\0\x01"), "a name that does not point backwards");
    rejected(&asked(b"\x3fabc"), "a label beyond the end of the datagram");
    rejected(&asked(b"\x41a\0\0\x01\0\x01"), "a label of unknown form");
    rejected(&asked(&b"\x01a".repeat(128)), "a name longer than 255 bytes");
    rejected(&asked(b"\x01a\0\0\x01\0\x01"), "a name beyond the end of the datagram");
    let with = |tail: &[u8]| asked(&[&b"\x01a\0\0\x01\0\x01\xc0\x0c"[..], tail].concat());
    rejected(
        &with(b"\0\x01\0\x01\0\0\0\0\0\x05\x01\x02\x03\x04"),
        "the data of a record beyond the end of the datagram",
    );
    rejected(
        &with(b"\0\x01\0\x01\0\0\0\0\0\x03\x01\x02\x03"),
        "the data of a record beyond the end of the datagram",
    );
    rejected(
        &with(b"\0\x01\0\x01\0\0\0\0\0\x05\x01\x02\x03\x04\x05"),
        "the data of a record that is longer than its type has",
    );
    rejected(b"\0\x01\0\0\xff\xff\0\0\0\0\0\0", "not exactly one question");
    rejected(b"\0\x01\x28\0\0\x01\0\0\0\0\0\0", "an operation other than a query");
}

#[test]
fn a_chain_of_pointers_has_an_end() {
    // Each record's name is a pointer to the name of the record before.
    let mut datagram = b"\0\x01\x80\0\0\x01\0\xff\0\0\0\0\x01a\0\0\x01\0\x01".to_vec();
    let mut before = 12_u16;
    for _ in 0..255 {
        let here = u16::try_from(datagram.len()).unwrap();
        datagram.extend((0xc000 | before).to_be_bytes());
        datagram.extend(b"\0\x01\0\x01\0\0\0\0\0\x04\x01\x02\x03\x04");
        before = here;
    }
    rejected(&datagram, "a name of too many pointers");
}

#[test]
fn every_beginning_of_a_datagram_is_an_error() {
    for datagram in [QUERY, ANSWER] {
        decode(datagram).unwrap();
        for length in 0..datagram.len() {
            decode(&datagram[..length]).unwrap_err();
        }
    }
}

#[test]
fn what_cannot_be_written_is_said() {
    let error = |answer: Map| parse_answer(&answer).unwrap_err().to_string();
    assert_eq!(error(Map::new()), "write dns: `rcode` must be a word such as NOERROR");
    let mut answer = payments();
    answer.insert("records", vec![record("lb.example", "A", 5, "10.0.0")]);
    assert_eq!(
        error(answer),
        "write dns: `records[0]` must have `name`, `type` and `data` that fits the type"
    );
    let message = parse_answer(&Map::from([("rcode", "RCODE16")])).unwrap();
    encode(&message).unwrap_err();
    let large = Record {
        name: Name::default(),
        kind: 65,
        class: IN,
        ttl: 0,
        data: Data::Other(vec![0; 65_530]),
    };
    encode(&Message { records: vec![large], ..Message::default() }).unwrap_err();
}

#[test]
fn facets_forget_spelling_order_and_time() {
    let facets = Dns.facets();
    let (asked, spelled) = (named("payments.example A"), named("PayMents.Example. a"));
    assert_eq!(facets.identity(&asked), facets.identity(&spelled));
    assert_eq!(facets.operation(&spelled), "payments.example A");
    assert_ne!(facets.identity(&asked), facets.identity(&named("payments.example AAAA")));
    assert!(facets.repeatable(&asked));

    let mut other = payments();
    let records = vec![
        record("LB.example", "A", 4, "10.0.0.7"),
        record("payments.example", "CNAME", 59, "lb.example"),
    ];
    other.insert("records", records);
    assert_eq!(facets.response(&asked, &payments()), facets.response(&asked, &other));
    assert_eq!(Dns.detect(QUERY, b""), Verdict::No);
}

#[test]
fn addresses_are_those_of_the_name_that_was_asked_for() {
    let query = named("Payments.Example A");
    assert_eq!(queried_name(&query).as_deref(), Some("payments.example"));
    assert_eq!(addresses(&query, &payments()), ["10.0.0.7".parse::<std::net::IpAddr>().unwrap()]);
    assert!(addresses(&query, &Map::from([("rcode", "NXDOMAIN")])).is_empty());
    let mut stray = payments();
    stray.insert("records", vec![record("other.example", "A", 5, "10.0.0.9")]);
    assert!(addresses(&query, &stray).is_empty());
    assert_eq!(queried_name(&Map::new()), None);
}

fn any_name() -> impl Strategy<Value = Name> {
    let label = prop::collection::vec(any::<u8>().prop_map(|byte| byte.to_ascii_lowercase()), 1..9);
    prop::collection::vec(label, 0..5).prop_map(|labels| {
        let mut name = Name::default();
        labels.iter().for_each(|label| name.push(label).unwrap());
        name
    })
}

fn any_data() -> impl Strategy<Value = (u16, Data)> {
    let kind = prop::sample::select(vec![kind::CNAME, kind::NS, kind::PTR]);
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
    prop_oneof![
        any::<[u8; 4]>().prop_map(|ip| (kind::A, Data::Address(ip.into()))),
        any::<[u8; 16]>().prop_map(|ip| (kind::AAAA, Data::Address(ip.into()))),
        (kind, any_name()).prop_map(|(kind, name)| (kind, Data::Name(name))),
        (any::<u16>(), any_name()).prop_map(|(number, name)| (kind::MX, Data::Mail(number, name))),
        prop::collection::vec(bytes(256), 0..3)
            .prop_map(|strings| (kind::TXT, Data::Strings(strings))),
        (any::<[u16; 3]>(), any_name())
            .prop_map(|(numbers, name)| (kind::SRV, Data::Service(numbers, name))),
        (any_name(), any_name(), any::<[u32; 5]>())
            .prop_map(|(source, mail, numbers)| (kind::SOA, Data::Start(source, mail, numbers))),
        (256_u16.., bytes(40)).prop_map(|(kind, bytes)| (kind, Data::Other(bytes))),
    ]
}

fn any_records() -> impl Strategy<Value = Vec<Record>> {
    let record = (any_name(), any_data(), any::<u32>());
    let record =
        record.prop_map(|(name, (kind, data), ttl)| Record { name, kind, class: IN, ttl, data });
    prop::collection::vec(record, 0..6)
}

fn any_answer() -> impl Strategy<Value = Message> {
    let question = (any_name(), any::<u16>(), any::<u16>());
    let sections = (any_records(), any_records(), any_records());
    (any::<u16>(), any::<[bool; 5]>(), 0_u16..16, question, sections).prop_map(
        |(id, set, rcode, (name, kind, class), (records, authority, additional))| {
            let bits = [
                bit::AUTHORITATIVE,
                bit::TRUNCATED,
                bit::RECURSION_AVAILABLE,
                bit::AUTHENTIC,
                bit::CHECKING_DISABLED,
            ];
            let set = bits.into_iter().zip(set).filter(|(_, set)| *set);
            let bits = set.fold(bit::RESPONSE, |all, (bit, _)| all | bit);
            let question = Some(Question { name, kind, class });
            Message { id, bits, rcode, question, records, authority, additional }
        },
    )
}

proptest! {
    #[test]
    fn messages_survive_bytes_and_maps(message in any_answer()) {
        let decoded = decode(&encode(&message).unwrap()).unwrap();
        prop_assert_eq!(&decoded, &message);
        let mut parsed = parse_answer(&answer_map(&message)).unwrap();
        (parsed.id, parsed.question) = (message.id, message.question.clone());
        prop_assert_eq!(&parsed, &message);

        let question = message.question.clone().unwrap();
        let (asked, _) = parse_query(&query_map(&message, &question)).unwrap();
        prop_assert_eq!(asked, question);
    }

    #[test]
    fn anything_is_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(message) = decode(&bytes) {
            answer_map(&message);
        }
    }

    #[test]
    fn a_damaged_answer_is_decoded_or_refused(place in 0..ANSWER.len(), byte: u8) {
        let mut bytes = ANSWER.to_vec();
        bytes[place] = byte;
        if let Ok(message) = decode(&bytes) {
            let map = answer_map(&message);
            prop_assert_eq!(parse_answer(&map).unwrap().records, message.records);
        }
    }
}
