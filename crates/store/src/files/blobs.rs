//! Bodies that are binary or large, in files of their own that are named by their content.

use super::outlet::Outlet;
use crate::StoreError;
use crate::yaml::Substitute;
use rehearsal_model::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes up to this many stay in the file that mentions them.
const MOST_BYTES: usize = 256;
/// Text, and JSON written as text, up to this many bytes stays in the file that mentions it.
const MOST_TEXT: usize = 16 << 10;
/// The largest blob that is read.
const MAX_BLOB: u64 = 1 << 30;

/// Takes large values out of a file while it is written, straight to where they belong.
pub(super) struct BlobWriter<'a> {
    outlet: &'a Outlet<'a>,
    /// The first thing that went wrong.
    failed: Option<StoreError>,
}

impl<'a> BlobWriter<'a> {
    /// One that has taken nothing.
    pub(super) fn new(outlet: &'a Outlet<'a>) -> Self {
        BlobWriter { outlet, failed: None }
    }

    /// Whether everything that was taken is written.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        self.failed.map_or(Ok(()), Err)
    }

    fn put(&mut self, tag: &'static str, bytes: &[u8]) -> (&'static str, String) {
        let name = name_of(bytes);
        if self.failed.is_none() {
            self.failed = self.outlet.blob(&name, bytes).err();
        }
        (tag, name)
    }
}

impl Substitute for BlobWriter<'_> {
    fn substitute(&mut self, value: &Value) -> Option<(&'static str, String)> {
        match value {
            Value::Bytes(bytes) if bytes.len() > MOST_BYTES => Some(self.put("!blob", bytes)),
            Value::Text(text) if text.len() > MOST_TEXT => {
                Some(self.put("!blob/text", text.as_bytes()))
            }
            _ => None,
        }
    }

    /// Takes a list or map that is large and that JSON holds without loss.
    fn document(&mut self, value: &Value) -> Option<(&'static str, String)> {
        if !matches!(value, Value::List(_) | Value::Map(_)) || !is_large(value) {
            return None;
        }
        let text = json::to_string(value);
        let faithful = text.len() > MOST_TEXT && json::parse(&text).as_ref() == Ok(value);
        faithful.then(|| self.put("!blob/json", text.as_bytes()))
    }
}

/// Whether a value may need more than [`MOST_TEXT`] as JSON: a cheap bound from above, so that
/// small documents need not be written twice.
fn is_large(value: &Value) -> bool {
    fn add(value: &Value, size: &mut usize) -> bool {
        // An escape takes up to six characters for one byte.
        *size += match value {
            Value::Text(text) => 2 + 6 * text.len(),
            Value::Bytes(bytes) => 2 * bytes.len(),
            Value::Number(number) => number.as_str().len(),
            _ => 5,
        };
        *size > MOST_TEXT
            || match value {
                Value::List(list) => list.iter().any(|item| {
                    *size += 1;
                    add(item, size)
                }),
                Value::Map(map) => map.iter().any(|(key, value)| {
                    *size += 4 + 6 * key.len();
                    add(value, size)
                }),
                _ => false,
            }
    }
    add(value, &mut 0)
}

fn name_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what a tagged word in a file of a recording stands for.
pub(super) fn fetch(folder: &Path, tag: &str, name: &str) -> Result<Value, String> {
    if !matches!(tag, "blob" | "blob/text" | "blob/json") {
        return Err(format!("the tag `!{tag}` means nothing here; known is `!blob`"));
    }
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if name.len() != 64 || !name.bytes().all(hex) {
        return Err(format!("`!{tag}` needs the name of a blob: 64 digits from 0 to f"));
    }
    let bytes = read_limited(&folder.join("blobs").join(name))
        .map_err(|error| format!("the blob cannot be read from blobs/{name}: {error}"))?;
    if name_of(&bytes) != name {
        return Err(format!("blobs/{name} was changed: its content has another SHA-256"));
    }
    let text = |bytes| String::from_utf8(bytes).map_err(|_| format!("blobs/{name} is not UTF-8"));
    match tag {
        "blob" => Ok(Value::Bytes(bytes)),
        "blob/text" => text(bytes).map(Value::Text),
        _ => json::parse(&text(bytes)?).map_err(|error| format!("blobs/{name} is {error}")),
    }
}

fn read_limited(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > MAX_BLOB {
        return Err(std::io::Error::other("it is larger than 1 GiB"));
    }
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}
