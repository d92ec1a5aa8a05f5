//! A connection with TLS laid over it.
//!
//! A peer that ends the connection without saying so in TLS first has ended it in order: many do, and
//! the protocols above say themselves where their messages end.

use bytes::{Buf, Bytes};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

/// What a connection has to be.
pub trait Line: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Line for T {}

/// A connection of which some bytes were read already.
#[derive(Debug)]
pub(crate) struct Begun<L> {
    unread: Bytes,
    line: L,
    /// What was read, while it may have to be passed on as it came.
    kept: Option<Vec<u8>>,
}

impl<L: Line> Begun<L> {
    pub(crate) fn new(unread: Bytes, line: L) -> Self {
        Begun { unread, line, kept: None }
    }

    /// One that keeps what is read.
    pub(crate) fn keeping(unread: Bytes, line: L) -> Self {
        Begun { unread, line, kept: Some(Vec::new()) }
    }

    /// Keeps no longer.
    pub(crate) fn forget(&mut self) {
        self.kept = None;
    }

    /// The connection, and all that had been read from it.
    pub(crate) fn into_beginning(self) -> (L, Bytes) {
        let mut kept = self.kept.unwrap_or_default();
        kept.extend_from_slice(&self.unread);
        (self.line, kept.into())
    }
}

impl<L: Line> AsyncRead for Begun<L> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.as_mut().get_mut();
        let before = buffer.filled().len();
        if this.unread.is_empty() {
            ready!(Pin::new(&mut this.line).poll_read(cx, buffer))?;
        } else {
            let count = this.unread.len().min(buffer.remaining());
            buffer.put_slice(&this.unread[..count]);
            this.unread.advance(count);
        }
        // A hello is bounded by those who read it.
        if let Some(kept) = &mut this.kept {
            kept.extend_from_slice(&buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<L: Line> AsyncWrite for Begun<L> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(cx)
    }
}

/// Is told how the first read from a peer went.
pub(crate) type FirstRead = Box<dyn FnOnce(&io::Result<usize>) + Send>;

/// See the module.
pub struct Laid<L> {
    tls: Box<TlsStream<Begun<L>>>,
    first: Option<FirstRead>,
}

impl<L> std::fmt::Debug for Laid<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Laid").finish_non_exhaustive()
    }
}

impl<L: Line> Laid<L> {
    pub(crate) fn new(tls: impl Into<TlsStream<Begun<L>>>, first: Option<FirstRead>) -> Self {
        Laid { tls: Box::new(tls.into()), first }
    }

    /// The application protocol that both have agreed on.
    pub(crate) fn alpn(&self) -> Option<Vec<u8>> {
        self.tls.get_ref().1.alpn_protocol().map(<[u8]>::to_vec)
    }

    /// The connection below, for ending it abruptly.
    #[must_use]
    pub fn into_below(self) -> L {
        match *self.tls {
            TlsStream::Client(tls) => tls.into_inner().0.line,
            TlsStream::Server(tls) => tls.into_inner().0.line,
        }
    }
}

impl<L: Line> AsyncRead for Laid<L> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match Pin::new(&mut *self.tls).poll_read(cx, buffer) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            Poll::Ready(read) => read.map(|()| buffer.filled().len() - before),
        };
        if let Some(first) = self.first.take() {
            first(&read);
        }
        Poll::Ready(read.map(drop))
    }
}

impl<L: Line> AsyncWrite for Laid<L> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.tls).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.tls).poll_shutdown(cx)
    }
}
