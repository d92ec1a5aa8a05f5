//! The bytes of a cache: a header, the records, the index.
//!
//! Header: `REHEARSALC`, the version of the encoding, a zero, the lengths of index and records (8
//! bytes each, little-endian), the hash of the build that wrote it, the checksum of the index, the
//! stamp of the recording's files, the hash of their content (32 bytes each, BLAKE3). Each record has
//! a short checksum in the index, so that nothing is read or hashed that is not used.

use crate::binary;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
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
    start: u64,
    length: u32,
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
    /// Puts it into the front of a cache.
    pub(super) fn write(&self, front: &mut [u8]) {
        front[STAMP..STAMP + 32].copy_from_slice(&self.stamp);
        front[CONTENT..CONTENT + 32].copy_from_slice(&self.content);
    }
}

/// The bytes of a cache, where they are.
#[derive(Debug)]
pub(super) enum Bytes {
    /// In a file, which is read where it is needed. It is never changed, only replaced.
    File(File),
    /// Here: there was no place for a file.
    Here(Vec<u8>),
}

impl Bytes {
    /// The checksum of the index, and by it of everything.
    pub(super) fn check(&self) -> [u8; 32] {
        self.part(CHECK as u64, 32).and_then(|it| it.try_into().ok()).unwrap_or_default()
    }

    fn len(&self) -> Option<u64> {
        match self {
            Bytes::File(file) => file.metadata().ok().map(|it| it.len()),
            Bytes::Here(bytes) => Some(bytes.len() as u64),
        }
    }

    /// A part of them, of which the length has been checked against what is there.
    fn part(&self, start: u64, length: usize) -> Option<Vec<u8>> {
        match self {
            Bytes::File(file) => {
                let mut part = vec![0; length];
                file.read_exact_at(&mut part, start).ok()?;
                Some(part)
            }
            Bytes::Here(bytes) => {
                let start = usize::try_from(start).ok()?;
                bytes.get(start..start.checked_add(length)?).map(<[u8]>::to_vec)
            }
        }
    }

    /// What is in front of everything, and the index; `None` when this build did not write them, or
    /// they are damaged.
    pub(super) fn front(&self) -> Option<(Header, Vec<u8>)> {
        let front = self.part(0, HEADER)?;
        let (index, records) = (length(&front, 0)?, length(&front, 1)?);
        let start = (HEADER as u64).checked_add(records)?;
        let current = front.get(..LENGTHS)? == self::front()
            && part(&front, BUILD)? == *THIS_BUILD
            && start.checked_add(index)? == self.len()?;
        if !current {
            return None;
        }
        let index = self.part(start, usize::try_from(index).ok()?)?;
        let sound = part(&front, CHECK)? == *blake3::hash(&index).as_bytes();
        let header = Header { stamp: part(&front, STAMP)?, content: part(&front, CONTENT)? };
        sound.then_some((header, index))
    }

    /// Where records are whose lengths and checksums the index has; `None` when they are not all
    /// that is there.
    pub(super) fn records(&self, lengths: &[(u32, u32)]) -> Option<Vec<Record>> {
        let end = length(&self.part(0, HEADER)?, 1)?.checked_add(HEADER as u64)?;
        let mut start = HEADER as u64;
        let mut records = Vec::with_capacity(lengths.len());
        for (length, check) in lengths {
            records.push(Record { start, length: *length, check: *check });
            start = start.checked_add(u64::from(*length))?;
        }
        (start == end).then_some(records)
    }

