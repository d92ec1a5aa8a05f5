//! Conversations in a small notation, and what becomes of them.

use super::*;
use rehearsal_model::{Call, Map, Moment, Value};
use std::collections::HashMap;

/// The facets of a protocol whose requests are `{op, trace?}`.
struct Plain;

impl Facets for Plain {
    fn operation(&self, request: &Map) -> String {
        request.text("op").unwrap_or("?").to_owned()
    }

    fn identity(&self, request: &Map) -> Value {
        request.clone().into()
    }

    fn request(&self, request: &Map) -> Value {
        request.clone().into()
    }

    fn response(&self, _: &Map, response: &Map) -> Value {
        response.clone().into()
    }

    fn repeatable(&self, _: &Map) -> bool {
        false
    }

    fn bracket(&self, request: &Map) -> Option<Bracket> {
        let (_, does) = request.text("op")?.split_once('.')?;
        match does {
            _ if does.starts_with("begin") => Some(Bracket::Opens),
            _ if does.starts_with("end") => Some(Bracket::Ends),
            "manual" => Some(Bracket::Unasked(true)),
            "auto" => Some(Bracket::Unasked(false)),
            _ => None,
        }
    }

    fn trace(&self, request: &Map) -> Vec<String> {
        request.text("trace").map(str::to_owned).into_iter().collect()
    }
}

/// Plays a script and returns what was told, a line each. `>a` begins inbound exchange `a`, `<a`
/// ends it, `(a` begins a call, `)a` ends it, `xa` loses either; `~a` says more in an inbound one that lasts, and `w…` is a call that does; `a/t` carries trace id `t`; `>a@0` happened at moment 0, whenever it
/// is told. `c.a` is on connection `c`, where `c.begin` opens a unit of work and `c.end` ends it; `c.begin#7` opens unit 7, whose end may come on any connection; `!c` closes it.
fn play(script: &str) -> Vec<String> {
    let (out, lost) = told(script);
    let mut lines: Vec<String> = out.iter().map(line).collect();
    if lost > 0 {
        lines.push(format!("lost {lost}"));
    }
    lines
}

/// What was told, and how many were lost.
fn told(script: &str) -> (Vec<Finished>, usize) {
    let (mut attribution, mut out) = (Attribution::default(), Vec::new());
    let mut began = HashMap::new();
    for (moment, step) in (0u64..).zip(script.split_whitespace()) {
        let (kind, rest) = step.split_at(1);
        let (rest, told_late) = rest.split_once('@').unwrap_or((rest, ""));
        let moment = told_late.parse().unwrap_or(moment);
        let (op, trace) = rest.split_once('/').unwrap_or((rest, ""));
        let (op, unit) = op.split_once('#').unwrap_or((op, ""));
        let number = |text: &str| text.bytes().fold(0, |sum, byte| sum * 256 + u64::from(byte));
        let (connection, exchange) = op.split_once('.').unwrap_or((op, ""));
        let flow = Flow(number(connection), number(exchange));
        let mut request = Map::from([("op", op)]);
        if !trace.is_empty() {
            request.insert("trace", trace);
        }
        let started = *began.entry(flow).or_insert(Moment(moment));
        let talk = || Map::from([(stream::CONVERSATION, Value::List(Vec::new()))]);
        let response = op.starts_with('w').then(talk);
        let finished = Moment(moment);
        let exchange = Exchange {
            request,
            response,
            started,
            finished,
            unit: unit.parse().ok(),
            ..Exchange::default()
        };
        let edge = EdgeName::new(if matches!(kind, ">" | "<") { "inbound" } else { "db" });
        let seen = Seen { edge, exchange, facets: &Plain };
        match kind {
            ">" => attribution.inbound_began(flow, started, Timestamp(0)),
            "<" => attribution.inbound_done(flow, seen, &mut out),
            "~" => attribution.stirred(flow, Moment(moment), &mut out),
            "(" => attribution.outbound_began(flow, started),
            ")" => attribution.outbound_done(flow, seen, &mut out),
            "!" => attribution.closed(flow.0, &mut out),
            _ => attribution.lost(flow, &mut out),
        }
    }
    let lost = attribution.finish(&mut out);
    assert_eq!(attribution.under_way(), 0);
    (out, lost)
}

