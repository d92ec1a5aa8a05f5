//! The threads that carry connections.
//!
//! Each has an event loop of its own, and a connection stays with one of them to its end. Work that
//! moves between threads, as it does on a runtime that balances it, costs two system calls for each
//! time that a thread wakes another: on a busy connection more than the carrying itself. For the same
//! reason connections are accepted and dialled on the first of them, which on a small machine is the
//! only one.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::thread::{self, JoinHandle};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// More lanes than this would wait for the one recorder.
const MOST: usize = 4;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// See the module. Dropped, it ends what its lanes still carry.
pub(crate) struct Lanes {
    first: Handle,
    lanes: Vec<mpsc::UnboundedSender<Job>>,
    threads: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

/// Gives the lanes by turns something to carry.
pub(crate) struct Turns {
    lanes: Vec<mpsc::UnboundedSender<Job>>,
    next: usize,
}

impl Lanes {
    /// As many as the machine has use for. Each does `rest` whenever it has nothing else to do.
    ///
    /// # Errors
    /// When the system gives no more threads or descriptors.
    pub(crate) fn open(rest: impl Fn() + Clone + Send + Sync + 'static) -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let runtime =
            || Builder::new_current_thread().on_thread_park(rest.clone()).enable_all().build();
        let runtimes: Vec<_> =
            (0..cores.div_ceil(2).min(MOST)).map(|_| runtime()).collect::<io::Result<_>>()?;
        let first = runtimes[0].handle().clone();
        let (stop, _) = watch::channel(false);
        let mut lanes = Lanes { first, lanes: Vec::new(), threads: Vec::new(), stop };
        for (number, runtime) in runtimes.into_iter().enumerate() {
            let (sender, jobs) = mpsc::unbounded_channel();
            let stopped = lanes.stop.subscribe();
            let thread = thread::Builder::new().name(format!("lane {number}"));
            lanes.threads.push(thread.spawn(move || work(&runtime, jobs, stopped))?);
            lanes.lanes.push(sender);
        }
        Ok(lanes)
    }

    /// The event loop of the first lane.
    pub(crate) fn first(&self) -> &Handle {
        &self.first
    }

    pub(crate) fn turns(&self) -> Turns {
        Turns { lanes: self.lanes.clone(), next: 0 }
    }

    /// Until all that was given has come to its end and nobody can give more.
    pub(crate) async fn finish(mut self) {
        self.lanes.clear();
        // Each lane holds a receiver until it has nothing left.
        self.stop.closed().await;
    }
}

impl Turns {
    /// Gives the next lane something to carry.
    pub(crate) fn carry(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        // A lane that has ended was told to.
        let _ = self.lanes[self.next].send(Box::pin(job));
        self.next = (self.next + 1) % self.lanes.len();
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.lanes.clear();
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            // A job that panicked ended alone, as a task.
            let _ = thread.join();
        }
    }
}

fn work(
    runtime: &Runtime,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    mut stop: watch::Receiver<bool>,
) {
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let all = async {
            loop {
                tokio::select! {
                    job = jobs.recv() => match job {
                        Some(job) => drop(tasks.spawn(job)),
                        None => break,
                    },
                    Some(_) = tasks.join_next() => {}
                }
            }
            while tasks.join_next().await.is_some() {}
        };
        tokio::select! {
            () = all => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::time::timeout;

    struct Counts(Arc<AtomicUsize>);

    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn everything_comes_to_its_end_before_the_lanes_do() {
        let ended = Arc::new(AtomicUsize::new(0));
        let lanes = Lanes::open(|| {}).unwrap();
        let mut turns = lanes.turns();
        for number in 0..20 {
            let counts = Counts(Arc::clone(&ended));
            turns.carry(async move {
                let _ = timeout(Duration::from_millis(number), pending::<()>()).await;
                drop(counts);
            });
        }
        drop(turns);
        timeout(Duration::from_secs(10), lanes.finish()).await.unwrap();
        assert_eq!(ended.load(Ordering::SeqCst), 20);
    }

    #[tokio::test]
    async fn what_has_no_end_is_dropped_with_the_lanes_and_what_panics_ends_alone() {
        let ended = Arc::new(AtomicUsize::new(0));
        let lanes = Lanes::open(|| {}).unwrap();
        let mut turns = lanes.turns();
        for _ in 0..4 {
            let counts = Counts(Arc::clone(&ended));
            turns.carry(async { panic!("on purpose") });
            turns.carry(async move {
                let _counts = counts;
                pending().await
            });
        }
        drop(lanes);
        assert_eq!(ended.load(Ordering::SeqCst), 4);
    }
}
