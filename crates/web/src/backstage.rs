//! What the pages ask of the rest of Rehearsal: recordings, the graph, and the desk of the review.
//!
//! Plain data both ways: pages know neither protocols nor files.

use rehearsal_model::CallName;

/// Why something cannot be shown or done. The texts fit after "failed to".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no such thing.
    Missing(String),
    /// It was asked for in a way that makes no sense, or too late.
    Wrong(String),
    /// It is there, and cannot be read or written.
    Failed(String),
}

/// A recording in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Its name.
    pub name: String,
    /// How many tests it has.
    pub tests: usize,
    /// How many calls these make.
    pub calls: usize,
    /// Ambient and shared mocks.
    pub mocks: usize,
    /// Its edges.
    pub edges: Vec<String>,
    /// The command that was recorded.
    pub command: String,
}

/// A recording in a line; of one that cannot be read, its name and why.
pub type Listed = Result<Overview, (String, Problem)>;

/// A test in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// What its answer begins with, such as a status.
    pub answer: String,
    /// Whom it calls, and how often.
    pub calls: String,
}

/// What is in a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// It in a line.
    pub overview: Overview,
    /// Its tests.
    pub tests: Vec<Row>,
    /// Of databases: edge, table and the columns that were used.
    pub tables: Vec<[String; 3]>,
}

/// One test as it was recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    /// Its name.
    pub name: String,
    /// Its calls, in order.
    pub calls: Vec<CallName>,
    /// All of it, as [`rehearsal_report::story_html`] tells it.
    pub html: String,
}

/// A test by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestName {
    /// The recording.
    pub recording: String,
    /// Its number there.
    pub number: u32,
    /// What people call it.
    pub name: String,
}

/// A test that has what was looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub test: TestName,
    /// The line in which it was found.
    pub line: String,
}

/// The app and its surroundings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawing {
    /// An `svg` element without a style of its own.
    pub svg: String,
    /// Who calls the app, then whom it calls.
    pub nodes: Vec<Node>,
}

/// An edge with its traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What is spoken there.
    pub protocol: String,
    /// Whether the app is called there; else it calls.
    pub is_caller: bool,
    /// How often each operation was recorded.
    pub operations: Vec<(String, usize)>,
    /// The tests that touch it.
    pub tests: Vec<(String, u32)>,
    /// Exchanges of no single test.
    pub ambient: usize,
}

/// What is to become of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The tests expect it from now on.
    Accept,
    /// Its values may differ from now on.
    Ignore,
    /// It is a mistake of the app.
    Reject,
}

impl Verb {
    /// Every one with its word.
    pub const ALL: [(Verb, &str); 3] =
        [(Verb::Accept, "accept"), (Verb::Ignore, "ignore"), (Verb::Reject, "reject")];
}

/// The causes of what differs in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reviewed {
    /// The causes.
    pub causes: Vec<Caused>,
    /// How many decisions were made.
    pub decisions: usize,
    /// Tests in which differences may only follow from a refused call.
    pub held: Vec<TestName>,
    /// Tests that failed in ways that cannot be accepted.
    pub others: Vec<TestName>,
}

/// The same change in however many tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caused {
    /// What names it.
    pub key: String,
    /// What kind of change it is.
    pub kind: String,
    /// It in words.
    pub title: String,
    /// Pairs of values.
    pub samples: Vec<String>,
    /// Why it cannot be accepted, when it cannot.
    pub obstacle: Option<String>,
    /// What was decided of it in all its tests: `accepted`, `ignored`, `rejected`.
    pub decided: Option<&'static str>,
    /// All tests that have it, and whether each still waits for a decision.
    pub tests: Vec<(TestName, bool)>,
    /// The file that [`Caused::patch`] is of.
    pub file: String,
    /// The lines that accepting it would take away (`-`) and add (`+`) there.
    pub patch: Vec<(char, String)>,
}

/// The rest of Rehearsal as the pages see it. Calls come from several threads at once.
pub trait Backstage: Send + Sync + 'static {
    /// All recordings, a line each; one that cannot be read with why.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn recordings(&self) -> Result<Vec<Listed>, Problem>;

    /// What is in a recording.
    ///
    /// # Errors
    /// When there is no such recording, or it cannot be read.
    fn contents(&self, recording: &str) -> Result<Contents, Problem>;

    /// A test as it is recorded.
    ///
    /// # Errors
    /// When there is no such test, or it cannot be read.
    fn story(&self, recording: &str, number: u32) -> Result<Story, Problem>;

    /// At most so many tests whose story has all of these words.
    ///
    /// # Errors
    /// When recordings cannot be read.
    fn search(&self, words: &[String], most: usize) -> Result<Vec<Found>, Problem>;

    /// What the app depends on, by all recordings.
    ///
    /// # Errors
    /// When recordings cannot be read, or there are none.
    fn graph(&self) -> Result<Drawing, Problem>;

    /// What differs in a run, by cause.
    ///
    /// # Errors
    /// When there is no such run, or a file cannot be read.
    fn review(&self, run: &str) -> Result<Reviewed, Problem>;

    /// Decides of a cause, in one test (recording and number) or in all that wait; what could not be
    /// done.
    ///
    /// # Errors
    /// When there is no such cause, it was decided already, or a file cannot be written.
    fn decide(
        &self,
        run: &str,
        cause: &str,
        test: Option<(&str, u32)>,
        verb: Verb,
    ) -> Result<Vec<String>, Problem>;

    /// Takes the last decision back, if there are still so many; what it was.
    ///
    /// # Errors
    /// When there is nothing to undo, something else was decided meanwhile, or a file was changed.
    fn undo(&self, run: &str, decisions: usize) -> Result<String, Problem>;
}