fn line(finished: &Finished) -> String {
    match finished {
        Finished::Test(test) => {
            let call = |call: &Call| {
                let op = call.exchange.request.text("op").unwrap_or("?");
                format!(" {}{op}", if call.parallel { "&" } else { "" })
            };
            format!(
                "{} {}:{}",
                test.id.0,
                test.name,
                test.calls.iter().map(call).collect::<String>()
            )
        }
        Finished::Mock(mock) => {
            let shared: String = mock.shared_by.iter().map(|id| format!(" {}", id.0)).collect();
            let op = mock.exchange.request.text("op").unwrap_or("?");
            format!("mock {op} after {} shared by [{}]", mock.after.0, shared.trim())
        }
    }
}

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    assert_eq!(play(script), expected, "{script}");
}

#[test]
fn a_call_belongs_to_the_window_in_which_it_began() {
    check(">a (x )x (y )y <a >b <b", &["1 a: x y", "2 b:"]);
}

#[test]
fn a_call_outside_every_window_is_ambient() {
    check(
        "(x )x >a <a (y )y",
        &["1 a:", "mock x after 0 shared by []", "mock y after 1 shared by []"],
    );
}

#[test]
fn moments_decide_and_not_the_order_of_the_telling() {
    check("(x >a@0 )x <a", &["1 a: x"]);
    check("(x )x >a@0 <a", &["1 a: x"]);
    check(">a (x )x >b@2 <b <a@3", &["2 b:", "1 a: x"]);
    check(">a >b (x@3 <a@2 )x <b", &["1 a:", "2 b: x"]);
}

#[test]
fn an_ambient_call_is_told_when_its_request_can_come_no_more() {
    check(
        "(x )x (y@200000000 )y@200000001",
        &["mock x after 0 shared by []", "mock y after 0 shared by []"],
    );
}

#[test]
fn a_test_waits_for_a_call_that_outlasts_its_answer() {
    check(">a (x <a >b <b )x", &["2 b:", "1 a: x"]);
}

#[test]
fn overlapping_windows_share_a_call() {
    check(">a >b (x )x <a <b", &["mock x after 2 shared by [1 2]", "1 a:", "2 b:"]);
}

#[test]
fn a_test_knows_the_earlier_ones_that_it_began_beside() {
    let beside = |script: &str| {
        let (out, _) = told(script);
        let mut found: Vec<String> = Vec::new();
        for finished in &out {
            if let Finished::Test(test) = finished {
                found.push(format!(
                    "{} {:?}",
                    test.id.0,
                    test.during.iter().map(|it| it.0).collect::<Vec<_>>()
                ));
            }
        }
        found.sort();
        found
    };
    assert_eq!(beside(">a <a >b <b"), ["1 []", "2 []"]);
    assert_eq!(beside(">a >b <b <a"), ["1 []", "2 [1]"]);
    assert_eq!(beside(">a >b <a >c <c <b"), ["1 []", "2 [1]", "3 [2]"]);
    assert_eq!(beside(">a >b (x <a <b )x"), ["1 []", "2 [1]"]);
    // Told late of what had ended before.
    assert_eq!(beside(">a >b@9 <a@5 <b@12"), ["1 []", "2 []"]);
    assert_eq!(beside(">a@1 <a@5 >b@3 <b@9"), ["1 []", "2 [1]"]);
}

#[test]
fn of_many_tests_beside_it_a_test_knows_the_latest() {
    // Begun one after the other, a few of them late, and ended in several orders.
    for stride in [1, 7, 50, 100] {
        let order: Vec<usize> = (1..=100).map(|place| place * stride % 101).collect();
        let (early, late) = order.into_iter().partition::<Vec<usize>, _>(|test| *test <= 80);
        let (first, second) = early.split_at(30);
        let begin = (1..=80).map(|test| ('>', test));
        let steps = begin.chain(first.iter().map(|test| ('<', *test)));
        let steps = steps.chain((81..=100).map(|test| ('>', test)));
        let steps = steps.chain(second.iter().chain(&late).map(|test| ('<', *test)));
        let steps: Vec<(char, usize)> = steps.collect();
        let script: Vec<String> =
            steps.iter().map(|(kind, test)| format!("{kind}t{test}")).collect();
        let when = |kind: char, test: usize| steps.iter().position(|step| *step == (kind, test));
        let (out, _) = told(&script.join(" "));
        assert_eq!(out.len(), 100);
        for finished in &out {
            let Finished::Test(test) = finished else { panic!("{finished:?}") };
            let own = usize::try_from(test.id.0).unwrap();
            let beside = (1..own).filter(|other| when('<', *other) > when('>', own));
            let beside: Vec<u64> = beside.filter_map(|other| u64::try_from(other).ok()).collect();
            let latest = &beside[beside.len().saturating_sub(beside::MOST)..];
            let told: Vec<u64> = test.during.iter().map(|id| u64::from(id.0)).collect();
            assert_eq!(told, latest, "test {own}, stride {stride}");
        }
    }
}

