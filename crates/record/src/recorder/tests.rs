//! What becomes of what the recorder is told.

use super::*;
use rehearsal_model::Map;
use std::path::Path;

fn recorder(folder: &Path) -> Recorder {
    let project = rehearsal_store::Project::open(folder).unwrap();
    let recording = project.recording_folder("names").unwrap();
    let manifest = Manifest::default();
    let writer = Writer::create(project.root(), recording, manifest.clone(), false).unwrap();
    let (progress, _) = watch::channel(Progress::default());
    let scrubber = project.scrubber().unwrap();
    let parties = Arc::new(Parties::new(&[]));
    Recorder::new(parties, writer, manifest, scrubber, Timestamp(0), progress)
}

#[test]
fn what_comes_after_the_app_gave_up_is_no_answer_but_its_callers_may_wait() {
    let seen = |role, response: Option<Map>| {
        let failure = Some(Failure::TimedOut);
        let mut exchange = Exchange { response, failure, ..Exchange::default() };
        let gave_up = gave_up(role, &mut exchange);
        (gave_up, exchange.failure, exchange.response.is_some())
    };
    let late = || Some(Map::from([("status", "200")]));
    assert_eq!(seen(Role::Outbound, late()), (true, Some(Failure::TimedOut), false));
    assert_eq!(seen(Role::Outbound, None), (true, Some(Failure::TimedOut), false));
    assert_eq!(seen(Role::Inbound, late()), (false, None, true));
    assert_eq!(seen(Role::Inbound, None), (false, Some(Failure::Closed), false));
}

#[test]
fn a_request_that_our_end_leaves_without_an_answer_is_no_test() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = recorder(folder.path());
    let party = recorder.parties.inbound(&"127.0.0.1:80".parse().unwrap());
    recorder.tell(Message::Ending);
    for (number, reply) in [(1, "GET or go"), (2, "")] {
        let (connection, id, role) = (ConnectionId(number), ExchangeId(1), Role::Inbound);
        recorder.tell(Message::Connected { connection, party, role, ordinal: 1 });
        recorder.tell(Message::Began { connection, id, at: Moment(1) });
        let request = Map::from([("send", "GE")]);
        let response = Some(Map::from([("receive", reply), ("ends", "closed")]));
        let exchange = Box::new(Exchange { request, response, ..Exchange::default() });
        let protocol = rehearsal_wire::fallback();
        recorder.tell(Message::Done { connection, id, protocol, exchange });
    }
    assert_eq!((recorder.counts.requests, recorder.attribution.under_way()), (1, 0));
}

#[test]
fn every_question_for_a_name_counts_and_one_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = recorder(folder.path());
    let dns = recorder.parties.resolver();
    for _ in 0..2 {
        let request = Map::from([("query", "A payments.test")]);
        recorder.resolved(dns, Exchange { request, ..Exchange::default() });
    }
    assert_eq!(recorder.exchanges.get(&EdgeName::new("dns")), Some(&2));
    assert_eq!(recorder.finished.len(), 1);
}

#[test]
fn a_message_that_is_too_large_is_told_once_for_an_edge() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = recorder(folder.path());
    let omitted = Map::from([("length", Value::from(99)), ("sha256", Value::from("00"))]);
    let party = recorder.parties.resolver();
    for connection in [ConnectionId(1), ConnectionId(2)] {
        recorder.tell(Message::Connected { connection, party, role: Role::Outbound, ordinal: 1 });
        let request = Map::from([("send", Value::from("hi"))]);
        let response = Some(Map::from([("omitted", Value::Map(omitted.clone()))]));
        let exchange = Box::new(Exchange { request, response, ..Exchange::default() });
        let protocol = rehearsal_wire::fallback();
        recorder.tell(Message::Done { connection, id: ExchangeId(1), protocol, exchange });
    }
    let [warning] = recorder.warnings.as_slice() else { panic!("{:?}", recorder.warnings) };
    assert!(warning.contains("send 2 bytes: hi has more than max-body"), "{warning}");
}

#[test]
fn an_answer_that_stands_is_kept_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = recorder(folder.path());
    let postgres = rehearsal_wire::protocol("postgres").unwrap();
    let describe = |columns: &str| Exchange {
        request: Map::from([("describe", "SELECT * FROM orders")]),
        response: Some(Map::from([("columns", Value::from(vec![columns]))])),
        started: Moment(9),
        ..Exchange::default()
    };
    let version = |text: &str| Exchange {
        request: Map::from([("sql", "SELECT version()")]),
        response: Some(Map::from([("tag", text)])),
        ..Exchange::default()
    };
    let mut once = |exchange| {
        recorder.once(EdgeName::new("db"), postgres.facets(), exchange);
    };
    for columns in ["id int4", "id int4", "id int8", "id int8", "id int4"] {
        once(describe(columns));
    }
    once(version("1"));
    once(version("2"));
    recorder.attribution.inbound_began(Flow(1, 1), Moment(1), Timestamp(0));
    recorder.attribution.outbound_began(Flow(2, 1), Moment(2));
    recorder.once(EdgeName::new("db"), postgres.facets(), describe("id text"));
    let kept = recorder.finished.iter().filter_map(|finished| match finished {
        Finished::Mock(mock) => Some((mock.after.0, mock.calls)),
        Finished::Test(_) => None,
    });
    assert_eq!(kept.collect::<Vec<_>>(), [(0, 0), (0, 0), (0, 0), (0, 0), (1, 1)]);
}
