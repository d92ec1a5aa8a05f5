//! A recording that has grown large is closed, and goes on in another one beside it.
//!
//! Each part can be replayed alone: what the app asked while it started, and what it asks once however long it
//! runs, is in each of them. No test is split: the next part begins when no request is under way.

use super::{Recorder, sorted};
use rehearsal_model::{Manifest, Mock, TestId};
use rehearsal_store::writer::{Finished, Writer};
use rehearsal_store::{Project, StoreError};
use std::path::PathBuf;
use std::thread::JoinHandle;

/// Mocks that are kept for all parts: an app that starts with more of them has a part that can be replayed, its
/// first one.
const KEPT: usize = 10_000;

/// See the module.
pub(crate) struct Rotation {
    /// The size of a part, in bytes of what is written while it is recorded.
    limit: u64,
    project: Project,
    name: String,
    /// The number of the part that is written.
    part: u32,
    /// What each part begins with.
    first: Vec<Mock>,
    /// Whether the part that is written has more than that.
    has_news: bool,
    /// The part before is put into files beside the recording: one at a time.
    closing: Option<JoinHandle<Result<Finished, StoreError>>>,
    closed: Vec<Finished>,
}

impl Rotation {
    pub(crate) fn new(limit: u64, project: Project, name: String) -> Self {
        let (first, closed) = (Vec::new(), Vec::new());
        Rotation { limit, project, name, part: 1, first, has_news: false, closing: None, closed }
    }

    /// Notes that something was written.
    pub(super) fn wrote(&mut self) {
        self.has_news = true;
    }

    /// Notes a mock, without its secrets, that each part begins with.
    pub(super) fn keep(&mut self, mock: &Mock) {
        if self.first.len() < KEPT {
            self.first.push(Mock { after: TestId(0), calls: 0, ..mock.clone() });
        }
    }

    fn close(&mut self, writer: Writer, manifest: Manifest) -> Result<(), StoreError> {
        self.settle()?;
        let folder = writer.folder().to_owned();
        let work = std::thread::Builder::new().name("rotation".to_owned());
        let closing = work.spawn(move || writer.finish(manifest));
        let failed = |source| StoreError::Io { action: "close", path: folder, source };
        self.closing = Some(closing.map_err(failed)?);
        Ok(())
    }

    /// Waits until the part before is in its files.
    fn settle(&mut self) -> Result<(), StoreError> {
        let Some(closing) = self.closing.take() else { return Ok(()) };
        // A panic has been reported by the panic hook; the journal is there, and saved by whoever comes next.
        if let Ok(finished) = closing.join() {
            self.closed.push(finished?);
        }
        Ok(())
    }

    /// The next part, in the first folder that has no recording.
    fn next(&mut self, manifest: &Manifest) -> Result<Writer, StoreError> {
        loop {
            self.part += 1;
            let folder: PathBuf =
                self.project.recording_folder(&format!("{}-{}", self.name, self.part))?;
            match Writer::create(self.project.root(), folder, manifest.clone(), false) {
                Err(StoreError::Exists { .. }) => {}
                made => return made,
            }
        }
    }
}

impl Recorder {
    /// Goes on in another recording whenever one has this size.
    pub(crate) fn rotating(self, rotation: Option<Rotation>) -> Self {
        Recorder { rotation, ..self }
    }

    /// Begins the next part when it is time.
    pub(super) fn rotate(&mut self) -> Result<(), StoreError> {
        let Some(rotation) = &mut self.rotation else { return Ok(()) };
        let is_due = rotation.has_news && self.writer.length() >= rotation.limit;
        if !is_due || self.ending || !self.attribution.is_quiet() {
            return Ok(());
        }
        self.writer.flush()?;
        let (edges, listens) = (self.spoken.edges(&self.parties), sorted(&self.counts.listening));
        let manifest = Manifest { edges, listens, ..self.manifest.clone() };
        let next = rotation.next(&manifest)?;
        let full = std::mem::replace(&mut self.writer, next);
        // Each part says how long the answers in it took.
        let edges = std::mem::take(&mut self.pace).of(manifest.edges.clone());
        rotation.close(full, Manifest { edges, ..manifest })?;
        rotation.has_news = false;
        rotation.first.iter().try_for_each(|mock| self.writer.mock(mock.clone()))
    }

    /// The parts that are closed; and whether the last one has nothing that they do not have.
    pub(super) fn parts(&mut self) -> Result<(Vec<Finished>, bool), StoreError> {
        let Some(mut rotation) = self.rotation.take() else { return Ok((Vec::new(), false)) };
        rotation.settle()?;
        let spare = !rotation.closed.is_empty() && !rotation.has_news;
        Ok((rotation.closed, spare))
    }
}
