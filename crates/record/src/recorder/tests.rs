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
        recorder.tell(Message::Connected { connection, party, role, ordinal: 1, caller: None });
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
        recorder.tell(Message::Connected {
            connection,
            party,
            role: Role::Outbound,
            ordinal: 1,
            caller: None,
        });
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

#[test]
fn calls_of_another_runner_are_mocks_and_what_comes_in_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = recorder(folder.path()).of_suite();
    let (inbound, outbound) = (
        recorder.parties.inbound(&"127.0.0.1:80".parse().unwrap()),
        recorder.parties.outbound(&"127.0.0.1:90".parse().unwrap(), None),
    );
    let http = rehearsal_wire::protocol("http").unwrap();
    let own = std::process::id();
    std::fs::write(folder.path().join(own.to_string()), "from a file").unwrap();
    let caller = rehearsal_capture::Caller::of(own.cast_signed(), folder.path());
    let named = Map::from([("X-Rehearsal-Test", "from a header")]);
    let plan = [(inbound, Role::Inbound, None), (outbound, Role::Outbound, Some(&named))];
    for (number, (party, role, headers)) in
        (1..).zip(plan.into_iter().chain([(outbound, Role::Outbound, None)]))
    {
        let (connection, id) = (ConnectionId(number), ExchangeId(1));
        let caller = Some(caller.clone());
        recorder.handle(Message::Connected { connection, party, role, ordinal: 1, caller });
        recorder.handle(Message::Began { connection, id, at: Moment(number) });
        let mut request = Map::from([("http", Value::from("GET /"))]);
        headers.map(|headers| request.insert("headers", headers.clone()));
        let response = Some(Map::from([("status", 200)]));
        let exchange = Box::new(Exchange { request, response, ..Exchange::default() });
        recorder.handle(Message::Done { connection, id, protocol: http, exchange });
    }
    let made = |finished: &Finished| match finished {
        Finished::Mock(mock) => mock.of_test.clone(),
        Finished::Test(_) => None,
    };
    let made: Vec<_> = recorder.finished.iter().filter_map(made).collect();
    assert_eq!(made, ["from a header", "from a file"]);
    assert_eq!((recorder.counts.requests, recorder.finished.len()), (0, 2));
}

/// A call that no schema describes, on a connection of its own with that party.
fn call(recorder: &mut Recorder, party: PartyId, number: u64) {
    let (connection, id, role) = (ConnectionId(number), ExchangeId(1), Role::Outbound);
    recorder.tell(Message::Connected { connection, party, role, ordinal: 1, caller: None });
    recorder.tell(Message::Began { connection, id, at: Moment(number) });
    let request = r#"{"http":"POST /shop.Pay/Charge","version":"2","headers":{"content-type":"application/grpc"}}"#;
    let map = |text| rehearsal_model::json::parse(text).unwrap().as_map().unwrap().clone();
    let (request, response) = (map(request), Some(map(r#"{"status":200}"#)));
    let exchange = Box::new(Exchange { request, response, ..Exchange::default() });
    let protocol = rehearsal_wire::protocol("http").unwrap();
    recorder.tell(Message::Done { connection, id, protocol, exchange });
}

#[tokio::test]
async fn what_comes_while_a_server_is_asked_waits_for_its_answer_and_each_is_asked_once() {
    let folder = tempfile::tempdir().unwrap();
    let (ask, mut questions) = tokio::sync::mpsc::unbounded_channel();
    let mut recorder = recorder(folder.path()).learning(Learning::by(ask, None, 1 << 20));
    let party = |recorder: &Recorder, address: &str| recorder.parties.named(address);
    let (first, second) = (party(&recorder, "127.0.0.1:1"), party(&recorder, "127.0.0.1:2"));
    call(&mut recorder, first, 1);
    call(&mut recorder, second, 2);
    assert_eq!((recorder.counts.calls, recorder.counts.asking), (0, true));
    assert_eq!(questions.recv().await.unwrap().party, first);
    recorder.tell(Message::Described { party: first, told: Err("it has none".to_owned()) });
    // The one is recorded, and the other's server asked before what is its.
    assert_eq!((recorder.counts.calls, recorder.counts.asking), (1, true));
    assert_eq!(questions.recv().await.unwrap().party, second);
    recorder.tell(Message::Described { party: second, told: Ok(b"\xff".to_vec()) });
    assert_eq!((recorder.counts.calls, recorder.counts.asking), (2, false));
    assert_eq!(recorder.warnings.len(), 2, "{:?}", recorder.warnings);
    call(&mut recorder, first, 3);
    assert_eq!(recorder.counts.calls, 3);
    assert!(questions.try_recv().is_err());
}

#[test]
fn what_waits_is_bounded_and_recorded_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (ask, _questions) = tokio::sync::mpsc::unbounded_channel();
    let mut recorder = recorder(folder.path()).learning(Learning::by(ask, None, 1 << 20));
    let party = recorder.parties.named("127.0.0.1:1");
    (1..=10).for_each(|number| call(&mut recorder, party, number));
    assert_eq!(recorder.counts.calls, 0);
    for number in 0..10_000 {
        recorder.tell(Message::Warning(number.to_string()));
    }
    assert_eq!((recorder.counts.calls, recorder.counts.asking), (10, false));
    let other = recorder.parties.named("127.0.0.1:2");
    call(&mut recorder, other, 11);
    assert_eq!(recorder.counts.calls, 10);
    let harvest = recorder.harvest(Moment(20)).unwrap();
    assert_eq!((harvest.counts.calls, harvest.unfinished), (11, 0));
}

#[test]
fn what_is_complete_is_in_the_journal_once_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = recorder(folder.path());
    let journal = folder.path().join("rehearsal/names").join(rehearsal_store::journal::FILE);
    let length = || std::fs::metadata(&journal).unwrap().len();
    let party = recorder.parties.inbound(&"127.0.0.1:80".parse().unwrap());
    let (connection, role, ordinal) = (ConnectionId(1), Role::Inbound, 1);
    recorder.tell(Message::Connected { connection, party, role, ordinal, caller: None });
    let mut lengths = vec![length()];
    for number in [1, 2] {
        let id = ExchangeId(number);
        recorder.tell(Message::Began { connection, id, at: Moment(number) });
        let request = Map::from([("http", "GET /")]);
        let response = Some(Map::from([("status", 200)]));
        let exchange = Box::new(Exchange { request, response, ..Exchange::default() });
        let protocol = rehearsal_wire::protocol("http").unwrap();
        recorder.tell(Message::Done { connection, id, protocol, exchange });
        assert_eq!(length(), lengths[0], "one write serves both");
    }
    recorder.settle();
    lengths.push(length());
    recorder.settle();
    lengths.push(length());
    assert!(lengths[0] < lengths[1] && lengths[1] == lengths[2], "{lengths:?}");
    let journal = std::fs::read(&journal).unwrap();
    let tests = journal.windows(5).filter(|bytes| *bytes == b"GET /").count();
    assert!(tests >= 2, "{tests}");
}
