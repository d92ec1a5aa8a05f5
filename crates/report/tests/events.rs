//! `docs/events.md` says of each object exactly the fields that are written, and its examples are
//! such objects.

mod sample;

use rehearsal_model::{Change, Finding, Map, Outcome, RunEvent, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = include_str!("../../../docs/events.md");

/// What the page says of one object.
#[derive(Default)]
struct Section {
    fields: BTreeSet<String>,
    text: String,
    examples: Vec<String>,
}

/// The sections of the page by their headings, such as ``Event `app-ready` ``.
fn sections() -> BTreeMap<String, Section> {
    let mut sections = BTreeMap::<String, Section>::new();
    let mut heading = String::new();
    for line in PAGE.lines() {
        if let Some(text) = line.strip_prefix("##") {
            heading = text.trim_start_matches('#').trim().replace('`', "");
        }
        let section = sections.entry(heading.clone()).or_default();
        section.text.push_str(line);
        if let Some((field, _)) = line.strip_prefix("| `").and_then(|rest| rest.split_once("` |")) {
            assert!(section.fields.insert(field.to_owned()), "{heading}: {field} stands twice");
        }
        if line.starts_with('{') {
            section.examples.push(line.to_owned());
        }
    }
    sections
}

/// The fields of every object below a value, by the heading under which they are documented.
#[derive(Default)]
struct Seen(BTreeMap<String, BTreeSet<String>>);

impl Seen {
    fn object(&mut self, sort: &str, map: &Map) {
        let name = match sort {
            "Event" => map.text("event").unwrap(),
            "Finding" | "Change" => map.text("kind").unwrap(),
            _ => "",
        };
        let heading = format!("{sort} {name}").trim().to_owned();
        let names = map.keys().filter(|key| !matches!(*key, "event" | "kind"));
        let fields: BTreeSet<String> = names.map(str::to_owned).collect();
        let before = self.0.entry(heading.clone()).or_insert_with(|| fields.clone());
        assert_eq!(*before, fields, "{heading} always has the same fields");
        for (key, value) in map.iter() {
            match (key, value) {
                ("findings", value) => self.list("Finding", value),
                ("differences", value) => self.list("Object difference", value),
                ("bindings", value) => self.list("Object binding", value),
                ("steps", value) => self.list("Object step", value),
                ("messages", value) => self.list("Object message", value),
                ("calls", value) => self.list("Object call", value),
                ("columns", value) => self.list("Object column", value),
                ("lines", value) => self.list("Object line", value),
                ("change", Value::Map(map)) => self.object("Change", map),
                (
                    "nearest" | "ledger" | "summary" | "triage" | "cause" | "ownership"
                    | "quarantine" | "past" | "shard" | "evidence",
                    Value::Map(map),
                ) => {
                    self.object(&format!("Object {key}"), map);
                }
                _ => {}
            }
        }
    }

    fn list(&mut self, sort: &str, value: &Value) {
        for item in value.as_list().unwrap() {
            self.object(sort, item.as_map().unwrap());
        }
    }
}

fn parse(line: &str) -> Map {
    json::parse(line).unwrap().as_map().unwrap().clone()
}

fn written() -> Seen {
    let mut seen = Seen::default();
    for event in sample::run() {
        seen.object("Event", &parse(&event.to_json()));
    }
    seen
}

#[test]
fn the_page_has_every_object_with_its_fields_and_no_others() {
    let sections = sections();
    let documented: BTreeMap<String, BTreeSet<String>> = sections
        .into_iter()
        .filter(|(_, section)| !section.fields.is_empty())
        .map(|(heading, section)| (heading, section.fields))
        .collect();
    assert_eq!(documented, written().0);
}

#[test]
fn every_object_has_an_example_that_is_one() {
    let written = written();
    for (heading, section) in sections().iter().filter(|(_, section)| !section.fields.is_empty()) {
        assert!(!section.examples.is_empty(), "{heading} has no example");
        let (sort, name) = heading.split_once(' ').unwrap();
        let sort = if sort == "Object" { heading.as_str() } else { sort };
        let mut seen = Seen::default();
        for example in &section.examples {
            seen.object(sort, &parse(example));
        }
        assert!(seen.0.contains_key(heading), "an example of {name}");
        for (inner, fields) in seen.0 {
            assert_eq!(Some(&fields), written.0.get(&inner), "{inner} in an example of {heading}");
        }
    }
}

#[test]
fn every_outcome_is_named() {
    let text = &sections()["Event test-finished"].text;
    for outcome in [Outcome::Passed, Outcome::Failed, Outcome::NotRun] {
        let word = match outcome {
            Outcome::Passed => "`passed`",
            Outcome::Failed => "`failed`",
            Outcome::NotRun => "`not-run`",
        };
        assert!(text.contains(word), "{word}");
    }
}

#[test]
fn every_event_is_read_back_as_it_was() {
    for event in sample::run() {
        assert_eq!(RunEvent::from_json(&event.to_json()).as_ref(), Ok(&event));
    }
}

/// Every variant is in the sample: a new one does not compile until it is counted here.
#[test]
fn the_sample_has_everything() {
    let mut seen = BTreeSet::new();
    for event in sample::run() {
        seen.insert(match &event {
            RunEvent::RunStarted { .. } => "event 1",
            RunEvent::RecordingStarted { .. } => "event 2",
            RunEvent::AppReady { .. } => "event 3",
            RunEvent::TestStarted { .. } => "event 4",
            RunEvent::TestFinished { .. } => "event 5",
            RunEvent::AppExited { .. } => "event 6",
            RunEvent::Warning { .. } => "event 7",
            RunEvent::RecordingFinished { .. } => "event 8",
            RunEvent::RunFinished { .. } => "event 9",
            RunEvent::Bindings { .. } => "event 10",
            RunEvent::SchemaMoved { .. } => "event 11",
            RunEvent::TestRerun { .. } => "event 12",
            RunEvent::Retried { .. } => "event 13",
            RunEvent::EdgeLatency { .. } => "event 14",
        });
        let RunEvent::TestFinished { findings, .. } = &event else { continue };
        for finding in findings {
            seen.insert(match finding {
                Finding::Response { .. } => "finding 1",
                Finding::NoAnswer { .. } => "finding 2",
                Finding::TimedOut { .. } => "finding 3",
                Finding::CallMissing { .. } => "finding 4",
                Finding::CallDiffers { .. } => "finding 5",
                Finding::CallUnexpected { .. } => "finding 6",
                Finding::CallOrder { .. } => "finding 7",
                Finding::UnknownEdge { .. } => "finding 8",
                Finding::AppExited { .. } => "finding 9",
                Finding::NotReplayable { .. } => "finding 10",
                Finding::CallRepeated { .. } => "finding 11",
                Finding::Contradiction { .. } => "finding 12",
                Finding::CallMultiplied { .. } => "finding 13",
            });
            let Finding::Response { differences } = finding else { continue };
            for difference in differences {
                seen.insert(match &difference.change {
                    Change::Missing { .. } => "change 1",
                    Change::Added { .. } => "change 2",
                    Change::Changed { .. } => "change 3",
                    Change::Retyped { .. } => "change 4",
                });
            }
        }
    }
    assert_eq!(seen.len(), 14 + 13 + 4);
}
