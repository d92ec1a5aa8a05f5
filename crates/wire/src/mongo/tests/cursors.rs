//! Cursors: batches, streams of replies, news.

use super::super::Mongo;
use super::*;

#[test]
fn a_stream_of_replies_is_as_if_each_was_asked_for() {
    let more = r#"{"getMore":{"$numberLong":"77"},"collection":"orders","$db":"shop"}"#;
    let batch = |id: i64, value: i32| {
        format!(
            r#"{{"cursor":{{"nextBatch":[{{"v":{value}}}],"id":{{"$numberLong":"{id}"}},"ns":"shop.orders"}},"ok":1.0}}"#
        )
    };
    // MongoDB names the reply before, others the command.
    for second in [10, 1] {
        let lines = [
            (Client, flagged(1, 0, 1 << 16, more)),
            (Server, flagged(10, 1, 2, &batch(77, 1))),
            (Server, flagged(11, second, 0, &batch(0, 2))),
        ];
        let request = r#"{"mongodb":"getMore shop.orders","cursor":77}"#;
        assert_eq!(requests(&lines), [request, request]);
        let expected = [r#"{"documents":[{"v":1}],"cursor":77}"#, r#"{"documents":[{"v":2}]}"#];
        assert_eq!(responses(&lines), expected);
    }
}

#[test]
fn news_of_the_server_are_greetings_once() {
    let hello =
        r#"{"hello":1,"topologyVersion":{"counter":0},"maxAwaitTimeMS":10000,"$db":"admin"}"#;
    let lines = [
        (Client, flagged(1, 0, 1 << 16, hello)),
        (Server, flagged(10, 1, 2, GREETED)),
        (Server, flagged(11, 10, 2, GREETED)),
    ];
    assert_eq!(requests(&lines), [r#"{"mongodb":"hello admin"}"#]);
    assert_eq!(observe(&lines, 9, Some((Server, Ending::Finished))).len(), 1);
}

#[test]
fn cursors_change_streams_and_errors_survive() {
    let watch =
        r#"{"aggregate":"orders","pipeline":[{"$changeStream":{}}],"cursor":{},"$db":"shop"}"#;
    let opened = r#"{"cursor":{"firstBatch":[],"id":{"$numberLong":"7"},"ns":"shop.orders","postBatchResumeToken":{"_data":"82"},"partialResultsReturned":true},"ok":1.0}"#;
    let listed = r#"{"cursor":{"firstBatch":[],"id":{"$numberLong":"0"},"ns":"shop.$cmd.listCollections"},"ok":1.0}"#;
    let failed = r#"{"ok":0.0,"errmsg":"no such command","code":59,"codeName":"CommandNotFound"}"#;
    let lines = [
        asks(1, watch),
        says(11, 1, opened),
        asks(2, r#"{"listCollections":1,"$db":"shop"}"#),
        says(12, 2, listed),
        asks(3, r#"{"nope":1,"$db":"shop"}"#),
        says(13, 3, failed),
    ];
    let expected = [
        r#"{"documents":[],"cursor":7,"resume_token":{"_data":"82"},"fields":{"cursor":{"partialResultsReturned":true}}}"#,
        r#"{"documents":[],"cursor_of":"shop.$cmd.listCollections"}"#,
        r#"{"error":{"errmsg":"no such command","code":59,"codeName":"CommandNotFound"}}"#,
    ];
    assert_eq!(responses(&lines), expected);
    assert_eq!(
        requests(&lines)[0],
        r#"{"mongodb":"aggregate shop.orders","pipeline":[{"$changeStream":{}}]}"#
    );
    // A cursor that waits for news is known again by its sign.
    let opened = opened.replace("\"7\"", "\"-7\"");
    assert_eq!(replayed(&lines), [opened.as_str(), listed, failed]);
}

#[test]
fn news_are_recorded_and_waiting_for_them_is_not() {
    let batch = |documents: &str| {
        format!(
            r#"{{"cursor":{{"nextBatch":{documents},"id":{{"$numberLong":"7"}},"ns":"shop.orders"}},"ok":1.0}}"#
        )
    };
    let opened = batch("[]").replace("nextBatch", "firstBatch");
    let watch = r#"{"aggregate":"orders","pipeline":[{"$changeStream":{}}],"$db":"shop"}"#;
    let more =
        r#"{"getMore":{"$numberLong":"7"},"collection":"orders","maxTimeMS":500,"$db":"shop"}"#;
    let lines = [
        asks(1, watch),
        says(11, 1, &opened),
        asks(2, more),
        says(12, 2, &batch("[]")),
        asks(3, more),
        says(13, 3, &batch(r#"[{"a":1}]"#)),
    ];
    let seen = observed(&lines);
    assert_eq!(seen.len(), 2);
    let expected =
        r#"{"mongodb":"getMore shop.orders","cursor":7,"options":{"maxTimeMS":500},"awaits":true}"#;
    assert_eq!(json::to_string(&seen[1].request.clone().into()), expected);
    assert_eq!(seen[1].started, Moment(6000), "it begins when there are news");
    let facets = Mongo.facets();
    assert_eq!(facets.waits(&seen[1].request), Some(std::time::Duration::from_millis(500)));
    let usual = facets.usual(&seen[1].request).unwrap();
    let replayed_more = more.replace("\"7\"", "\"-7\"");
    let asked = [asks(1, &replayed_more)];
    let sent = documents(&respond(&asked, usize::MAX, &mut vec![Answer::Response(usual)]));
    assert_eq!(sent, [batch("[]").replace("\"7\"", "\"-7\"")]);
    let plain = map(r#"{"mongodb":"getMore shop.orders","cursor":7}"#);
    assert_eq!((facets.waits(&plain), facets.usual(&plain)), (None, None));
    assert_eq!(facets.identity(&plain), facets.identity(&seen[1].request));
}

#[test]
fn a_change_stream_begins_at_whatever_time_the_server_told() {
    let watch = |start: &str| {
        map(&format!(
            r#"{{"mongodb":"aggregate a.b","pipeline":[{{"$changeStream":{{{start}}}}}]}}"#
        ))
    };
    let at = |t: u32| format!(r#""startAtOperationTime":{{"$timestamp":{{"t":{t},"i":1}}}}"#);
    let form = |start: &str| Mongo.facets().request(&watch(start));
    assert_eq!(form(&at(1)), form(&at(1795285068)));
    assert_ne!(form(&at(1)), form(""));
}

#[test]
fn cursors_are_closed_by_the_responder_alone() {
    let kill = r#"{"killCursors":"orders","cursors":[{"$numberLong":"7"}],"$db":"shop"}"#;
    let sent = documents(&respond(&[asks(1, kill)], usize::MAX, &mut Vec::new()));
    let expected = r#"{"cursorsKilled":[{"$numberLong":"7"}],"cursorsNotFound":[],"cursorsAlive":[],"cursorsUnknown":[],"ok":1.0}"#;
    assert_eq!(sent, [expected]);
    assert_eq!(requests(&[asks(1, kill), says(2, 1, expected)]), [""; 0]);
}
