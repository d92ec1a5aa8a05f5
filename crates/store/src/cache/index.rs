//! What of a recording is read at once: its heads and fingerprints.

use crate::binary::{Binary, BinaryError, Input, put_bytes, put_list, put_number};
use rehearsal_matching::{Entry, Place};
use rehearsal_model::{EdgeName, Manifest, TestId, Timestamp};
use std::path::PathBuf;

/// What a list shows of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestHead {
    /// Its number.
    pub id: TestId,
    /// Its name.
    pub name: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// The edge that was called.
    pub edge: EdgeName,
    /// Its file, below the recording's folder.
    pub file: PathBuf,
    /// How many calls it has.
    pub calls: u32,
    /// How long it took when it was recorded, in milliseconds; 0 when it was less than a second, which
    /// recordings do not say.
    pub took_ms: u32,
    /// The earlier tests that were under way when it began.
    pub during: Vec<TestId>,
    /// Its record; its calls have those after it.
    pub(super) record: u32,
}

/// What finding a mock takes beside its fingerprints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MockHead {
    /// The edge, as its place in the manifest.
    pub edge: u32,
    /// The last test that had begun when it was made.
    pub after: TestId,
    /// The tests one of which made it.
    pub shared_by: Vec<TestId>,
    /// The test of another test runner that made it.
    pub of_test: Option<String>,
    /// Its record.
    pub(super) record: u32,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) manifest: Manifest,
    pub(super) tests: Vec<TestHead>,
    pub(super) mocks: Vec<MockHead>,
    pub(super) prints: Vec<Entry>,
    /// Length and checksum of each record.
    pub(super) records: Vec<(u32, u32)>,
}

/// Two numbers of which the second takes all its bytes.
struct Pair(u32, u32);
struct Print(Entry);

impl Binary for Index {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        self.manifest.put(out)?;
        put_list(out, &self.tests)?;
        put_list(out, &self.mocks)?;
        put_number(out, self.prints.len() as u64);
        self.prints.iter().try_for_each(|entry| Print(*entry).put(out))?;
        put_number(out, self.records.len() as u64);
        self.records.iter().try_for_each(|(length, check)| Pair(*length, *check).put(out))
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        let mut index = Index {
            manifest: Manifest::take(input)?,
            tests: input.list()?,
            mocks: input.list()?,
            ..Index::default()
        };
        let prints = input.count(Print::LEAST)?;
        index.prints.reserve_exact(prints);
        for _ in 0..prints {
            index.prints.push(Print::take(input)?.0);
        }
        let records = input.count(Pair::LEAST)?;
        index.records.reserve_exact(records);
        for _ in 0..records {
            let Pair(length, check) = Pair::take(input)?;
            index.records.push((length, check));
        }
        Ok(index)
    }
}

impl Binary for TestHead {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        self.id.put(out)?;
        self.name.put(out)?;
        self.at.put(out)?;
        self.edge.put(out)?;
        put_bytes(out, self.file.as_os_str().as_encoded_bytes());
        put_number(out, u64::from(self.calls));
        put_number(out, u64::from(self.took_ms));
        put_list(out, &self.during)?;
        put_number(out, u64::from(self.record));
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        use std::os::unix::ffi::OsStrExt;
        Ok(TestHead {
            id: TestId::take(input)?,
            name: String::take(input)?,
            at: Timestamp::take(input)?,
            edge: EdgeName::take(input)?,
            file: std::ffi::OsStr::from_bytes(input.bytes()?).into(),
            calls: input.number32()?,
            took_ms: input.number32()?,
            during: input.list()?,
            record: input.number32()?,
        })
    }
}

impl Binary for MockHead {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        put_number(out, u64::from(self.edge));
        self.after.put(out)?;
        put_list(out, &self.shared_by)?;
        self.of_test.clone().unwrap_or_default().put(out)?;
        put_number(out, u64::from(self.record));
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        Ok(MockHead {
            edge: input.number32()?,
            after: TestId::take(input)?,
            shared_by: input.list()?,
            of_test: Some(String::take(input)?).filter(|name| !name.is_empty()),
            record: input.number32()?,
        })
    }
}

const CALL: u8 = 0;
const AMBIENT: u8 = 1;
const SHARED: u8 = 2;
const REPEATABLE: u8 = 0x80;

impl Print {
    /// Fingerprints, the edge, a tag and an index.
    const LEAST: usize = 19;
}

impl Binary for Print {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        let Entry { edge, identity, values, repeatable, place } = self.0;
        let (tag, test, calls, index) = match place {
            Place::Call { test, index } => (CALL, Some(test), None, index),
            Place::Ambient { after, calls, index } => (AMBIENT, Some(after), Some(calls), index),
            Place::Shared { index } => (SHARED, None, None, index),
        };
        out.extend_from_slice(&identity.to_le_bytes());
        out.extend_from_slice(&values.to_le_bytes());
        put_number(out, u64::from(edge));
        out.push(if repeatable { tag | REPEATABLE } else { tag });
        test.map_or(Ok(()), |test| test.put(out))?;
        calls.into_iter().for_each(|calls| put_number(out, u64::from(calls)));
        put_number(out, u64::from(index));
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        let (identity, values) = (word(input)?, word(input)?);
        let edge = input.number32()?;
        let tag = input.byte()?;
        let place = match tag & !REPEATABLE {
            CALL => Place::Call { test: TestId::take(input)?, index: input.number32()? },
            AMBIENT => Place::Ambient {
                after: TestId::take(input)?,
                calls: input.number32()?,
                index: input.number32()?,
            },
            SHARED => Place::Shared { index: input.number32()? },
            _ => return Err(BinaryError::Damaged(input.at() - 1)),
        };
        let repeatable = tag & REPEATABLE != 0;
        Ok(Print(Entry { edge, identity, values, repeatable, place }))
    }
}

fn word(input: &mut Input<'_>) -> Result<u64, BinaryError> {
    let start = input.at();
    let bytes = input.slice(8)?.try_into().map_err(|_| BinaryError::Damaged(start))?;
    Ok(u64::from_le_bytes(bytes))
}

impl Pair {
    const LEAST: usize = 5;
}

impl Binary for Pair {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        put_number(out, u64::from(self.0));
        out.extend_from_slice(&self.1.to_le_bytes());
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        let length = input.number32()?;
        let start = input.at();
        let check = input.slice(4)?.try_into().map_err(|_| BinaryError::Damaged(start))?;
        Ok(Pair(length, u32::from_le_bytes(check)))
    }
}
