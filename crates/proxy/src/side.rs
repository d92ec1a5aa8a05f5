//! One peer of a connection: its stream, what waits for it, and how far it has ended.
//!
//! Each direction ends by itself. A peer that broke is read to its end first, since what it said
//! before it broke may still wait to be read.

use crate::Stream;
use crate::outbox::Outbox;
use bytes::Bytes;
use rehearsal_wire::Ending;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;

/// No more is read from one peer while more than this waits for the other, in bytes.
pub(crate) const MOST_WAITING: usize = 256 << 10;

/// What came from a peer.
pub(crate) enum Came {
    /// So many bytes.
    Bytes(usize),
    /// Its end.
    End(Ending),
}

/// The direction towards the peer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    Open,
    /// It ends like that once nothing waits.
    Ending(Ending),
    Ended,
}

/// One peer of a connection.
pub(crate) struct Side {
    stream: Stream,
    outbox: Outbox,
    input_open: bool,
    output: Output,
    /// A write failed, so that whatever the peer's end looks like, it is a reset.
    broken: bool,
}

impl Side {
    pub(crate) fn new(stream: Stream) -> Self {
        Side {
            stream,
            outbox: Outbox::default(),
            input_open: true,
            output: Output::Open,
            broken: false,
        }
    }

    /// Whether more may come from the peer.
    pub(crate) fn is_open(&self) -> bool {
        self.input_open
    }

    /// Whether both directions have ended.
    pub(crate) fn is_over(&self) -> bool {
        !self.input_open && self.output == Output::Ended
    }

    /// Whether the peer turned out to be gone after its stream had ended in order. Says so once.
    pub(crate) fn take_late_break(&mut self) -> bool {
        let late = self.broken && !self.input_open;
        self.broken &= self.input_open;
        late
    }

    /// Whether so much waits for the peer that nothing should be added.
    pub(crate) fn is_full(&self) -> bool {
        self.outbox.len() > MOST_WAITING
    }

    /// Whether all was written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Whether the direction towards the peer has ended.
    pub(crate) fn is_ended(&self) -> bool {
        self.output == Output::Ended
    }

    /// Reads once. Call only while [`Side::is_open`].
    pub(crate) fn poll_come(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Came> {
        let how = match self.stream.poll_fill(cx, buffer) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(0)) if !self.broken => Ending::Finished,
            Poll::Ready(Ok(0) | Err(_)) => Ending::Reset,
            Poll::Ready(Ok(count)) => return Poll::Ready(Came::Bytes(count)),
        };
        self.input_open = false;
        self.broken = false;
        Poll::Ready(Came::End(how))
    }

    /// Writes borrowed bytes at once, keeping what the peer does not take.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) {
        if self.output == Output::Open && self.outbox.write(&mut self.stream, cx, bytes).is_err() {
            self.break_off();
        }
    }

    /// Lets bytes wait until [`Side::poll_settle`].
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if self.output == Output::Open {
            self.outbox.push(bytes);
        }
    }

    /// Ends the direction towards the peer once nothing waits; a reset ends both directions, at
    /// once for what would still come.
    pub(crate) fn finish(&mut self, how: Ending) {
        if how == Ending::Reset {
            self.input_open = false;
        }
        match (self.output, how) {
            (Output::Open, _) | (Output::Ending(_), Ending::Reset) => {
                self.output = Output::Ending(how);
            }
            (Output::Ended, Ending::Reset) => self.stream.reset_in_place(),
            (Output::Ending(_) | Output::Ended, _) => {}
        }
    }

    /// Ends both directions now.
    pub(crate) fn reset(&mut self) {
        self.outbox.clear();
        self.input_open = false;
        self.output = Output::Ended;
        self.stream.reset_in_place();
    }

    /// Writes what waits and then ends, if that is wanted. True when anything moved.
    pub(crate) fn poll_settle(&mut self, cx: &mut Context<'_>) -> bool {
        if self.output == Output::Ended || (self.outbox.is_empty() && self.output == Output::Open) {
            return false;
        }
        let before = (self.outbox.len(), self.output);
        match (self.outbox.poll_flush(&mut self.stream, cx), self.output) {
            (Poll::Pending, _) | (Poll::Ready(Ok(())), Output::Open | Output::Ended) => {}
            (Poll::Ready(Err(_)), Output::Ending(Ending::Reset))
            | (Poll::Ready(Ok(())), Output::Ending(Ending::Reset)) => self.reset(),
            (Poll::Ready(Err(_)), _) => self.break_off(),
            (Poll::Ready(Ok(())), Output::Ending(Ending::Finished)) => {
                // It fails only towards a peer that is gone, which reading tells.
                if Pin::new(&mut self.stream).poll_shutdown(cx).is_ready() {
                    self.output = Output::Ended;
                }
            }
        }
        before != (self.outbox.len(), self.output)
    }

    fn break_off(&mut self) {
        self.outbox.clear();
        self.output = Output::Ended;
        self.broken = true;
    }

    /// Takes the stream out to lay something over it. Call only when nothing waits.
    pub(crate) fn take(&mut self) -> Stream {
        self.stream.take()
    }

    /// Puts it back.
    pub(crate) fn put_back(&mut self, stream: Stream) {
        self.stream = stream;
    }
}
