//! Makes a cache from a recording that was read.

use super::index::{Index, MockHead, TestHead};
use super::layout::{Header, assemble, checksum};
use crate::StoreError;
use crate::binary::{self, Binary};
use rehearsal_matching::{Entry, Place, fingerprint};
use rehearsal_model::{EdgeName, Exchange, Manifest, Recording, TestCase, TestId};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The bytes of a recording's cache. `files` are those of the recording.
pub(super) fn build(
    folder: &Path,
    recording: &Recording,
    files: Vec<PathBuf>,
    stamp: [u8; 32],
    content: [u8; 32],
) -> Result<Vec<u8>, StoreError> {
    let mut builder = Builder {
        folder,
        edges: edges(&recording.manifest),
        files: by_number(folder, files),
        index: Index { manifest: recording.manifest.clone(), ..Index::default() },
        records: Vec::new(),
    };
    recording.tests.iter().try_for_each(|test| builder.test(test))?;
    for mock in &recording.mocks {
        let record = builder.record(mock)?;
        let edge = builder.edge(&mock.edge)?;
        let shared_by = mock.shared_by.clone();
        builder.index.mocks.push(MockHead { edge, after: mock.after, shared_by, record });
    }
    builder.prints(recording)?;
    let index = binary::encode(&builder.index);
    let index = index.map_err(|problem| unfit(folder, problem))?;
    Ok(assemble(&Header { stamp, content }, &index, &builder.records))
}

struct Builder<'a> {
    folder: &'a Path,
    edges: HashMap<&'a str, u32>,
    files: HashMap<TestId, PathBuf>,
    index: Index,
    records: Vec<u8>,
}

impl Builder<'_> {
    fn test(&mut self, test: &TestCase) -> Result<(), StoreError> {
        let record = self.record(&head_of(test))?;
        for call in &test.calls {
            self.record(call)?;
        }
        self.index.tests.push(TestHead {
            id: test.id,
            name: test.name.clone(),
            at: test.at,
            edge: test.edge.clone(),
            file: self.files.remove(&test.id).unwrap_or_default(),
            calls: u32::try_from(test.calls.len()).map_err(|_| too_long(self.folder))?,
            record,
        });
        Ok(())
    }

    /// Appends a record; its number.
    fn record(&mut self, thing: &impl Binary) -> Result<u32, StoreError> {
        let start = self.records.len();
        thing.put(&mut self.records).map_err(|problem| unfit(self.folder, problem))?;
        let bytes = &self.records[start..];
        let length = u32::try_from(bytes.len()).map_err(|_| too_long(self.folder))?;
        self.index.records.push((length, checksum(bytes)));
        u32::try_from(self.index.records.len() - 1).map_err(|_| too_long(self.folder))
    }

    fn edge(&self, name: &EdgeName) -> Result<u32, StoreError> {
        self.edges.get(name.as_str()).copied().ok_or_else(|| {
            StoreError::whole_file(
                &self.folder.join("recording.yaml"),
                format!("the edge `{name}` of a call is not in it; add it to `edges`"),
            )
        })
    }

    /// The calls of each test after the mocks that were made before it.
    fn prints(&mut self, recording: &Recording) -> Result<(), StoreError> {
        let mut mocks = (0u32..).zip(&recording.mocks).peekable();
        let ends = recording.tests.iter().map(|test| (test.id, Some(test)));
        for (id, test) in ends.chain([(TestId(u32::MAX), None)]) {
            let before = |after: TestId| after < id || test.is_none();
            while let Some((index, mock)) = mocks.next_if(|(_, mock)| before(mock.after)) {
                let place = match mock.shared_by.as_slice() {
                    [] => Place::Ambient { after: mock.after, calls: mock.calls, index },
                    _ => Place::Shared { index },
                };
                self.print(&mock.edge, &mock.exchange, place)?;
            }
            for (index, call) in (0u32..).zip(test.map_or(&[][..], |test| &test.calls)) {
                self.print(&call.edge, &call.exchange, Place::Call { test: id, index })?;
            }
        }
        Ok(())
    }

    fn print(
        &mut self,
        edge: &EdgeName,
        exchange: &Exchange,
        place: Place,
    ) -> Result<(), StoreError> {
        let number = self.edge(edge)?;
        let protocol = &self.index.manifest.edges[number as usize].protocol;
        let protocol = rehearsal_wire::protocol(protocol).ok_or_else(|| {
            let problem = format!("protocol `{protocol}` is unknown to this release");
            StoreError::whole_file(&self.folder.join("recording.yaml"), problem)
        })?;
        let facets = protocol.facets();
        self.index.prints.push(Entry {
            edge: number,
            identity: fingerprint(&facets.identity(&exchange.request)),
            values: fingerprint(&facets.request(&exchange.request)),
            repeatable: facets.repeatable(&exchange.request),
            place,
        });
        Ok(())
    }
}

/// A test but for its calls, which may be large.
fn head_of(test: &TestCase) -> TestCase {
    TestCase {
        id: test.id,
        name: test.name.clone(),
        at: test.at,
        edge: test.edge.clone(),
        exchange: test.exchange.clone(),
        calls: Vec::new(),
        noise: test.noise.clone(),
    }
}

fn edges(manifest: &Manifest) -> HashMap<&str, u32> {
    manifest.edges.iter().map(|edge| edge.name.as_str()).zip(0u32..).collect()
}

/// The test files of a recording, relative to its folder, by the number that their names begin with.
fn by_number(folder: &Path, files: Vec<PathBuf>) -> HashMap<TestId, PathBuf> {
    let number = |path: &Path| {
        let name = path.file_name().and_then(OsStr::to_str)?;
        name.split(['-', '.']).next()?.parse().ok().map(TestId)
    };
    let relative = files.iter().filter_map(|path| path.strip_prefix(folder).ok());
    let tests = relative.filter(|path| path.starts_with("tests"));
    tests.filter_map(|path| Some((number(path)?, path.to_owned()))).collect()
}

fn unfit(folder: &Path, problem: binary::BinaryError) -> StoreError {
    StoreError::whole_file(folder, problem.to_string())
}

fn too_long(folder: &Path) -> StoreError {
    unfit(folder, binary::BinaryError::TooLong)
}
