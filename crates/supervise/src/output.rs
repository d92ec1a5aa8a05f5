//! What the app writes on its standard output and error.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::unix::pipe::Receiver;

/// Where the app's output goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// To our own standard output and error, as it is.
    #[default]
    Inherit,
    /// Its last lines are kept for reports.
    Keep,
}

/// Lines kept.
const LINES: usize = 40;
/// Bytes kept of one line.
const LINE_LENGTH: usize = 1000;
/// Bytes read at a time.
const PIECE: usize = 16 << 10;
/// How often is read where more than that waits: a pipe holds 64 KiB unless it is told otherwise.
const MOST_PIECES: usize = 64;

/// The last lines of the app's output. Copies show the same lines.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug, Default)]
struct Lines {
    whole: VecDeque<String>,
    open: Vec<u8>,
    /// How many lines were whole, those that are not kept among them.
    count: usize,
    /// Where the output comes from, until it ends there.
    pipes: Vec<Arc<Receiver>>,
}

/// A place in the output.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize);

impl Tail {
    /// The lines, the last one perhaps unfinished. Bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<String> = lines.whole.iter().cloned().collect();
        if !lines.open.is_empty() {
            all.push(String::from_utf8_lossy(&lines.open).into_owned());
        }
        all
    }

    /// Behind all that the app has written by now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.read_what_is_there();
        Mark(lines.count)
    }

    /// The last lines that it has written since, at most so many, and how many there were in all.
    #[must_use]
    pub fn since(&self, mark: Mark, most: usize) -> (Vec<String>, usize) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.read_what_is_there();
        let count = lines.count.saturating_sub(mark.0);
        let kept = count.min(most).min(lines.whole.len());
        let from = lines.whole.len() - kept;
        (lines.whole.iter().skip(from).cloned().collect(), count)
    }

    /// Keeps what comes out of a pipe until it ends.
    pub(crate) async fn follow(self, pipe: Receiver) {
        let pipe = Arc::new(pipe);
        let lines = || self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines().pipes.push(Arc::clone(&pipe));
        let mut buffer = vec![0; PIECE];
        while pipe.readable().await.is_ok() {
            // Read under the lock, so that bytes stay in order.
            let mut lines = lines();
            match pipe.try_read(&mut buffer) {
                Ok(length) if length > 0 => lines.take(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => break,
            }
        }
        lines().pipes.retain(|known| !Arc::ptr_eq(known, &pipe));
    }
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.open);
                self.whole.push_back(String::from_utf8_lossy(&line).into_owned());
                self.count += 1;
                if self.whole.len() > LINES {
                    self.whole.pop_front();
                }
            } else if self.open.len() < LINE_LENGTH {
                self.open.push(*byte);
            }
        }
    }

    /// Reads what waits in the pipes: an app that has answered has written what it logged before, and
    /// the runtime may not have seen it yet.
    fn read_what_is_there(&mut self) {
        let mut buffer = vec![0; PIECE];
        for pipe in self.pipes.clone() {
            // One that writes without end is not waited for.
            for _ in 0..MOST_PIECES {
                // SAFETY: the buffer is ours and as long as is said; the pipe is open and does not block.
                let length =
                    unsafe { libc::read(pipe.as_raw_fd(), buffer.as_mut_ptr().cast(), PIECE) };
                let Ok(length @ 1..) = usize::try_from(length) else { break };
                self.take(&buffer[..length]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn keeps_the_last_lines_in_bounds() {
        let tail = Tail::default();
        let take = |bytes: &[u8]| tail.lines.lock().unwrap().take(bytes);
        for number in 0..100 {
            take(format!("line {number}\n").as_bytes());
        }
        take(&[b'x'; 5000]);
        let lines = tail.lines();
        assert_eq!(lines.len(), LINES + 1);
        assert_eq!(lines[0], "line 60");
        assert_eq!(lines[LINES].len(), LINE_LENGTH);
    }
    #[tokio::test]
    async fn what_was_written_by_now_is_told_at_once() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let tail = Tail::default();
        let pipe = Receiver::from_owned_fd(reader.into()).unwrap();
        let following = tokio::spawn(tail.clone().follow(pipe));
        while tail.lines.lock().unwrap().pipes.is_empty() {
            tokio::task::yield_now().await;
        }
        writer.write_all(b"before\n").unwrap();
        let mark = tail.mark();
        for number in 0..50 {
            writer.write_all(format!("line {number}\n").as_bytes()).unwrap();
        }
        // Nothing is awaited here: this is on time, whatever the runtime has seen.
        let (lines, count) = tail.since(mark, 3);
        assert_eq!((lines.join(" "), count), ("line 47 line 48 line 49".to_owned(), 50));
        writer.write_all(b"last\n").unwrap();
        drop(writer);
        following.await.unwrap();
        assert_eq!(tail.since(mark, 1), (vec!["last".to_owned()], 51));
    }
}
