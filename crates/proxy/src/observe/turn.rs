//! A connection's turn at the gate.

use crate::{BoxFuture, ConnectionId, Gate, Pass};
use bytes::Bytes;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Whether a connection may begin an exchange. Without a gate it always may.
pub(super) struct Turn {
    gate: Option<Arc<dyn Gate>>,
    pass: Option<Pass>,
    waiting: Option<(BoxFuture<'static, Pass>, Bytes)>,
}

impl Turn {
    pub(super) fn new(gate: Option<Arc<dyn Gate>>) -> Self {
        Turn { gate, pass: None, waiting: None }
    }

    /// Whether bytes of the client wait for their turn.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Asks for a turn on behalf of bytes that came. False when they may pass as they are.
    pub(super) fn ask(&mut self, connection: ConnectionId, bytes: &[u8]) -> bool {
        match (&self.gate, &self.pass) {
            (Some(gate), None) => {
                self.waiting = Some((gate.enter(connection), Bytes::copy_from_slice(bytes)));
                true
            }
            _ => false,
        }
    }

    /// Ready with the bytes whose turn has come.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        let Some((entering, bytes)) = &mut self.waiting else { return Poll::Pending };
        self.pass = Some(ready!(entering.as_mut().poll(cx)));
        let bytes = std::mem::take(bytes);
        self.waiting = None;
        Poll::Ready(bytes)
    }

    /// Lets the next one go ahead.
    pub(super) fn give_back(&mut self) {
        self.pass = None;
    }

    /// Asks for no more turns.
    pub(super) fn leave(&mut self) {
        self.gate = None;
        self.pass = None;
    }
}
