//! Plays a `same-runs` step: however tests are spread, over copies of the app or over shards, what is
//! told of them is the same.

use crate::case::SameRuns;
use crate::play::Stage;
use serde_json::Value;
use std::collections::BTreeMap;

const EVENTS: &str = "events-of-a-run.jsonl";

pub(crate) fn same(stage: &Stage, same: &SameRuns, at: &str) {
    let env = stage.words.fill_map(&same.env);
    let mut first: Option<Vec<Value>> = None;
    for options in &same.runs {
        for _ in 0..same.repeat.unwrap_or(1) {
            let at = format!("{at}, {options:?}");
            let mut words = vec!["test".to_owned()];
            words.extend(options.iter().cloned());
            let events = told(stage, &words, &env, same.exit, &at);
            let retried = events.iter().filter(|event| event["event"] == "retried");
            let retried: Vec<&Value> = retried.collect();
            let Some(first) = &first else {
                assert!(retried.is_empty(), "{at}: {retried:?}");
                first = Some(plain(events));
                continue;
            };
            let agree = same.retried.len() == retried.len()
                && same.retried.iter().zip(&retried).all(|(wanted, event)| {
                    wanted.iter().all(|(key, value)| event.get(key) == Some(value))
                });
            assert!(agree, "{at}: {retried:?} instead of {:?}", same.retried);
            compare(first, &plain(events), &at);
        }
    }
    let first = first.expect("no run to compare with");
    if same.shards > 0 {
        shards(stage, same, &env, &first, at);
    }
}

/// Each test is in one shard, and all shards together tell what one run does.
fn shards(
    stage: &Stage,
    same: &SameRuns,
    env: &BTreeMap<String, String>,
    first: &[Value],
    at: &str,
) {
    let mut seen = Vec::new();
    let mut merge = vec!["merge".to_owned()];
    let (mut worst, of) = (0, same.shards);
    for index in 1..=of {
        let shard = format!("{index}/{of}");
        let output = format!("shard-{index}.jsonl");
        let words = ["test", "-j2", "--shard", &shard, "--format", "json", "--output", &output];
        let ended = stage.project.run(words, env);
        worst = worst.max(ended.code);
        let events = read(stage, &output);
        let finished = events.iter().filter(|event| event["event"] == "test-finished");
        seen.extend(
            finished.map(|event| (event["recording"].to_string(), event["number"].as_u64())),
        );
        assert_eq!(events[0]["shard"]["index"], index, "{at}: {ended:?}");
        // The order in which they are given does not matter.
        merge.insert(1, output);
    }
    assert_eq!(worst, same.exit, "{at}: the exit code of the worst shard");
    let all = first.iter().filter(|event| event["event"] == "test-finished");
    let mut all: Vec<_> =
        all.map(|event| (event["recording"].to_string(), event["number"].as_u64())).collect();
    all.sort();
    seen.sort();
    assert_eq!(seen, all, "{at}: each test is in one shard");
    let events = told(stage, &merge, env, same.exit, at);
    compare(first, &plain(events), &format!("{at}, merged"));
    let refused = |words: &[&str], why: &str| {
        let mut all = vec!["merge"];
        all.extend(words);
        let ended = stage.project.run(all, env);
        assert_eq!((ended.code, ended.stderr.contains(why)), (2, true), "{at}: {ended:?}");
    };
    let missing: Vec<&str> = merge[2..].iter().map(String::as_str).collect();
    refused(&missing, &format!("shard {of} of {of} is missing"));
    let twice: Vec<&str> = merge[1..].iter().chain(&merge[1..2]).map(String::as_str).collect();
    refused(&twice, &format!("shard {of} of {of} is there twice"));
    let first_of_others = format!("1/{of}");
    let other = [
        "test",
        "--shard",
        &first_of_others,
        "--test",
        "1",
        "--format",
        "json",
        "--output",
        "other.jsonl",
    ];
    assert!(stage.project.run(other, env).code < 2, "{at}: a shard of one test");
    let mut foreign: Vec<&str> = merge[1..of].iter().map(String::as_str).collect();
    foreign.push("other.jsonl");
    refused(&foreign, "other.jsonl: it is of other recordings");
    let folder = stage.project.folder();
    let text = std::fs::read_to_string(folder.join("shard-1.jsonl")).expect("the events");
    let cut = text.trim_end().rsplit_once('\n').expect("several lines").0;
    std::fs::write(folder.join("shard-1.jsonl"), cut).expect("writing a file");
    let all: Vec<&str> = merge[1..].iter().map(String::as_str).collect();
    refused(&all, "shard-1.jsonl: the run was ended before it was over");
}

/// The events of a command that writes them to a file.
fn told(
    stage: &Stage,
    words: &[String],
    env: &BTreeMap<String, String>,
    exit: i32,
    at: &str,
) -> Vec<Value> {
    let format = ["--format", "json", "--output", EVENTS];
    let words = words.iter().map(String::as_str).chain(format);
    let ended = stage.project.run(words, env);
    assert_eq!(ended.code, exit, "{at}: {}{}", ended.stdout, ended.stderr);
    read(stage, EVENTS)
}

fn read(stage: &Stage, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(stage.project.folder().join(file)).expect("the events");
    text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

/// Events without what measures the run or tells when it was, and what is said of the runs before it.
fn plain(mut events: Vec<Value>) -> Vec<Value> {
    events.retain(|event| event["event"] != "retried");
    events.iter_mut().for_each(measureless);
    events
}

fn measureless(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for key in [
                "took_ms",
                "connections",
                "bytes_sent",
                "bytes_received",
                "past",
                "measured",
                "Date",
            ] {
                map.remove(key);
            }
            map.values_mut().for_each(measureless);
        }
        Value::Array(list) => list.iter_mut().for_each(measureless),
        _ => {}
    }
}

fn compare(first: &[Value], other: &[Value], at: &str) {
    for (one, other) in first.iter().zip(other) {
        assert_eq!(one, other, "{at}");
    }
    assert_eq!(first.len(), other.len(), "{at}: the number of events");
}