    /// The bytes of a record, when they are what was written.
    pub(super) fn checked(&self, record: &Record) -> Option<Vec<u8>> {
        let bytes = self.part(record.start, record.length as usize)?;
        (checksum(&bytes) == record.check).then_some(bytes)
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

/// What stands in front of everything.
pub(super) fn head(header: &Header, index: &[u8], records: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(&front());
    bytes.extend_from_slice(&(index.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&records.to_le_bytes());
    bytes.extend_from_slice(&*THIS_BUILD);
    bytes.extend_from_slice(blake3::hash(index).as_bytes());
    bytes.resize(HEADER, 0);
    header.write(&mut bytes);
    bytes
}

pub(super) fn checksum(record: &[u8]) -> u32 {
    let mut check = [0; 4];
    check.copy_from_slice(&blake3::hash(record).as_bytes()[..4]);
    u32::from_le_bytes(check)
}

/// A cache that is being written: beside its place until it is whole. What cannot be written is kept
/// here, which is slow the next time but right, so a folder that cannot be written is no error.
pub(super) struct Draft {
    path: PathBuf,
    temporary: PathBuf,
    to: To,
    length: u64,
}

enum To {
    File(BufWriter<File>),
    Here(Vec<u8>),
}

impl Draft {
    /// One for that place, with room for the header.
    pub(super) fn new(path: &Path) -> Self {
        let temporary = temporary(path);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        let open =
            || File::options().read(true).write(true).create(true).truncate(true).open(&temporary);
        let file = made.and_then(|()| open());
        let to = match file {
            Ok(file) => To::File(BufWriter::with_capacity(1 << 20, file)),
            Err(_) => To::Here(Vec::new()),
        };
        let mut draft = Draft { path: path.to_owned(), temporary, to, length: 0 };
        draft.add(&[0; HEADER]);
        draft
    }

    /// Adds bytes to the end.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        match &mut self.to {
            To::Here(all) => all.extend_from_slice(bytes),
            To::File(file) => {
                if file.write_all(bytes).is_err() {
                    self.bring_here(bytes);
                }
            }
        }
    }

    /// Takes back what was written to a disk that is full.
    fn bring_here(&mut self, last: &[u8]) {
        let To::File(file) = std::mem::replace(&mut self.to, To::Here(Vec::new())) else { return };
        let (file, pending) = file.into_parts();
        let mut all = Vec::new();
        let _ = (&file).seek(SeekFrom::Start(0)).and_then(|_| (&file).read_to_end(&mut all));
        all.extend(pending.unwrap_or_default());
        all.truncate(usize::try_from(self.length).unwrap_or(usize::MAX).saturating_sub(last.len()));
        all.extend_from_slice(last);
        let _ = fs::remove_file(&self.temporary);
        self.to = To::Here(all);
    }

    /// Ends it with the index, and puts it into its place.
    pub(super) fn finish(mut self, header: &Header, index: &[u8]) -> Bytes {
        let front = head(header, index, self.length - HEADER as u64);
        self.add(index);
        if let To::File(file) = &mut self.to
            && file.flush().is_err()
        {
            self.bring_here(&[]);
        }
        match std::mem::replace(&mut self.to, To::Here(Vec::new())) {
            To::Here(mut all) => {
                all[..HEADER].copy_from_slice(&front);
                Bytes::Here(all)
            }
            To::File(file) => match self.publish(file, &front) {
                Ok(file) => Bytes::File(file),
                // A draft that is not whole is not read: what it says does not hold.
                Err(_) => Bytes::Here(Vec::new()),
            },
        }
    }

    fn publish(&self, file: BufWriter<File>, front: &[u8]) -> io::Result<File> {
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.write_all_at(front, 0)?;
        // One that has no place is gone when it is closed.
        let _ = fs::rename(&self.temporary, &self.path);
        Ok(file)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is gone when it was put into its place.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Replaces the header of a cache; `None` when that cannot be.
pub(super) fn restamp(path: &Path, header: &Header) -> Option<()> {
    let temporary = temporary(path);
    let change = || {
        fs::copy(path, &temporary)?;
        let file = File::options().read(true).write(true).open(&temporary)?;
        let mut front = vec![0; HEADER];
        file.read_exact_at(&mut front, 0)?;
        header.write(&mut front);
        file.write_all_at(&front, 0)?;
        fs::rename(&temporary, path)
    };
    let changed = change();
    if changed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    changed.ok()
}

fn temporary(path: &Path) -> PathBuf {
    path.with_extension(format!("{}-{:?}", std::process::id(), std::thread::current().id()))
}
