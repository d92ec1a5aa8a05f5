//! Where the dialects of SQL differ, as far as that matters here.

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB, in the mode in which a backslash escapes and double quotes are strings.
    Mysql,
}

impl Dialect {
    /// Functions that change something although they are selected.
    pub(super) fn changing(self) -> &'static [&'static str] {
        match self {
            Dialect::Postgres => &[
                "nextval",
                "setval",
                "pg_notify",
                "lo_create",
                "lo_creat",
                "lo_import",
                "lo_unlink",
                "lowrite",
                "pg_terminate_backend",
                "pg_cancel_backend",
            ],
            Dialect::Mysql => &[
                "nextval",
                "setval",
                "lastval",
                "get_lock",
                "release_lock",
                "release_all_locks",
                "sleep",
                "last_insert_id",
                "row_count",
                "found_rows",
                "uuid_short",
            ],
        }
    }

    /// Words with which a statement begins that only reads.
    pub(super) fn reading(self) -> &'static [&'static str] {
        match self {
            Dialect::Postgres => &["select", "show", "values", "table", "explain"],
            Dialect::Mysql => {
                &["select", "show", "values", "table", "explain", "describe", "desc", "help"]
            }
        }
    }
}
