//! What client and server can do, bit by bit (MySQL source documentation, "Capabilities Flags";
//! MariaDB documentation, "Connection", whose own bits stand above the first 32).

use super::unwritable;
use crate::WireError;
use rehearsal_model::Value;

pub(super) const MYSQL: u64 = 1;
pub(super) const CONNECT_WITH_DB: u64 = 1 << 3;
pub(super) const COMPRESS: u64 = 1 << 5;
pub(super) const LOCAL_FILES: u64 = 1 << 7;
pub(super) const PROTOCOL_41: u64 = 1 << 9;
pub(super) const SSL: u64 = 1 << 11;
pub(super) const SECURE_CONNECTION: u64 = 1 << 15;
pub(super) const PLUGIN_AUTH: u64 = 1 << 19;
pub(super) const CONNECT_ATTRS: u64 = 1 << 20;
pub(super) const SIZED_AUTH: u64 = 1 << 21;
pub(super) const SESSION_TRACK: u64 = 1 << 23;
pub(super) const DEPRECATE_EOF: u64 = 1 << 24;
pub(super) const ZSTD: u64 = 1 << 26;
pub(super) const EXTENDED_METADATA: u64 = 1 << 35;
pub(super) const CACHE_METADATA: u64 = 1 << 36;

/// Each bit with its name in recordings. Those that are not here are taken out of what a server
/// offers: attributes of queries, results without metadata, reports of progress.
const NAMES: &[(u64, &str)] = &[
    (MYSQL, "long password"),
    (1 << 1, "found rows"),
    (1 << 2, "long flag"),
    (CONNECT_WITH_DB, "connect with database"),
    (1 << 4, "no schema"),
    (COMPRESS, "compression"),
    (1 << 6, "odbc"),
    (LOCAL_FILES, "local files"),
    (1 << 8, "ignore space"),
    (PROTOCOL_41, "protocol 4.1"),
    (1 << 10, "interactive"),
    (SSL, "tls"),
    (1 << 12, "ignore sigpipe"),
    (1 << 13, "transactions"),
    (1 << 14, "reserved"),
    (SECURE_CONNECTION, "secure connection"),
    (1 << 16, "multi statements"),
    (1 << 17, "multi results"),
    (1 << 18, "prepared multi results"),
    (PLUGIN_AUTH, "plugin auth"),
    (CONNECT_ATTRS, "connect attributes"),
    (SIZED_AUTH, "sized auth"),
    (1 << 22, "expired passwords"),
    (SESSION_TRACK, "session track"),
    (DEPRECATE_EOF, "deprecate eof"),
    (ZSTD, "zstd compression"),
    (1 << 34, "bulk operations"),
    (EXTENDED_METADATA, "extended metadata"),
    (CACHE_METADATA, "cache metadata"),
];

/// What of an offer is understood.
pub(super) fn understood(offered: u64) -> u64 {
    offered & NAMES.iter().fold(0, |all, (bit, _)| all | bit)
}

/// Capabilities as recordings have them.
pub(super) fn to_value(bits: u64) -> Value {
    let names = NAMES.iter().filter(|(bit, _)| bits & bit != 0);
    Value::from(names.map(|(_, name)| *name).collect::<Vec<_>>())
}

/// Capabilities of a recording.
pub(super) fn from_value(value: &Value) -> Result<u64, WireError> {
    let list = value.as_list().ok_or_else(|| unwritable("`capabilities` must be a list"))?;
    list.iter().try_fold(0, |all, name| {
        let known = NAMES.iter().find(|(_, known)| name.as_text() == Some(known));
        let (bit, _) = known.ok_or_else(|| {
            let name = name.as_text().unwrap_or(name.kind());
            unwritable(&format!("{name:?} in `capabilities` is not known; take it out"))
        })?;
        Ok(all | bit)
    })
}
