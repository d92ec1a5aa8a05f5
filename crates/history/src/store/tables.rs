//! The tables, as steps from one format to the next, in words that stand for the types of both databases.

/// What each format adds to the one before: the first makes the tables.
pub(crate) const STEPS: &[&str] = &[TABLES];
/// The format that this release writes.
pub(crate) const FORMAT: i64 = STEPS.len() as i64;

const TABLES: &str = "
CREATE TABLE runs (
  id {key},
  run TEXT NOT NULL, started_ms {number} NOT NULL, took_ms {real} NOT NULL,
  commit_id TEXT, branch TEXT, dirty {flag} NOT NULL, code TEXT NOT NULL,
  host TEXT NOT NULL, tool TEXT NOT NULL, jobs {number} NOT NULL,
  passed {number} NOT NULL, failed {number} NOT NULL, flaky {number} NOT NULL,
  quarantined {number} NOT NULL, not_run {number} NOT NULL, aborted TEXT
);
CREATE TABLE causes (
  fingerprint TEXT PRIMARY KEY,
  edge TEXT NOT NULL, operation TEXT NOT NULL, finding TEXT NOT NULL,
  changes TEXT NOT NULL, reason TEXT NOT NULL
){plain};
CREATE TABLE tests (
  run {number} NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  recording TEXT NOT NULL, number {number} NOT NULL, attempt {number} NOT NULL,
  name TEXT NOT NULL, file TEXT NOT NULL, digest TEXT NOT NULL,
  outcome TEXT NOT NULL, took_ms {real} NOT NULL,
  before TEXT, edges TEXT NOT NULL, fingerprint TEXT, times {flag} NOT NULL,
  PRIMARY KEY (run, recording, number, attempt)
){plain};
";

/// In the words of SQLite.
pub(super) fn for_sqlite(sql: &str) -> String {
    sql.replace("{key}", "INTEGER PRIMARY KEY AUTOINCREMENT")
        .replace("{number}", "INTEGER")
        .replace("{flag}", "INTEGER")
        .replace("{real}", "REAL")
        .replace("{plain}", " WITHOUT ROWID")
}

/// In the words of PostgreSQL.
pub(super) fn for_postgres(sql: &str) -> String {
    sql.replace("{key}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
        .replace("{number}", "BIGINT")
        .replace("{flag}", "BOOLEAN")
        .replace("{real}", "DOUBLE PRECISION")
        .replace("{plain}", "")
}
