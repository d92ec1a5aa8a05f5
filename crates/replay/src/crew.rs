//! Several copies of the app side by side, each with a thread of its own and a part of the tests.
//!
//! What comes of a test is handed over as it comes; what it is worth is decided elsewhere. Dropping a
//! crew ends its copies and waits for their threads.

use crate::ReplayError;
use crate::theatre::{Copy, House, Performed};
use rehearsal_model::TestId;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};

/// What a copy is to play, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// The tests, with those that are only played because others need them.
    pub(crate) tests: Vec<TestId>,
    /// Those of them whose verdict is wanted.
    pub(crate) own: HashSet<TestId>,
}

/// What a copy has to say.
pub(crate) enum News {
    /// It can be called.
    Ready,
    /// It did not come up.
    NotReady(ReplayError),
    /// A test begins whose verdict is wanted.
    Began(TestId),
    /// What came of it.
    Performed(TestId, Performed),
}

/// See the module.
pub(crate) struct Crew {
    threads: Vec<JoinHandle<()>>,
    /// Dropped when all is to end.
    going: Option<watch::Sender<()>>,
}

impl Crew {
    /// Starts a copy for each part. `news_tx`: copies --what happens-> whoever judges, with the place of
    /// the part.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn start(
        house: &Arc<House>,
        parts: &[Part],
        folders: &[Option<PathBuf>],
        news_tx: mpsc::UnboundedSender<(usize, News)>,
    ) -> Result<Self, ReplayError> {
        let (going, until) = watch::channel(());
        let mut crew = Crew { threads: Vec::new(), going: Some(going) };
        let failed = Arc::new(AtomicUsize::new(usize::MAX));
        for ((place, part), folder) in parts.iter().enumerate().zip(folders) {
            let worker = Worker {
                house: Arc::clone(house),
                part: part.clone(),
                place,
                failed: Arc::clone(&failed),
                news_tx: news_tx.clone(),
            };
            let (until, folder) = (until.clone(), folder.clone());
            let thread = std::thread::Builder::new()
                .name(format!("copy-{}", place + 1))
                .spawn(move || worker.run(folder, until))
                .map_err(|error| ReplayError::Internal(format!("start a thread: {error}")))?;
            crew.threads.push(thread);
        }
        Ok(crew)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        drop(self.going.take());
        for thread in self.threads.drain(..) {
            // A panic of a thread has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

struct Worker {
    house: Arc<House>,
    part: Part,
    place: usize,
    /// The place of the first test that failed, where the first failure ends the run.
    failed: Arc<AtomicUsize>,
    news_tx: mpsc::UnboundedSender<(usize, News)>,
}

impl Worker {
    fn run(self, folder: Option<PathBuf>, mut until: watch::Receiver<()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(async {
                tokio::select! {
                    () = self.play(folder) => {}
                    // Nothing is ever sent: it ends.
                    _ = until.changed() => {}
                }
            }),
            Err(error) => {
                let error = ReplayError::Internal(format!("start a runtime: {error}"));
                self.tell(News::NotReady(error));
            }
        }
    }

    /// Whoever no longer listens does not want to know.
    fn tell(&self, news: News) {
        let _ = self.news_tx.send((self.place, news));
    }

    async fn play(&self, folder: Option<PathBuf>) {
        let copy = Copy { number: self.place + 1, folder };
        let mut theatre = match self.house.open(copy).await {
            Ok(theatre) => theatre,
            Err(error) => return self.tell(News::NotReady(error)),
        };
        self.tell(News::Ready);
        for scene in self.house.scenes(&self.part.tests) {
            if scene.tests().all(|id| self.is_over(id)) {
                continue;
            }
            let own = |id: &TestId| self.part.own.contains(id);
            scene.tests().filter(own).for_each(|id| self.tell(News::Began(id)));
            // What cannot be read is said when it is tried again.
            let Ok(performed) = theatre.perform(&scene).await else { break };
            let died = performed.iter().any(|(_, performed)| performed.death.is_some());
            for (id, performed) in performed.into_iter().filter(|(id, _)| own(id)) {
                if !performed.passed() && self.house.options.fail_fast {
                    self.failed.fetch_min(self.house.place(id), Ordering::Relaxed);
                }
                self.tell(News::Performed(id, performed));
            }
            if died {
                break;
            }
        }
        theatre.close().await;
    }

    /// Whether a test comes after one that failed and ends the run.
    fn is_over(&self, id: TestId) -> bool {
        let failed = self.failed.load(Ordering::Relaxed);
        failed != usize::MAX && self.house.place(id) > failed
    }
}