#[test]
fn a_trace_id_decides_between_overlapping_windows() {
    check(">a/1 >b/2 (x/2 )x/2 (y/1 )y/1 <a/1 <b/2", &["1 a: y", "2 b: x"]);
    check(">a/1 >b/1 (x/1 )x/1 <a/1 <b/1", &["mock x after 2 shared by [1 2]", "1 a:", "2 b:"]);
}

#[test]
fn a_test_that_lasts_takes_what_follows_its_messages_and_holds_nothing_up() {
    check(">a ~a (x )x >b (y )y <b ~a (z )z <a", &["2 b: y", "1 a: x z"]);
    check(">a ~a >b ~a (y )y <b <a", &["mock y after 2 shared by [1 2]", "2 b:", "1 a:"]);
    check(">a ~a (x )x xa", &["mock x after 1 shared by []"]);
}

#[test]
fn of_tests_that_last_the_one_that_was_busy_takes_a_call() {
    let idle = ">a ~a >b ~b ~a@1999999999 (x@2000000000 )x@2000000001 <a@2000000002 <b@2000000003";
    check(idle, &["1 a: x", "2 b:"]);
    check(">a ~a >b ~b (x )x <a <b", &["mock x after 2 shared by [1 2]", "1 a:", "2 b:"]);
}

#[test]
fn a_call_that_lasts_is_a_tests_own_when_it_ends_with_it() {
    check(">a (w <a )w", &["1 a: w"]);
    check(">a (w <a >b <b )w@5000000000", &["2 b:", "1 a:", "mock w after 1 shared by []"]);
}

#[test]
fn overlapping_calls_are_marked_and_ordered_without_chance() {
    check(">a (y (x )x )y (z )z <a", &["1 a: x &y z"]);
    check(">a (x (y )y )x (z )z <a", &["1 a: x &y z"]);
}

#[test]
fn what_does_not_finish_is_lost_and_holds_nothing_up() {
    check(">a (x <a", &["1 a:", "lost 1"]);
    check(">a >b (x )x xa <b", &["2 b: x"]);
    check(">a (x xx <a", &["1 a:"]);
}

/// What the windows say of any traffic: the calls of each test that ended, and who shares a call.
fn by_hand(steps: &[(bool, u64)]) -> (BTreeMap<u64, BTreeSet<u64>>, BTreeMap<u64, BTreeSet<u64>>) {
    let mut spans: BTreeMap<(bool, u64), Vec<usize>> = BTreeMap::new();
    for (moment, step) in steps.iter().enumerate() {
        spans.entry(*step).or_default().push(moment);
    }
    let whole =
        |inbound| spans.iter().filter(move |((it, _), span)| *it == inbound && span.len() == 2);
    let mut tests: BTreeMap<u64, BTreeSet<u64>> =
        whole(true).map(|((_, test), _)| (*test, BTreeSet::new())).collect();
    let mut mocks = BTreeMap::new();
    for ((_, call), began) in whole(false) {
        let around = whole(true).filter(|(_, span)| span[0] < began[0] && began[0] < span[1]);
        let owners: BTreeSet<u64> = around.map(|((_, test), _)| *test).collect();
        match (owners.len(), owners.first()) {
            (1, Some(one)) => _ = tests.entry(*one).or_default().insert(*call),
            _ => _ = mocks.insert(*call, owners),
        }
    }
    (tests, mocks)
}

