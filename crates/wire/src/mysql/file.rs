//! Files that a client sends because a statement asks for them (`LOAD DATA LOCAL INFILE`).

use super::packets::{Omitted, Packet};
use super::text;
use crate::sql::{self, Beside, Dialect, Kind, Token};
use rehearsal_model::{Map, Value};
use sha2::{Digest, Sha256};

/// What recordings call them.
pub(super) const FILES: Beside =
    Beside { compared: &["file", "file_omitted"], told: &[], list: "files" };

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

    /// The file as recordings have it.
    pub(super) fn into_map(self) -> Map {
        let mut request = Map::new();
        if self.is_cut {
            let digest = self.hash.finalize();
            let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            put_omitted("file_omitted", &Omitted { length: self.length, sha256 }, &mut request);
        } else {
            request.push_new("file", Value::from_bytes(&self.bytes));
        }
        request
    }
}

/// Adds what stands for something that was too much to keep.
pub(super) fn put_omitted(key: &str, omitted: &Omitted, request: &mut Map) {
    let mut map = Map::from([("length", omitted.length)]);
    map.push_new("sha256", omitted.sha256.as_str());
    request.push_new(key, map);
}

/// A statement that loads a file of the client's.
#[derive(Debug)]
pub(super) struct Load {
    /// Its place in the text.
    pub(super) place: usize,
    /// The name of the file.
    pub(super) name: String,
}

/// The statements of a text that load files of the client's.
pub(super) fn loads(text: &str) -> Vec<Load> {
    // Nearly no text has one, and looking for them takes it apart.
    if !text.as_bytes().windows(6).any(|word| word.eq_ignore_ascii_case(b"infile")) {
        return Vec::new();
    }
    let all = sql::statements(text, Dialect::Mysql);
    let each = all.iter().enumerate();
    each.filter_map(|(place, statement)| Some(Load { place, name: wanted(statement)? })).collect()
}

/// Puts files where recordings have them.
pub(super) fn put(request: &mut Map, files: Vec<Map>) {
    let text = request.get("sql").and_then(text::of);
    let several = text.is_some_and(|text| loads(&text).len() > 1);
    FILES.put(request, files, several);
}

/// The name of the file that a statement asks the client for.
fn wanted(statement: &[Token<'_>]) -> Option<String> {
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
        let [load] = &loads(&format!("SELECT 1; {sql}"))[..] else { panic!() };
        assert_eq!((load.place, load.name.as_str()), (1, "/tmp/it's.csv"));
        assert!(loads("LOAD DATA INFILE '/tmp/a' INTO TABLE t").is_empty());
    }
}
