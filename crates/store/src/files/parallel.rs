//! The same work on many items, on a few threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads beyond these gain nothing: a file system is behind them.
const MOST_THREADS: usize = 8;
/// Items below which one thread is faster.
const FEW: usize = 32;

/// Applies a function to each item; the results are in the order of the items. The first error in
/// that order wins, whatever the threads do.
pub(super) fn map<T: Sync, R: Send, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if items.len() < FEW || cores < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let batch = (items.len() / 64).clamp(1, 256);
    let run = || {
        let mut done = Vec::new();
        loop {
            let start = next.fetch_add(batch, Ordering::Relaxed);
            let Some(rest) = items.get(start..) else { break };
            let results: Vec<_> = rest.iter().take(batch).map(&work).collect();
            done.push((start, results));
        }
        done
    };
    let mut batches = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..cores.min(MOST_THREADS)).map(|_| scope.spawn(run)).collect();
        let mut batches = run();
        for thread in threads {
            match thread.join() {
                Ok(done) => batches.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        batches
    });
    batches.sort_unstable_by_key(|(start, _)| *start);
    batches.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn keeps_order_and_reports_the_first_error() {
        let items: Vec<u32> = (0..10_000).collect();
        let doubled = map(&items, |item| Ok::<_, ()>(item * 2)).unwrap();
        assert!(doubled.iter().enumerate().all(|(place, item)| *item as usize == place * 2));
        let failed = map(&items, |item| if item % 3000 == 2999 { Err(*item) } else { Ok(()) });
        assert_eq!(failed, Err(2999));
    }
}
