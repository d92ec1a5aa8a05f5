//! Makes a cache from the files of a recording.

use super::index::{Index, MockHead, TestHead};
use super::layout::{Bytes, Draft, Header, checksum};
use crate::StoreError;
use crate::binary::{self, Binary};
use crate::files;
use rehearsal_matching::{Entry, Place, fingerprint};
use rehearsal_model::{EdgeName, Exchange, Manifest, Mock, TestCase, TestId};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Makes the cache of a recording at `path`. `files` are those of the recording; its tests are read
/// some at a time.
pub(super) fn build(
    folder: &Path,
    files: Vec<PathBuf>,
    header: &Header,
    path: &Path,
) -> Result<Bytes, StoreError> {
    let manifest = files::read_manifest(folder)?;
    let mocks = files::read_mocks(folder, &manifest)?;
    let mut builder = Builder {
        folder,
        edges: edges(&manifest),
        files: by_number(folder, files),
        index: Index { manifest: manifest.clone(), ..Index::default() },
        draft: Draft::new(path),
    };
    mocks.iter().try_for_each(|mock| builder.mock(mock))?;
    let mut later = (0u32..).zip(&mocks).peekable();
    files::for_each_test(folder, &manifest, |test| {
        while let Some((index, mock)) = later.next_if(|(_, mock)| mock.after < test.id) {
            builder.print_mock(mock, index)?;
        }
        builder.test(&test)
    })?;
    later.try_for_each(|(index, mock)| builder.print_mock(mock, index))?;
    let index = binary::encode(&builder.index);
    let index = index.map_err(|problem| unfit(folder, problem))?;
    Ok(builder.draft.finish(header, &index))
}

fn took_ms(exchange: &Exchange) -> u32 {
    let took = exchange.finished.since(exchange.started);
    u32::try_from(took.as_millis()).unwrap_or(u32::MAX)
}

struct Builder<'a> {
    folder: &'a Path,
    edges: HashMap<&'a str, u32>,
    files: HashMap<TestId, PathBuf>,
    index: Index,
    draft: Draft,
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
            took_ms: took_ms(&test.exchange),
            during: test.during.clone(),
            record,
        });
        for (index, call) in (0u32..).zip(&test.calls) {
            self.print(&call.edge, &call.exchange, Place::Call { test: test.id, index })?;
        }
        Ok(())
    }

    fn mock(&mut self, mock: &Mock) -> Result<(), StoreError> {
        let (record, edge) = (self.record(mock)?, self.edge(&mock.edge)?);
        let (after, shared_by) = (mock.after, mock.shared_by.clone());
        let of_test = mock.of_test.clone();
        self.index.mocks.push(MockHead { edge, after, shared_by, of_test, record });
        Ok(())
    }

    /// Appends a record; its number.
    fn record(&mut self, thing: &impl Binary) -> Result<u32, StoreError> {
        let mut bytes = Vec::new();
        thing.put(&mut bytes).map_err(|problem| unfit(self.folder, problem))?;
        let length = u32::try_from(bytes.len()).map_err(|_| too_long(self.folder))?;
        self.index.records.push((length, checksum(&bytes)));
        self.draft.add(&bytes);
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

    fn print_mock(&mut self, mock: &Mock, index: u32) -> Result<(), StoreError> {
        let place = match mock.shared_by.as_slice() {
            [] => Place::Ambient { after: mock.after, calls: mock.calls, index },
            _ => Place::Shared { index },
        };
        self.print(&mock.edge, &mock.exchange, place)
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
        during: test.during.clone(),
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
