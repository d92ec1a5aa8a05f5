//! Plays a `test` step: runs the tests and compares the report with what the case says.

use crate::case::{Expect, Finding, Test, Which};
use crate::play::Stage;
use serde_json::Value;

/// Where the events go when the case asks for no format of its own.
const EVENTS: &str = "events-of-the-case.jsonl";

pub(crate) fn play(stage: &Stage, test: &Test, at: &str) {
    let _called = test.services.then(|| stage.called());
    let own_format = test.options.iter().any(|option| option == "--format");
    let mut words = vec!["test".to_owned()];
    words.extend(stage.words.fill_all(&test.options));
    if !own_format {
        let formats = ["--format", "human", "--format", "json", "--output", EVENTS];
        words.extend(formats.map(str::to_owned));
    }
    if !test.app.is_empty() {
        words.push("--".to_owned());
        words.extend(stage.words.fill_all(&test.app));
    }
    for run in 1..=test.repeat.unwrap_or(1) {
        let at = if test.repeat.is_some() { format!("{at}, run {run}") } else { at.to_owned() };
        let events = stage.project.folder().join(EVENTS);
        let _ = std::fs::remove_file(&events);
        let ended = stage.project.run(&words, &stage.words.fill_map(&test.env));
        stage.check(&ended, &test.expect, &at);
        if own_format {
            continue;
        }
        let text = std::fs::read_to_string(&events).unwrap_or_default();
        let events: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{at}: {line}: {e}")))
            .collect();
        let said = format!("{at}\n{}{}", ended.stdout, ended.stderr);
        verdicts(&events, &test.expect, &said);
        for finding in &test.expect.report {
            reported(&events, finding, &said);
        }
        for wanted in &test.expect.events {
            let there =
                |event: &Value| wanted.iter().all(|(key, value)| event.get(key) == Some(value));
            assert!(events.iter().any(there), "no event has {wanted:?}: {said}\n{text}");
        }
    }
}

/// Exactly the tests that should fail do, those that should not run do not, and all others pass.
fn verdicts(events: &[Value], expect: &Expect, said: &str) {
    let mut passed = 0;
    for test in finished(events) {
        let wanted = if among(test, &expect.failed) {
            "failed"
        } else if among(test, &expect.not_run) {
            "not-run"
        } else {
            passed += 1;
            "passed"
        };
        assert_eq!(test["outcome"], wanted, "{} {}: {said}", test["number"], test["name"]);
    }
    for wanted in expect.failed.iter().chain(&expect.not_run) {
        let there = finished(events).any(|test| is(test, wanted));
        assert!(there, "the test {wanted:?} is not in the report: {said}");
    }
    if let Some(wanted) = expect.passed {
        assert_eq!(passed, wanted, "how many tests passed: {said}");
    }
}

fn reported(events: &[Value], wanted: &Finding, said: &str) {
    let mut tests = 0;
    for test in finished(events).filter(|test| is(test, &wanted.test)) {
        tests += 1;
        let findings = test["findings"].as_array().expect("a list of findings");
        assert!(
            findings.iter().any(|finding| agrees(finding, wanted)),
            "{} {} has no {wanted:?}: {said}\n{}",
            test["number"],
            test["name"],
            serde_json::to_string_pretty(findings).unwrap_or_default()
        );
    }
    assert!(tests > 0, "the test {:?} is not in the report: {said}", wanted.test);
}

fn agrees(finding: &Value, wanted: &Finding) -> bool {
    let same = |key: &str, wanted: &Option<String>| {
        wanted
            .as_deref()
            .is_none_or(|wanted| finding.get(key).and_then(Value::as_str) == Some(wanted))
    };
    let plain = finding["kind"] == *wanted.kind
        && same("edge", &wanted.edge)
        && same("operation", &wanted.operation);
    let about_a_place = wanted.path.is_some()
        || wanted.change.is_some()
        || wanted.expected.is_some()
        || wanted.actual.is_some();
    let differences = || finding["differences"].as_array().into_iter().flatten();
    plain && (!about_a_place || differences().any(|difference| differs(difference, wanted)))
}

fn differs(difference: &Value, wanted: &Finding) -> bool {
    let change = &difference["change"];
    let value = |key: &str, wanted: &Option<Value>| {
        wanted.as_ref().is_none_or(|wanted| change.get(key) == Some(wanted))
    };
    wanted.path.as_deref().is_none_or(|path| difference["path"] == path)
        && wanted.change.as_deref().is_none_or(|kind| change["kind"] == kind)
        && value("expected", &wanted.expected)
        && value("actual", &wanted.actual)
}

fn finished(events: &[Value]) -> impl Iterator<Item = &Value> {
    events.iter().filter(|event| event["event"] == "test-finished")
}

fn among(test: &Value, which: &[Which]) -> bool {
    which.iter().any(|which| is(test, which))
}

fn is(test: &Value, which: &Which) -> bool {
    match which {
        Which::Number(number) => test["number"] == *number,
        Which::Name(name) => test["name"] == **name,
    }
}
