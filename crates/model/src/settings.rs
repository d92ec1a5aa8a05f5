//! What a project can set in `rehearsal.yaml`, all of it optional.
//!
//! Reading the file is the work of `store`.

use crate::Timestamp;
use std::time::Duration;

/// The settings of a project.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The command to run when none is given.
    pub command: Option<Vec<String>>,
    /// Variables added to the app's environment.
    pub env: Vec<(String, String)>,
    /// How connections are captured.
    pub capture: CaptureWay,
    /// What the app's wall clock shows while it is tested.
    pub clock: ClockSetting,
    /// Whether tests that overlapped when they were recorded are played so.
    pub overlap: Overlap,
    /// How long one test may take before it fails.
    pub timeout: Duration,
    /// How long the app may take until it listens.
    pub start_timeout: Duration,
    /// The name server to ask while recording, instead of the one that the app asks.
    pub name_server: Option<std::net::SocketAddr>,
    /// The largest body that is kept, in bytes; a larger one is recorded by its length and hash.
    pub max_body: u64,
    /// Whether the app reads our authority in the files of root certificates, too.
    pub trust_files: bool,
    /// Paths that may differ in every test.
    pub noise: Vec<String>,
    /// Tests that stay together on one copy of the app: of each group its name and what selects its tests,
    /// as `--test` does.
    pub groups: Vec<(String, Vec<String>)>,
    /// Where the schemas of messages are: .proto files, folders of them, descriptor sets.
    pub proto: Vec<String>,
    /// Whether servers whose messages no schema describes are asked for one while recording.
    pub reflection: bool,
    /// What is said of single edges.
    pub edges: Vec<EdgeSettings>,
    /// What counts as a secret.
    pub secrets: SecretSettings,
    /// Where the history is: a file, from the project's folder, or a URL of PostgreSQL; none for
    /// `rehearsal/runs/history.db`.
    pub history: Option<String>,
    /// Who answers for which tests: patterns of their names with owners; the last that fits counts.
    pub owners: Vec<(String, Vec<String>)>,
    /// Tests whose failure is known.
    pub quarantine: Vec<QuarantineSettings>,
    /// Where defects are filed.
    pub defects: DefectSettings,
}

/// A test whose failure is known and does not count for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuarantineSettings {
    /// Which: `checkout/12`, a name, or a file of a test.
    pub test: String,
    /// Who sees to it.
    pub owner: String,
    /// The last day on which it holds: `2026-12-31`.
    pub until: String,
    /// Why.
    pub reason: Option<String>,
}

/// Where defects are filed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefectSettings {
    /// Into which system.
    pub tracker: Tracker,
    /// Where its API is; none for the public one, where there is one.
    pub url: Option<String>,
    /// The project there: Jira's key, `owner/name`, GitLab's path or number.
    pub project: Option<String>,
    /// The variable that holds the token; none for the usual one.
    pub token: Option<String>,
    /// The variable that holds the user of the token, for Jira Cloud.
    pub user: Option<String>,
    /// The type of issue in Jira.
    pub issue_type: Option<String>,
}

/// A system that keeps defects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracker {
    /// Files in `rehearsal/defects`.
    #[default]
    Local,
    /// Jira, by its REST API v3.
    Jira,
    /// Issues of GitHub.
    GitHub,
    /// Issues of GitLab.
    GitLab,
}

impl Tracker {
    /// The word for each in files.
    pub const WORDS: &[&str] = &["local", "jira", "github", "gitlab"];

    /// That of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Local, Self::Jira, Self::GitHub, Self::GitLab];
        Self::WORDS.iter().zip(all).find(|(known, _)| **known == word).map(|(_, tracker)| tracker)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            command: None,
            env: Vec::new(),
            capture: CaptureWay::Seccomp,
            clock: ClockSetting::Recorded,
            overlap: Overlap::None,
            timeout: Duration::from_secs(10),
            start_timeout: Duration::from_secs(60),
            name_server: None,
            max_body: 16 << 20,
            trust_files: false,
            noise: Vec::new(),
            groups: Vec::new(),
            proto: Vec::new(),
            reflection: true,
            edges: Vec::new(),
            secrets: SecretSettings::default(),
            history: None,
            owners: Vec::new(),
            quarantine: Vec::new(),
            defects: DefectSettings::default(),
        }
    }
}

/// How connections are captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaptureWay {
    /// By a seccomp supervisor: every connection, no configuration. Linux.
    #[default]
    Seccomp,
    /// By explicit ports.
    Proxy,
}

/// What the app's wall clock shows while it is tested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockSetting {
    /// The time of the machine.
    Real,
    /// When each test begins, the time at which it was recorded; from there it runs on.
    #[default]
    Recorded,
    /// During each test the time at which it was recorded; it stands.
    Frozen,
    /// When each test begins, this time; from there it runs on.
    At(Timestamp),
}

/// Whether tests that overlapped when they were recorded are played so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// One test after the other.
    #[default]
    None,
    /// A test begins while those are under way beside which it began.
    Recorded,
}

impl Overlap {
    /// The word for each in files and options.
    pub const WORDS: &[&str] = &["none", "recorded"];

    /// That of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::None, Self::Recorded];
        Self::WORDS.iter().zip(all).find(|(known, _)| **known == word).map(|(_, overlap)| overlap)
    }
}

/// What a project says of one edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeSettings {
    /// The name it shall have.
    pub name: String,
    /// The addresses that are this edge: `127.0.0.1:9001`, `payments.example:443`, `unix:/run/x`.
    pub addresses: Vec<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The protocol, when it is known beforehand.
    pub protocol: Option<String>,
    /// Whether `test` lets it through to the real dependency.
    pub real: bool,
    /// Paths that may differ on this edge.
    pub noise: Vec<String>,
    /// The file with the certificate of whoever calls the edge; below the project's folder, unless it
    /// begins with `/`.
    pub client_certificate: Option<String>,
    /// The file with its key, when that is another one.
    pub client_key: Option<String>,
}

/// What counts as a secret beyond, or other than, the rules that are built in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretSettings {
    /// Names of keys, headers and parameters whose values are replaced too.
    pub names: Vec<String>,
    /// Regular expressions; what they match is replaced too.
    pub patterns: Vec<String>,
    /// Names of keys, headers and parameters whose values are kept though a rule says otherwise.
    pub keep: Vec<String>,
}
