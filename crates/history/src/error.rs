//! Why a history cannot be used. Every message fits after "failed to" and says what to do next.

/// Why a history cannot be read or written. `at` is the place as it may be shown: without a password.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is none yet.
    #[error("read the history in {at}: there is none yet; `rehearsal test` begins it")]
    Absent {
        /// Where it would be.
        at: String,
    },
    /// The setting begins as a URL and is none that can be used.
    #[error(
        "use the history that `history` in rehearsal.yaml (or REHEARSAL_HISTORY) names: {problem}; it is \
         such as `postgres://user@host/database?sslmode=verify-full`, with the password in PGPASSWORD"
    )]
    Url {
        /// What is wrong with it; nothing of the URL is in it.
        problem: String,
    },
    /// The file or the schema is not a history, or is damaged.
    #[error(
        "use the history in {at}: {problem}; it is left as it is: move it away, and the next run \
         begins a new one"
    )]
    Damaged {
        /// The place.
        at: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A newer release wrote it.
    #[error(
        "use the history in {at}: a newer release wrote it (format {found}, this one knows \
         {known}); it is left as it is: use that release, or name another place as `history` in \
         rehearsal.yaml"
    )]
    Newer {
        /// The place.
        at: String,
        /// Its format.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// Somebody else writes it for too long.
    #[error(
        "use the history in {at}: another process has been writing to it for {seconds} s; try \
         again when it has ended"
    )]
    Busy {
        /// The place.
        at: String,
        /// How long we waited.
        seconds: u64,
    },
    /// The server is not there, or is not who it should be.
    #[error(
        "reach the history in {at}: {problem}; see that the server runs and lets this machine in"
    )]
    Unreachable {
        /// The place.
        at: String,
        /// What was said.
        problem: String,
    },
    /// The server does not know us, or not with this password.
    #[error(
        "use the history in {at}: {problem}; the password is that of the URL, or the variable \
         PGPASSWORD where that has none"
    )]
    Locked {
        /// The place.
        at: String,
        /// What was said.
        problem: String,
    },
    /// The system or the database refused.
    #[error("{doing} the history in {at}: {problem}")]
    Refused {
        /// What was tried: `open`, `write`, `read`.
        doing: &'static str,
        /// The place.
        at: String,
        /// What was said.
        problem: String,
    },
}
