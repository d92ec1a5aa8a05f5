//! What the app writes on its standard output and error.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncReadExt;
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

/// The last lines of the app's output. Copies show the same lines.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug, Default)]
struct Lines {
    whole: VecDeque<String>,
    open: Vec<u8>,
}

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

    fn take(&self, bytes: &[u8]) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            if *byte == b'\n' {
                let line = std::mem::take(&mut lines.open);
                lines.whole.push_back(String::from_utf8_lossy(&line).into_owned());
                if lines.whole.len() > LINES {
                    lines.whole.pop_front();
                }
            } else if lines.open.len() < LINE_LENGTH {
                lines.open.push(*byte);
            }
        }
    }

    /// Keeps what comes out of a pipe until it ends.
    pub(crate) async fn follow(self, mut pipe: Receiver) {
        let mut buffer = vec![0; 16 << 10];
        loop {
            match pipe.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(length) => self.take(&buffer[..length]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_in_bounds() {
        let tail = Tail::default();
        for number in 0..100 {
            tail.take(format!("line {number}\n").as_bytes());
        }
        tail.take(&[b'x'; 5000]);
        let lines = tail.lines();
        assert_eq!(lines.len(), LINES + 1);
        assert_eq!(lines[0], "line 60");
        assert_eq!(lines[LINES].len(), LINE_LENGTH);
    }
}
