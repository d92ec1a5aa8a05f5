//! Files that a client sends because a statement asks for them (`LOAD DATA LOCAL INFILE`).

use super::packets::{Omitted, Packet};
use crate::sql::{self, Dialect, Kind};
use rehearsal_model::{Map, Value};
use sha2::{Digest, Sha256};

/// What has come of a file.
#[derive(Debug, Default)]
pub(super) struct File {
    bytes: Vec<u8>,
    length: u64,
    hash: Sha256,
    /// It is too large to be kept.
    is_cut: bool,
}

impl File {
    pub(super) fn push(&mut self, packet: &Packet, limit: usize) {
        self.length += packet.omitted.as_ref().map_or(packet.body.len() as u64, |o| o.length);
        self.is_cut |= packet.omitted.is_some() || self.bytes.len() + packet.body.len() > limit;
        match &packet.omitted {
            Some(omitted) => self.hash.update(omitted.sha256.as_bytes()),
            None => self.hash.update(&packet.body),
        }
        if !self.is_cut {
            self.bytes.extend_from_slice(&packet.body);
        }
    }

    /// Adds the file to the request that it belongs to.
    pub(super) fn into_map(self, request: &mut Map) {
        if self.is_cut {
            let digest = self.hash.finalize();
            let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            put_omitted("file_omitted", &Omitted { length: self.length, sha256 }, request);
        } else {
            request.push_new("file", Value::from_bytes(&self.bytes));
        }
    }
}

/// Adds what stands for something that was too much to keep.
pub(super) fn put_omitted(key: &str, omitted: &Omitted, request: &mut Map) {
    let mut map = Map::from([("length", omitted.length)]);
    map.push_new("sha256", omitted.sha256.as_str());
    request.push_new(key, map);
}

/// The name of the file that a statement asks the client for.
pub(super) fn wanted(text: &str) -> Option<String> {
    let all = sql::statements(text, Dialect::Mysql);
    let [statement] = &all[..] else { return None };
    let is_load = statement[0].is("load") && statement.iter().any(|token| token.is("local"));
    let place = statement.iter().position(|token| token.is("infile"))?;
    let name = statement.get(place + 1).filter(|token| token.kind == Kind::String)?;
    is_load.then(|| sql::unquoted(name.text))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_names_its_file() {
        let sql = "LOAD DATA LOCAL INFILE '/tmp/it''s.csv' INTO TABLE t";
        assert_eq!(wanted(sql).as_deref(), Some("/tmp/it's.csv"));
        assert_eq!(wanted("LOAD DATA INFILE '/tmp/a' INTO TABLE t"), None);
    }
}
