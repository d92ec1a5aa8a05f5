//! The bytes of a cache: a header, the index, the records.
//!
//! Header: `REHEARSALC`, the version of the encoding, a zero, the lengths of index and records (8
//! bytes each, little-endian), the hash of the build that wrote it, the checksum of the index, the
//! stamp of the recording's files, the hash of their content (32 bytes each, BLAKE3). Each record has
//! a short checksum in the index, so that nothing is hashed that is not used.

use crate::binary;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

const MAGIC: &[u8; 10] = b"REHEARSALC";
const LENGTHS: usize = MAGIC.len() + 2;
const BUILD: usize = LENGTHS + 16;
const CHECK: usize = BUILD + 32;
const STAMP: usize = CHECK + 32;
pub(super) const CONTENT: usize = STAMP + 32;
pub(super) const HEADER: usize = CONTENT + 32;

/// What the files were when the cache was made.
pub(super) struct Header {
    pub(super) stamp: [u8; 32],
    pub(super) content: [u8; 32],
}

/// Where a record is, and the start of its hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    start: usize,
    end: usize,
    check: u32,
}

/// Fingerprints depend on every line of the protocols, so a cache belongs to one build.
static THIS_BUILD: LazyLock<[u8; 32]> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    if let Ok(program) = std::env::current_exe().and_then(fs::metadata) {
        hasher.update(&program.len().to_le_bytes());
        let modified =
            program.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        hasher.update(&modified.unwrap_or_default().as_nanos().to_le_bytes());
    }
    *hasher.finalize().as_bytes()
});

impl Header {
    /// The header of a whole cache that this build wrote.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let current = bytes.get(..LENGTHS)? == front()
            && part(bytes, BUILD)? == *THIS_BUILD
            && (HEADER as u64).checked_add(length(bytes, 0)?)?.checked_add(length(bytes, 1)?)?
                == bytes.len() as u64
            && part(bytes, CHECK)? == *blake3::hash(index(bytes)?).as_bytes();
        let header = Header { stamp: part(bytes, STAMP)?, content: part(bytes, CONTENT)? };
        current.then_some(header)
    }

    /// Puts it into the bytes of a cache.
    pub(super) fn write(&self, bytes: &mut [u8]) {
        bytes[STAMP..STAMP + 32].copy_from_slice(&self.stamp);
        bytes[CONTENT..CONTENT + 32].copy_from_slice(&self.content);
    }
}

fn front() -> [u8; LENGTHS] {
    let mut front = [0; LENGTHS];
    front[..MAGIC.len()].copy_from_slice(MAGIC);
    front[MAGIC.len()] = binary::VERSION;
    front
}

fn part(bytes: &[u8], start: usize) -> Option<[u8; 32]> {
    bytes.get(start..start + 32)?.try_into().ok()
}

fn length(bytes: &[u8], place: usize) -> Option<u64> {
    let start = LENGTHS + 8 * place;
    bytes.get(start..start + 8)?.try_into().ok().map(u64::from_le_bytes)
}

/// A cache from its parts.
pub(super) fn assemble(header: &Header, index: &[u8], records: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + index.len() + records.len());
    bytes.extend_from_slice(&front());
    bytes.extend_from_slice(&(index.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&(records.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&*THIS_BUILD);
    bytes.extend_from_slice(blake3::hash(index).as_bytes());
    bytes.resize(HEADER, 0);
    header.write(&mut bytes);
    bytes.extend_from_slice(index);
    bytes.extend_from_slice(records);
    bytes
}

/// The bytes of the index.
pub(super) fn index(bytes: &[u8]) -> Option<&[u8]> {
    let length = usize::try_from(length(bytes, 0)?).ok()?;
    bytes.get(HEADER..HEADER.checked_add(length)?)
}

/// Where records are whose lengths and checksums the index has; `None` when they are beyond the end.
pub(super) fn records(bytes: &[u8], lengths: &[(u32, u32)]) -> Option<Vec<Record>> {
    let mut start = HEADER + index(bytes)?.len();
    let mut records = Vec::with_capacity(lengths.len());
    for (length, check) in lengths {
        let end = start.checked_add(*length as usize)?;
        records.push(Record { start, end, check: *check });
        start = end;
    }
    (start == bytes.len()).then_some(records)
}

/// The bytes of a record, when they are what was written.
pub(super) fn checked<'a>(bytes: &'a [u8], record: &Record) -> Option<&'a [u8]> {
    let bytes = bytes.get(record.start..record.end)?;
    (checksum(bytes) == record.check).then_some(bytes)
}

pub(super) fn checksum(record: &[u8]) -> u32 {
    let mut check = [0; 4];
    check.copy_from_slice(&blake3::hash(record).as_bytes()[..4]);
    u32::from_le_bytes(check)
}

/// Writes a cache at once. One that cannot be written is made again next time, which is slow but
/// right, so a folder that cannot be written is no error.
pub(super) fn save(path: &Path, bytes: &[u8]) {
    let temporary =
        path.with_extension(format!("{}-{:?}", std::process::id(), std::thread::current().id()));
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    let saved = made.and_then(|()| fs::write(&temporary, bytes));
    if saved.and_then(|()| fs::rename(&temporary, path)).is_err() {
        let _ = fs::remove_file(&temporary);
    }
}
