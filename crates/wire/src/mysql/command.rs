//! The commands of clients by their first byte (MySQL source documentation, "Command Phase"), and
//! those that neither execute nor prepare a statement.

use super::malformed;
use crate::WireError;
use rehearsal_model::{Map, Value};

pub(super) const QUIT: u8 = 0x01;
pub(super) const INIT_DB: u8 = 0x02;
pub(super) const QUERY: u8 = 0x03;
pub(super) const FIELD_LIST: u8 = 0x04;
pub(super) const STATISTICS: u8 = 0x09;
pub(super) const PROCESS_INFO: u8 = 0x0a;
pub(super) const PROCESS_KILL: u8 = 0x0c;
pub(super) const DEBUG: u8 = 0x0d;
pub(super) const PING: u8 = 0x0e;
pub(super) const CHANGE_USER: u8 = 0x11;
pub(super) const STMT_PREPARE: u8 = 0x16;
pub(super) const STMT_EXECUTE: u8 = 0x17;
pub(super) const STMT_SEND_LONG_DATA: u8 = 0x18;
pub(super) const STMT_CLOSE: u8 = 0x19;
pub(super) const STMT_RESET: u8 = 0x1a;
pub(super) const SET_OPTION: u8 = 0x1b;
pub(super) const STMT_FETCH: u8 = 0x1c;
pub(super) const RESET_CONNECTION: u8 = 0x1f;
pub(super) const STMT_BULK_EXECUTE: u8 = 0xfa;

/// What kind of answer a command gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reply {
    /// OK or an error.
    Plain,
    /// A text of no form.
    Text,
    /// Columns, without their number before them.
    Fields,
    /// Results.
    Results,
}

/// The answer that a command gets, and its request where it is recorded.
pub(super) fn plain(code: u8, body: &[u8]) -> Result<(Reply, Option<Map>), WireError> {
    let named = |name: &str| Some(Map::from([("command", name)]));
    Ok(match code {
        INIT_DB => (Reply::Plain, Some(Map::from([("use", Value::from_bytes(body))]))),
        STATISTICS => (Reply::Text, named("statistics")),
        DEBUG => (Reply::Plain, named("debug")),
        SET_OPTION => (Reply::Plain, None),
        PROCESS_INFO => (Reply::Results, named("process info")),
        PROCESS_KILL => (Reply::Plain, named("kill")),
        FIELD_LIST => {
            let end = body.iter().position(|byte| *byte == 0).unwrap_or(body.len());
            let mut request = Map::from([("fields", Value::from_bytes(&body[..end]))]);
            if let Some(like @ [_, ..]) = body.get(end + 1..) {
                request.push_new("like", Value::from_bytes(like));
            }
            (Reply::Fields, Some(request))
        }
        _ => return Err(malformed(&format!("the command {code}, which is not read"))),
    })
}
