//! Reads a journal back: all whole frames, up to the first that is not.

use super::{FILE, frame};
use crate::StoreError;
use crate::binary::{self, BinaryError};
use rehearsal_model::{Manifest, Mock, TestCase};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

/// What a journal has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journaled {
    /// The last manifest.
    pub manifest: Manifest,
    /// How many mocks the recording had before.
    pub known_mocks: u64,
    /// In the order in which they were finished.
    pub tests: Vec<TestCase>,
    /// In the order in which they were appended.
    pub mocks: Vec<Mock>,
    /// Bytes at the end that are no whole frame.
    pub torn: u64,
}

/// Reads the journal in a recording's folder; `None` when there is none.
///
/// # Errors
/// When the file cannot be read, or another version of Rehearsal wrote it.
pub fn recover(folder: &Path) -> Result<Option<Journaled>, StoreError> {
    let path = folder.join(FILE);
    let file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(StoreError::io("open", &path))?,
    };
    let left = file.metadata().map_err(StoreError::io("read", &path))?.len();
    let mut frames = Frames { file: BufReader::with_capacity(1 << 18, file), left };
    let read = frames.all().map_err(StoreError::io("read", &path))?;
    read.map(Some).ok_or(StoreError::JournalVersion { path })
}

struct Frames {
    file: BufReader<File>,
    /// Bytes that are left in the file: the limit of every allocation.
    left: u64,
}

impl Frames {
    /// `None` when the header is that of another version.
    fn all(&mut self) -> std::io::Result<Option<Journaled>> {
        let mut journaled = Journaled::default();
        let Some(header) = self.take(frame::HEADER as u64)? else {
            journaled.torn = self.left;
            return Ok(Some(journaled));
        };
        let (front, known_mocks) = header.split_at(frame::HEADER - 8);
        if front != &frame::header(0)[..front.len()] {
            return Ok(None);
        }
        let known_mocks = known_mocks.try_into().map_or(0, u64::from_le_bytes);
        journaled.known_mocks = known_mocks;
        loop {
            let before = self.left;
            let whole = match self.frame()? {
                Some(payload) => take(&payload, &mut journaled).is_ok(),
                None => false,
            };
            if !whole {
                journaled.torn = before;
                return Ok(Some(journaled));
            }
        }
    }

    /// The payload of the next frame, when it is there and whole.
    fn frame(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let Some(head) = self.take(frame::HEAD as u64)? else { return Ok(None) };
        let (length, check) = head.split_at(4);
        let length = length.try_into().map_or(0, u32::from_le_bytes);
        let payload = self.take(u64::from(length))?;
        Ok(payload.filter(|payload| frame::checksum(payload) == check))
    }

    /// The next bytes, when there are so many.
    fn take(&mut self, count: u64) -> std::io::Result<Option<Vec<u8>>> {
        if count > self.left {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(count as usize);
        self.file.by_ref().take(count).read_to_end(&mut bytes)?;
        self.left -= count;
        Ok((bytes.len() as u64 == count).then_some(bytes))
    }
}

fn take(payload: &[u8], journaled: &mut Journaled) -> Result<(), BinaryError> {
    match payload.split_first() {
        Some((&frame::MANIFEST, rest)) => journaled.manifest = binary::decode(rest)?,
        Some((&frame::TEST, rest)) => journaled.tests.push(binary::decode(rest)?),
        Some((&frame::MOCK, rest)) => journaled.mocks.push(binary::decode(rest)?),
        _ => return Err(BinaryError::Damaged(0)),
    }
    Ok(())
}
