//! Reads a journal back, frame by frame, up to the first that is not whole: no more of it is held
//! than one frame.

use super::{FILE, frame};
use crate::StoreError;
use crate::binary::{self, BinaryError};
use rehearsal_model::{Manifest, Mock, TestCase};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// A journal that is being read.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    known_mocks: u64,
    /// Where the next frame begins.
    at: u64,
    /// Where frames end: the limit of every allocation.
    end: u64,
    /// The head of the next frame, when it was looked at.
    head: Option<[u8; frame::HEAD]>,
    /// What follows cannot be told apart from damage.
    broken: bool,
}

/// A frame whose checksum is right.
#[derive(Debug)]
pub struct Frame {
    payload: Vec<u8>,
}

/// What a frame holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// What the recording says of itself; the last one counts.
    Manifest(Manifest),
    /// A test.
    Test(Box<TestCase>),
    /// A mock; they come in the order of the timeline.
    Mock(Box<Mock>),
}

/// What a journal has, without the things themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// The last manifest.
    pub manifest: Manifest,
    /// How many tests there are.
    pub tests: usize,
    /// How many mocks there are.
    pub mocks: usize,
    /// Where the last whole frame ends.
    pub end: u64,
    /// Bytes behind it.
    pub torn: u64,
}

/// Reads the journal in a recording's folder through to see what it has; `None` when there is none.
///
/// # Errors
/// When the file cannot be read, or another version of Rehearsal wrote it.
pub fn survey(folder: &Path) -> Result<Option<Survey>, StoreError> {
    let Some(mut reader) = Reader::open(folder)? else { return Ok(None) };
    let mut survey = Survey { end: reader.at, ..Survey::default() };
    while let Some(frame) = reader.frame()? {
        match frame.decode() {
            Ok(Entry::Manifest(manifest)) => survey.manifest = manifest,
            Ok(Entry::Test(_)) => survey.tests += 1,
            Ok(Entry::Mock(_)) => survey.mocks += 1,
            Err(_) => break,
        }
        survey.end = reader.at;
    }
    survey.torn = reader.end - survey.end;
    Ok(Some(survey))
}

impl Reader {
    /// Begins to read the journal in a recording's folder; `None` when there is none.
    ///
    /// # Errors
    /// When the file cannot be read, or another version of Rehearsal wrote it.
    pub fn open(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(FILE);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(StoreError::io("open", &path))?,
        };
        let end = file.metadata().map_err(StoreError::io("read", &path))?.len();
        let file = BufReader::with_capacity(1 << 16, file);
        let mut reader =
            Reader { path, file, known_mocks: 0, at: 0, end, head: None, broken: false };
        let mut header = [0; frame::HEADER];
        if end < header.len() as u64 {
            // It broke off before the first frame: without a header there is none.
            reader.broken = true;
            return Ok(Some(reader));
        }
        reader.fill(&mut header)?;
        let (front, known_mocks) = header.split_at(frame::HEADER - 8);
        if front != &frame::header(0)[..front.len()] {
            return Err(StoreError::JournalVersion { path: reader.path });
        }
        reader.known_mocks = known_mocks.try_into().map_or(0, u64::from_le_bytes);
        reader.at = header.len() as u64;
        Ok(Some(reader))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many mocks the recording had before.
    #[must_use]
    pub fn known_mocks(&self) -> u64 {
        self.known_mocks
    }

    /// Where the next frame begins, or where those that are whole have ended.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Reads no further than this place.
    #[must_use]
    pub fn until(mut self, end: u64) -> Self {
        self.end = self.end.min(end);
        self
    }

    /// How many bytes the next frame takes; `None` when no other begins here.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_length(&mut self) -> Result<Option<u64>, StoreError> {
        if self.broken {
            return Ok(None);
        }
        let left = self.end.saturating_sub(self.at);
        let head = match self.head {
            Some(head) => head,
            None if left < frame::HEAD as u64 => return Ok(None),
            None => {
                let mut head = [0; frame::HEAD];
                self.fill(&mut head)?;
                self.head = Some(head);
                head
            }
        };
        let length = u64::from(frame::length(&head)) + frame::HEAD as u64;
        Ok((length <= left).then_some(length))
    }

    /// The next frame, when it is there and whole.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn frame(&mut self) -> Result<Option<Frame>, StoreError> {
        let Some(length) = self.next_length()? else { return Ok(None) };
        let Some(head) = self.head else { return Ok(None) };
        let mut payload = vec![0; frame::length(&head) as usize];
        self.fill(&mut payload)?;
        if !frame::is_whole(&head, &payload) {
            self.broken = true;
            return Ok(None);
        }
        self.head = None;
        self.at += length;
        Ok(Some(Frame { payload }))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), StoreError> {
        let read: io::Result<()> = self.file.read_exact(bytes);
        read.map_err(StoreError::io("read", &self.path))
    }
}

impl Frame {
    /// Whether it holds a mock, whose order counts.
    #[must_use]
    pub fn is_mock(&self) -> bool {
        self.payload.first() == Some(&frame::MOCK)
    }

    /// What it holds.
    ///
    /// # Errors
    /// When it is not what [`super::Journal`] writes.
    pub fn decode(self) -> Result<Entry, BinaryError> {
        match self.payload.split_first() {
            Some((&frame::MANIFEST, rest)) => binary::decode(rest).map(Entry::Manifest),
            Some((&frame::TEST, rest)) => binary::decode(rest).map(Box::new).map(Entry::Test),
            Some((&frame::MOCK, rest)) => binary::decode(rest).map(Box::new).map(Entry::Mock),
            _ => Err(BinaryError::Damaged(0)),
        }
    }
}
