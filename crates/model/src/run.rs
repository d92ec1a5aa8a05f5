//! What happens in a run of `test`, as events; every face of it is made from these.
//!
//! `docs/events.md` documents them for readers of `--format json`.

use crate::{Difference, Evidence, Latency, Map, TestId, Triage, Value};
use serde::Serialize;
use std::fmt;

/// One thing that happened. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum RunEvent {
    /// The run begins.
    RunStarted {
        /// The version of Rehearsal.
        tool: String,
        /// How many tests were selected.
        tests: usize,
        /// The recordings they are in.
        recordings: Vec<String>,
        /// What stands for the recordings and the tests that were asked for: where it is the same, they are.
        fingerprint: String,
        /// Which part of the tests this run is, when it is one.
        shard: Option<Shard>,
    },
    /// The app is being started for a recording.
    RecordingStarted {
        /// The recording.
        recording: String,
        /// The command.
        command: Vec<String>,
        /// How many of its tests were selected.
        tests: usize,
    },
    /// The app listens.
    AppReady {
        /// The recording.
        recording: String,
        /// From the start of the process to its `listen`.
        took_ms: f64,
    },
    /// A test begins.
    TestStarted {
        /// The recording.
        recording: String,
        /// The number of the test.
        #[serde(serialize_with = "test_number")]
        number: TestId,
        /// Its name.
        name: String,
    },
    /// What the app invented in a test, and what stands for it. Told only when it is asked for.
    Bindings {
        /// The recording.
        recording: String,
        /// The number of the test.
        #[serde(serialize_with = "test_number")]
        number: TestId,
        /// What was bound in this test, in order; may be empty.
        bindings: Vec<Binding>,
    },
    /// A test has its verdict.
    TestFinished {
        /// The recording.
        recording: String,
        /// The number of the test.
        #[serde(serialize_with = "test_number")]
        number: TestId,
        /// Its name.
        name: String,
        /// The file that holds it, from the project's folder.
        file: String,
        /// The verdict.
        outcome: Outcome,
        /// How long it took.
        took_ms: f64,
        /// What the app asked of others when it was recorded, in order; empty when it was not run.
        calls: Vec<CallName>,
        /// Why it failed; empty when it passed.
        findings: Vec<Finding>,
        /// Where the failure comes from and whose it is; none when it passed.
        triage: Option<Box<Triage>>,
        /// What was seen of it beside that; none when it was not run.
        evidence: Option<Box<Evidence>>,
    },
    /// A test that failed was run again, when that was asked for.
    TestRerun {
        /// The recording.
        recording: String,
        /// The number of the test.
        #[serde(serialize_with = "test_number")]
        number: TestId,
        /// Its name.
        name: String,
        /// Which time it was, from 1.
        attempt: usize,
        /// The verdict of this time. A test that passes is flaky; it is not run again.
        outcome: Outcome,
        /// How long it took.
        took_ms: f64,
        /// Why it failed; empty when it passed.
        findings: Vec<Finding>,
    },
    /// A test failed out of its recorded order or beside other copies of the app, and passed in recorded
    /// order on a copy of its own. Told when all tests of the recording have their verdicts.
    Retried {
        /// The recording.
        recording: String,
        /// The number of the test.
        #[serde(serialize_with = "test_number")]
        number: TestId,
        /// Its name.
        name: String,
        /// What that is due to.
        cause: RetryCause,
        /// The earlier test without which it fails, when it depends on the order.
        #[serde(serialize_with = "maybe_test_number")]
        depends_on: Option<TestId>,
        /// What was wrong when it failed.
        findings: Vec<Finding>,
    },
    /// The app ended while it was needed.
    AppExited {
        /// The recording.
        recording: String,
        /// How: `exit code 42`, `signal 9 (SIGKILL)`.
        how: String,
        /// The test that was running, if one was.
        #[serde(serialize_with = "maybe_test_number")]
        during: Option<TestId>,
        /// The last lines it wrote.
        output: Vec<String>,
    },
    /// Something the user should know that is no failure.
    Warning {
        /// The recording, when it concerns one.
        recording: Option<String>,
        /// What.
        message: String,
    },
    /// A database that was let through has another schema than the recording says. No failure.
    SchemaMoved {
        /// The recording.
        recording: String,
        /// The database.
        edge: String,
        /// The columns that are other ones, by table.
        columns: Vec<MovedColumn>,
    },
    /// How long answers took on an edge when it was recorded, and in this run as far as the two can be
    /// compared.
    EdgeLatency {
        /// The recording.
        recording: String,
        /// The edge.
        edge: String,
        /// Whose time it is.
        of: Measured,
        /// What the recording says.
        recorded: Latency,
        /// What was measured; none where that could not be, and always none of a mock.
        measured: Option<Latency>,
    },
    /// All tests of a recording are done.
    RecordingFinished {
        /// The recording.
        recording: String,
        /// Every connection that the process tree made or accepted.
        ledger: Ledger,
    },
    /// The run is over. Always the last event.
    RunFinished {
        /// The counts.
        summary: Summary,
    },
}

