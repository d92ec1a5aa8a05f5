//! What a defect says, in the forms that readers take.
//!
//! Recorded text is data: in Markdown it stands in code spans and blocks, in which nothing is markup.

use crate::past::number;
use rehearsal_history::Cluster;
use rehearsal_model::{Map, Ownership, Value};
use rehearsal_report::visible;
use rehearsal_store::format_instant;

/// How many tests are named.
const MAX_TESTS: usize = 20;
/// The longest title, in characters.
const MAX_TITLE: usize = 200;

/// One kind of failure.
#[derive(Clone, Debug)]
pub(crate) struct Defect {
    pub(crate) cluster: Cluster,
    pub(crate) ownership: Option<Ownership>,
}

impl Defect {
    pub(crate) fn fingerprint(&self) -> &str {
        &self.cluster.cause.fingerprint
    }

    /// The label by which it is found again.
    pub(crate) fn label(&self) -> String {
        format!("rehearsal-{}", self.fingerprint())
    }

    pub(crate) fn title(&self) -> String {
        let cause = &self.cluster.cause;
        let what = match cause.changes.as_slice() {
            [] => cause.finding.clone(),
            [one] => one.clone(),
            [one, rest @ ..] => format!("{one} and {} more", rest.len()),
        };
        let title = format!("{} · {}: {what}", cause.edge, cause.operation);
        visible(&title).chars().take(MAX_TITLE).collect()
    }

    /// Labels with what they say, in order.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let Cluster { cause, failures, tests, runs, seen_ms: (first, last), .. } = &self.cluster;
        let mut facts = vec![("edge", cause.edge.clone()), ("operation", cause.operation.clone())];
        facts.extend(cause.changes.iter().map(|change| ("differs", change.clone())));
        facts.push(("why there", cause.reason.clone()));
        if let Some(ownership) = &self.ownership {
            let owners = ownership.owners.join(", ");
            facts.push(("owner", format!("{owners} ({})", ownership.source)));
        }
        let counts = [(*failures, "time"), (tests.len(), "test"), (*runs, "run")];
        facts.push(("seen", counts.map(|(count, thing)| number(count, thing)).join(", ")));
        let commit = self.cluster.first_commit.as_deref();
        let commit = commit.map_or(String::new(), |commit| format!(" at commit {commit}"));
        facts.push(("first", format!("{} UTC{commit}", format_instant(*first))));
        facts.push(("last", format!("{} UTC", format_instant(*last))));
        facts.push(("fingerprint", cause.fingerprint.clone()));
        facts
    }

    /// The commands that show it.
    fn steps(&self) -> String {
        let steps = self.cluster.tests.keys().take(3).map(|key| {
            let (recording, number) = key.rsplit_once('/').unwrap_or((key, ""));
            format!("rehearsal test {} --test {number}", quoted(recording))
        });
        steps.collect::<Vec<_>>().join("\n")
    }

    /// The tests that fail by it.
    fn tests(&self) -> Vec<String> {
        let named = self.cluster.tests.iter().take(MAX_TESTS);
        let mut tests: Vec<String> = named.map(|(key, name)| format!("{key} {name}")).collect();
        if self.cluster.tests.len() > MAX_TESTS {
            tests.push(format!("and {} more", self.cluster.tests.len() - MAX_TESTS));
        }
        tests
    }

    /// As Markdown, without its title.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        for (label, fact) in self.facts() {
            text.push_str(&format!("- {label}: {}\n", span(&fact)));
        }
        text.push_str("\n## Reproduce\n\n");
        for line in self.steps().lines() {
            text.push_str(&format!("    {}\n", visible(line)));
        }
        text.push_str("\n## Tests\n\n");
        for test in self.tests() {
            text.push_str(&format!("- {}\n", span(&test)));
        }
        text
    }

    /// In the Atlassian Document Format.
    pub(crate) fn adf(&self) -> Value {
        let facts = self.facts().into_iter().map(|(label, fact)| format!("{label}: {fact}"));
        let code = Map::from([
            ("type", Value::from("codeBlock")),
            ("content", Value::List(vec![words(&self.steps())])),
        ]);
        let content = vec![
            list(facts.collect()),
            heading("Reproduce"),
            Value::Map(code),
            heading("Tests"),
            list(self.tests()),
        ];
        Value::Map(Map::from([
            ("type", Value::from("doc")),
            ("version", Value::from(1_i64)),
            ("content", Value::List(content)),
        ]))
    }
}

/// A word of a command, quoted where it has to be.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "_-./:@%+".contains(char);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Text as a code span, in as many backticks as none in it can close.
fn span(text: &str) -> String {
    let text = visible(text);
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("{fence}{text}{fence}"),
        _ => format!("{fence} {text} {fence}"),
    }
}

fn node(kind: &str, content: Vec<Value>) -> Value {
    Value::Map(Map::from([("type", Value::from(kind)), ("content", Value::List(content))]))
}

fn words(text: &str) -> Value {
    // A line break is one of the few controls that a code block has.
    let text: Vec<String> = text.lines().map(|line| visible(line).into_owned()).collect();
    Value::Map(Map::from([("type", Value::from("text")), ("text", Value::from(text.join("\n")))]))
}

fn list(items: Vec<String>) -> Value {
    let item = |text: String| node("listItem", vec![node("paragraph", vec![words(&text)])]);
    node("bulletList", items.into_iter().map(item).collect())
}

fn heading(text: &str) -> Value {
    Value::Map(Map::from([
        ("type", Value::from("heading")),
        ("attrs", Value::Map(Map::from([("level", Value::from(2_i64))]))),
        ("content", Value::List(vec![words(text)])),
    ]))
}