proptest::proptest! {
    #[test]
    fn whatever_overlaps_each_call_is_told_once_and_as_its_window_says(
        mut steps in proptest::collection::vec((proptest::bool::ANY, 0u64..24), 0..120),
    ) {
        // An exchange begins the first time and ends the second.
        let mut seen = HashMap::new();
        steps.retain(|step| {
            let times: &mut u32 = seen.entry(*step).or_default();
            *times += 1;
            *times <= 2
        });
        let (mut attribution, mut out) = (Attribution::default(), Vec::new());
        let (mut began, mut numbers) = (HashMap::new(), HashMap::new());
        for (moment, (inbound, name)) in (0u64..).zip(steps.iter().copied()) {
            let flow = Flow(u64::from(inbound), name);
            let Some(started) = began.get(&flow).copied() else {
                began.insert(flow, Moment(moment));
                match inbound {
                    true => attribution.inbound_began(flow, Moment(moment), Timestamp(0)),
                    false => attribution.outbound_began(flow, Moment(moment)),
                }
                if inbound {
                    numbers.insert(attribution.last().0, name);
                }
                continue;
            };
            let request = Map::from([("op", name.to_string())]);
            let exchange =
                Exchange { request, started, finished: Moment(moment), ..Exchange::default() };
            let seen = Seen { edge: EdgeName::new("it"), exchange, facets: &Plain };
            match inbound {
                true => attribution.inbound_done(flow, seen, &mut out),
                false => attribution.outbound_done(flow, seen, &mut out),
            }
        }
        attribution.finish(&mut out);
        let name = |exchange: &Exchange| exchange.request.text("op").unwrap().parse::<u64>().unwrap();
        let (mut tests, mut mocks) = (BTreeMap::new(), BTreeMap::new());
        for finished in &out {
            match finished {
                Finished::Test(test) => {
                    let calls = test.calls.iter().map(|call| name(&call.exchange)).collect();
                    tests.insert(name(&test.exchange), calls);
                }
                Finished::Mock(mock) => {
                    let owners = mock.shared_by.iter().map(|id| numbers[&id.0]).collect();
                    mocks.insert(name(&mock.exchange), owners);
                }
            }
        }
        proptest::prop_assert_eq!(out.len(), tests.len() + mocks.len());
        proptest::prop_assert_eq!((tests, mocks), by_hand(&steps));
        proptest::prop_assert!(attribution.calls.is_empty() && attribution.waiting.first().is_none());
        proptest::prop_assert!(attribution.decided.first().is_none() && attribution.held.is_empty());
    }
}

#[test]
fn where_units_are_opened_unasked_a_call_opens_one() {
    let begun = ">a (c.manual )c.manual (c.x )c.x <a >b (c.end )c.end <b";
    check(begun, &["1 a: c.manual c.x c.end", "2 b:"]);
    let no_more = ">a (c.manual )c.manual (c.auto )c.auto (c.x )c.x <a >b (c.end )c.end <b";
    check(no_more, &["1 a: c.manual c.auto c.x", "2 b: c.end"]);
}

#[test]
fn a_unit_with_a_number_is_ended_on_any_connection() {
    let ended = "(d.end#7 )d.end#7";
    let begun = ">a (c.begin#7 )c.begin#7 <a >b";
    check(&format!("{begun} {ended} <b"), &["1 a: c.begin d.end", "2 b:"]);
    check(&format!("{begun} (c.end#8 )c.end#8 <b"), &["2 b: c.end", "1 a: c.begin"]);
}

#[test]
fn what_ends_a_unit_of_work_is_the_test_that_opened_it() {
    let begun = ">a (c.begin )c.begin (c.x )c.x <a";
    let whole = "1 a: c.begin c.x c.end";
    // After the answer, with nobody in between; then amid the next test; then after that one.
    check(&format!("{begun} (c.end )c.end >b <b"), &[whole, "2 b:"]);
    check(&format!("{begun} >b (c.end )c.end (d )d <b"), &[whole, "2 b: d"]);
    check(&format!("{begun} >b <b (c.end )c.end"), &["2 b:", whole]);
    // The next test uses another connection, and ends what it has opened itself.
    let own = "(d.begin )d.begin (c.end )c.end (d.end )d.end";
    check(&format!("{begun} >b {own} <b"), &[whole, "2 b: d.begin d.end"]);
    // Windows that overlap share other calls.
    check(
        ">a (c.begin )c.begin >b (x )x (c.end )c.end <a <b",
        &["mock x after 2 shared by [1 2]", "1 a: c.begin c.end", "2 b:"],
    );
}

#[test]
fn a_unit_that_another_test_goes_on_with_is_not_ended_by_the_one_that_opened_it() {
    let begun = ">a (c.begin )c.begin <a";
    check(&format!("{begun} >b (c.x )c.x (c.end )c.end <b"), &["1 a: c.begin", "2 b: c.x c.end"]);
    // A connection that asks whether it still stands opens a unit for that.
    let asks = "(c.begin2 )c.begin2 (c.x )c.x (c.end )c.end";
    check(&format!("{begun} >b {asks} <b"), &["1 a: c.begin", "2 b: c.begin2 c.x c.end"]);
}

#[test]
fn nobody_waits_for_a_unit_that_is_not_ended() {
    let begun = ">a (c.begin )c.begin <a";
    check(&format!("{begun} !c >b <b"), &["1 a: c.begin", "2 b:"]);
    check(begun, &["1 a: c.begin"]);
    check(&format!("{begun} >b <b@2000000000 >d <d"), &["1 a: c.begin", "2 b:", "3 d:"]);
    // It comes too late to be its.
    check(
        &format!("{begun} (c.end@3000000000 )c.end@3000000001"),
        &["1 a: c.begin", "mock c.end after 1 shared by []"],
    );
}