/// Whose time is told of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// What the app itself takes for a test, without waiting for others.
    App,
    /// How long a dependency takes that was let through.
    Real,
    /// How long a dependency took when it was recorded; now a mock answers at once.
    Mock,
}

/// One of the parts into which a run is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shard {
    /// Which, from 1.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

/// Why a test failed at first and passed when it was tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryCause {
    /// The app remembers something of an earlier test: without that one, this one fails every time.
    OrderDependent,
    /// It also passed in the order in which it had failed: it is racy, flaky, or disturbed by other
    /// copies of the app.
    Flaky,
    /// That was not found out, since too many tests were tried again.
    Unexplained,
}

fn test_number<S: serde::Serializer>(id: &TestId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u32(id.0)
}

fn maybe_test_number<S: serde::Serializer>(id: &Option<TestId>, s: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => s.serialize_u32(id.0),
        None => s.serialize_none(),
    }
}

/// A column of a database that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovedColumn {
    /// Its table.
    pub table: String,
    /// The column.
    pub column: String,
    /// Its type in the recording; none when that does not have it.
    pub recorded: Option<String>,
    /// Its type in this run; none when it was not seen, although every test was run.
    pub seen: Option<String>,
}

impl fmt::Display for MovedColumn {
    /// In a few words: `orders.amount was numeric(10,2) and is numeric(12,2)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MovedColumn { table, column, recorded, seen } = self;
        write!(f, "{table}.{column}")?;
        let told = |kind: &str| match kind {
            "unknown" => String::new(),
            kind => format!(" ({kind})"),
        };
        match (recorded, seen) {
            (Some(recorded), Some(seen)) => write!(f, " was {recorded} and is {seen}"),
            (Some(recorded), None) => write!(f, "{} was not seen", told(recorded)),
            (None, Some(seen)) => write!(f, " is new{}", told(seen)),
            (None, None) => Ok(()),
        }
    }
}

/// A call of a test, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallName {
    /// The dependency.
    pub edge: String,
    /// What it asks: `POST /charges`.
    pub operation: String,
}

/// The verdict of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The app behaved as recorded.
    Passed,
    /// It did not.
    Failed,
    /// It was not run, because an earlier failure ended the run.
    NotRun,
}

