//! What a `case.json` says. A key that is not here is an error. Reading only: nothing is done here.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A case: steps in one project folder, played once for each shop.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What the case is for, a sentence.
    pub(crate) what: String,
    /// The languages of the sample shop that it is played with.
    #[serde(default)]
    pub(crate) shops: Vec<String>,
    /// The app when it is not a shop, word by word.
    #[serde(default)]
    pub(crate) app: Vec<String>,
    /// Programs that the app calls, word by word, in place of the shop's services. Each says by a
    /// line on its standard output that it is there.
    #[serde(default)]
    pub(crate) dependencies: Vec<Vec<String>>,
    /// Environment of every step.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// Files of the project, by path.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// Records the app while it is used.
    Record(Record),
    /// Replays.
    Test(Test),
    /// Any other command.
    Run(Run),
    /// Changes a file of the project.
    Edit(Edit),
    /// Replays in several ways that must tell the same.
    SameRuns(SameRuns),
    /// Two recordings must be the same but for the time at which they were made.
    SameRecordings([String; 2]),
    /// None of these texts may be in any file of the project.
    NoTrace(Vec<String>),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Record {
    /// The name of the recording.
    pub(crate) name: String,
    pub(crate) options: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) traffic: Vec<Request>,
    /// How many clients send the traffic at the same time.
    pub(crate) clients: usize,
    /// How often each of them sends it.
    pub(crate) rounds: usize,
    /// What ends the recording.
    pub(crate) end: End,
    /// The port that says by accepting connections that the app is there, when it is not `{port}`.
    pub(crate) ready: String,
    /// Whether the services that the shop calls are there.
    pub(crate) services: bool,
    /// Whether it replays the recording at its end.
    pub(crate) verify: bool,
    pub(crate) expect: Expect,
}

impl Default for Record {
    fn default() -> Self {
        Record {
            name: "shop".to_owned(),
            options: Vec::new(),
            env: BTreeMap::new(),
            traffic: Vec::new(),
            clients: 1,
            rounds: 1,
            end: End::Interrupt,
            ready: "{port}".to_owned(),
            services: true,
            verify: false,
            expect: Expect::default(),
        }
    }
}

/// What ends a recording.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum End {
    /// Ctrl-C, once the traffic is over.
    Interrupt,
    /// The app or an option of `record`.
    Itself,
}

/// One request while recording, by one of two clients.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct Request {
    /// Method and path, sent on a connection that is kept alive.
    pub(crate) send: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) json: Option<Value>,
    pub(crate) text: String,
    /// Arguments of curl instead; `{url}` is where the app listens.
    pub(crate) curl: Vec<String>,
    /// The status of the answer; 200 when not told.
    pub(crate) status: Option<u16>,
    /// What the body of the answer must contain.
    pub(crate) answer: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct Test {
    /// Recordings and options. Reports are added unless a format is asked for.
    pub(crate) options: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    /// Another app than the recorded one.
    pub(crate) app: Vec<String>,
    /// How often in a row it must come out the same.
    pub(crate) repeat: Option<usize>,
    /// Whether the services that the shop calls are there.
    pub(crate) services: bool,
    pub(crate) expect: Expect,
}

/// Events are the same when only durations, the numbers of ledgers and what is said of tests that were
/// tried again differ.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct SameRuns {
    /// Of each run, its options.
    pub(crate) runs: Vec<Vec<String>>,
    pub(crate) env: BTreeMap<String, String>,
    /// How often each of them is made.
    pub(crate) repeat: Option<usize>,
    /// Into so many shards it is also split, whose results are merged.
    pub(crate) shards: usize,
    pub(crate) exit: i32,
    /// The tests that were tried again in each run but the first, with what is said of them.
    pub(crate) retried: Vec<Map<String, Value>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) words: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) expect: Expect,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    pub(crate) file: String,
    /// Must be there exactly once. Without it the file is written anew.
    pub(crate) replace: Option<String>,
    pub(crate) with: String,
}

/// What must come of a command.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
#[derive(Default)]
pub(crate) struct Expect {
    /// The exit code.
    pub(crate) exit: i32,
    /// Texts that standard output must contain, in this order.
    pub(crate) stdout: Vec<String>,
    /// Texts that standard error must contain, in this order.
    pub(crate) stderr: Vec<String>,
    /// Files that must exist in the project, each with texts that it must contain.
    pub(crate) files: BTreeMap<String, Vec<String>>,
    /// Files that must hold one JSON object a line.
    pub(crate) json_lines: Vec<String>,
    /// Files that must be well-formed XML.
    pub(crate) xml: Vec<String>,
    /// `test` only: the tests that fail, by number or by name. All others must pass.
    pub(crate) failed: Vec<Which>,
    /// `test` only: how many pass. Not looked at when not told.
    pub(crate) passed: Option<u64>,
    /// `test` only: the tests that do not run.
    pub(crate) not_run: Vec<Which>,
    /// `test` only: findings that must be in the report.
    pub(crate) report: Vec<Finding>,
    /// `test` only: objects that must be part of an event.
    pub(crate) events: Vec<Map<String, Value>>,
}

/// Tests by number, or all of a name.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub(crate) enum Which {
    Number(u64),
    Name(String),
}

/// A finding that must be there: every key that is given must agree.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    /// The test that it is about; when this is a name, every test of the name must have it.
    pub(crate) test: Which,
    pub(crate) kind: String,
    pub(crate) edge: Option<String>,
    pub(crate) operation: Option<String>,
    /// Where the difference is.
    pub(crate) path: Option<String>,
    pub(crate) change: Option<String>,
    pub(crate) expected: Option<Value>,
    pub(crate) actual: Option<Value>,
}