/// One reason why a test failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Finding {
    /// The app's answer differs. Paths begin with `response`.
    Response {
        /// Where.
        differences: Vec<Difference>,
    },
    /// The app gave no complete answer: it closed, reset or refused the connection.
    NoAnswer {
        /// What happened instead.
        what: String,
    },
    /// The app took longer than a test may take.
    TimedOut {
        /// The limit.
        limit_ms: u64,
    },
    /// A recorded call was not made.
    CallMissing {
        /// Which of the test's calls, from 1; 0 when it is shared by several tests.
        call: usize,
        /// How many calls the test has.
        of: usize,
        /// The dependency.
        edge: String,
        /// Who answers for the dependency, by the settings.
        owner: Option<String>,
        /// What would have been asked: `POST /charges`.
        operation: String,
        /// The recorded request.
        request: Map,
    },
    /// A call came that was recorded with other values. Paths begin with `calls[n]`.
    CallDiffers {
        /// Which of the test's calls, from 1.
        call: usize,
        /// How many calls the test has.
        of: usize,
        /// The dependency.
        edge: String,
        /// Who answers for the dependency, by the settings.
        owner: Option<String>,
        /// What was asked.
        operation: String,
        /// Where.
        differences: Vec<Difference>,
        /// Whether it was answered as recorded all the same, by `test --go-on`.
        answered: bool,
    },
    /// A call came that no mock answers.
    CallUnexpected {
        /// The dependency.
        edge: String,
        /// Who answers for the dependency, by the settings.
        owner: Option<String>,
        /// What was asked.
        operation: String,
        /// The request.
        request: Map,
        /// The mock that comes nearest, if any is near.
        nearest: Option<NearestMock>,
    },
    /// A call came more often than was recorded; it got the recorded answer again.
    CallRepeated {
        /// The dependency.
        edge: String,
        /// Who answers for the dependency, by the settings.
        owner: Option<String>,
        /// What was asked.
        operation: String,
        /// The request.
        request: Map,
        /// How many times more than recorded.
        times: usize,
        /// How often it was recorded in this test; none in events of releases that did not say so.
        recorded: Option<usize>,
    },
    /// Calls of one statement, which differ by values only, came more often than was recorded, and not all
    /// of them have a mock: a query for each row, say. It stands for all of them.
    CallMultiplied {
        /// The dependency.
        edge: String,
        /// Who answers for the dependency, by the settings.
        owner: Option<String>,
        /// What the first one asked.
        operation: String,
        /// What all of them ask, without the values: `SELECT name FROM items WHERE id = $1`.
        statement: String,
        /// How many came in the test, those that are as recorded included.
        came: usize,
        /// How many the recording has.
        recorded: usize,
        /// How many of them got no answer.
        refused: usize,
        /// The first that are too many.
        requests: Vec<Map>,
        /// The mock that comes nearest to the first of these, if any is near.
        nearest: Option<NearestMock>,
    },
    /// Two calls came in another order than the recording shows they must.
    CallOrder {
        /// The call that came too early, from 1.
        call: usize,
        /// The call that had to come before it, from 1.
        before: usize,
        /// How many calls the test has.
        of: usize,
        /// The dependency of the early call.
        edge: String,
        /// Who answers for the dependency, by the settings.
        owner: Option<String>,
        /// What it asked.
        operation: String,
    },
    /// A value that the app invents stands for another one than it did before: what it returns is not
    /// what it stored.
    Contradiction {
        /// The value that was recorded.
        recorded: String,
        /// What stood for it in this run.
        live: String,
        /// Where it did so first: `calls[0].params[0] of test 3`.
        since: String,
        /// Where the contradiction is: `response.body.id`.
        at: String,
        /// What was recorded there.
        expected: String,
        /// What came there in this run.
        actual: String,
    },
    /// The app tried to reach a party that the recording does not know.
    UnknownEdge {
        /// The address.
        address: String,
    },
    /// A call came on an edge that cannot be replayed.
    NotReplayable {
        /// The dependency.
        edge: String,
        /// Who answers for the dependency, by the settings.
        owner: Option<String>,
        /// What it is that prevents it: `encrypted (TLS)`.
        obstacle: String,
    },
    /// The app ended during the test.
    AppExited {
        /// How.
        how: String,
    },
}

/// A value that the app invents, and what stands for it in this run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// The value that was recorded.
    pub recorded: String,
    /// The one of this run.
    pub live: String,
    /// Where it stood first: `calls[0].params[0] of test 3`.
    pub at: String,
}

/// The mock that comes nearest to a call that found none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NearestMock {
    /// Where it is: `call 2 of this test`, `ambient mock 4`.
    pub place: String,
    /// What it answers.
    pub operation: String,
    /// Why it was not taken.
    pub differences: Vec<Difference>,
}

/// The counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed, without those that are counted below.
    pub failed: usize,
    /// Tests that failed and passed when they were run again.
    pub flaky: usize,
    /// Tests that failed, and whose failure a quarantine excuses.
    pub quarantined: usize,
    /// Tests that were not run.
    pub not_run: usize,
    /// How long the run took.
    pub took_ms: f64,
    /// Why the run could not be finished, when it could not.
    pub aborted: Option<String>,
}

/// Every connection that the app made or accepted, summed by party.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ledger {
    /// One line for each party and treatment.
    pub lines: Vec<LedgerLine>,
}

/// The connections with one party that were treated alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LedgerLine {
    /// The edge or address.
    pub party: String,
    /// `understood`, `opaque`, `passed through`, `refused` or `turned away`.
    pub treatment: String,
    /// Why, when it was not understood.
    pub why: Option<String>,
    /// How many connections.
    pub connections: u64,
    /// Bytes from the client to the server.
    pub bytes_sent: u64,
    /// Bytes from the server to the client.
    pub bytes_received: u64,
}

impl Ledger {
    /// Adds connections, to the line of the same party, treatment and reason if there is one. The
    /// lines stay in the order of those three.
    pub fn add(&mut self, line: LedgerLine) {
        let key =
            |line: &LedgerLine| (line.party.clone(), line.treatment.clone(), line.why.clone());
        match self.lines.binary_search_by(|known| key(known).cmp(&key(&line))) {
            Ok(place) => {
                let known = &mut self.lines[place];
                known.connections += line.connections;
                known.bytes_sent += line.bytes_sent;
                known.bytes_received += line.bytes_received;
            }
            Err(place) => self.lines.insert(place, line),
        }
    }
}

impl RunEvent {
    /// The event as one line of JSON, numbers spelled exactly.
    #[must_use]
    pub fn to_json(&self) -> String {
        let value = crate::to_value(self).unwrap_or_else(|error| Value::from(error.to_string()));
        crate::json::to_string(&value)
    }
}
