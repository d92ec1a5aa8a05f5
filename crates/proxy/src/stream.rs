//! One connection to one peer, of whichever kind.
//!
//! It knows nothing of TLS; a layer over a connection comes in from outside as a [`Layer`].

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::{self, Handle};

/// A connection to one peer.
///
/// Being [`AsyncRead`] and [`AsyncWrite`], it can be wrapped by a TLS implementation, and the result
/// be made a stream again by [`Stream::layered`].
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    /// The event loop that tells of the connection.
    home: Option<runtime::Id>,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    Unix(UnixStream),
    Layered(Box<dyn Layer>),
    /// It was taken.
    Gone,
}

/// Something that is laid over a connection, such as TLS.
pub trait Layer: AsyncRead + AsyncWrite + std::fmt::Debug + Send + Unpin {
    /// Ends the connection below abruptly: see [`Stream::reset`].
    fn reset(self: Box<Self>);
}

/// A layer with the way to what is below it.
#[derive(Debug)]
struct Over<L> {
    layer: L,
    below: fn(L) -> Stream,
}

impl<L> Layer for Over<L>
where
    L: AsyncRead + AsyncWrite + std::fmt::Debug + Send + Unpin,
{
    fn reset(self: Box<Self>) {
        (self.below)(self.layer).reset();
    }
}

impl<L: AsyncRead + Unpin> AsyncRead for Over<L> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().layer).poll_read(cx, buffer)
    }
}

impl<L: AsyncWrite + Unpin> AsyncWrite for Over<L> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().layer).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().layer).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().layer).poll_shutdown(cx)
    }
}

impl From<TcpStream> for Stream {
    /// Small writes are sent at once from here on (`TCP_NODELAY`): the peers decide how they group
    /// their bytes.
    fn from(stream: TcpStream) -> Self {
        // It fails only on a connection that is dead already, which the first read tells.
        let _ = stream.set_nodelay(true);
        Stream::new(Kind::Tcp(stream))
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Stream::new(Kind::Unix(stream))
    }
}

/// Takes a connection that does not block into the event loop in which this is called. Outside of one
/// it panics.
impl TryFrom<std::net::TcpStream> for Stream {
    type Error = io::Error;

    fn try_from(stream: std::net::TcpStream) -> io::Result<Self> {
        TcpStream::from_std(stream).map(Stream::from)
    }
}

/// As for TCP.
impl TryFrom<std::os::unix::net::UnixStream> for Stream {
    type Error = io::Error;

    fn try_from(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        UnixStream::from_std(stream).map(Stream::from)
    }
}

impl Stream {
    fn new(kind: Kind) -> Self {
        Stream { kind, home: here() }
    }

    /// A stream out of a layer.
    #[must_use]
    pub fn layered(layer: Box<dyn Layer>) -> Self {
        Stream { kind: Kind::Layered(layer), home: None }
    }

    /// A stream over another one: `below` takes that out again, for ending it abruptly.
    #[must_use]
    pub fn over<L>(layer: L, below: fn(L) -> Stream) -> Self
    where
        L: AsyncRead + AsyncWrite + std::fmt::Debug + Send + Unpin + 'static,
    {
        Self::layered(Box::new(Over { layer, below }))
    }

    /// Has the event loop that this is called in tell of the connection from here on, instead of the
    /// one in which it was made; being told across threads is slow. A layer stays where it is.
    ///
    /// # Errors
    /// When the loop cannot take the connection; it is closed then.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn settle_here(self) -> io::Result<Self> {
        if self.home == here() {
            return Ok(self);
        }
        match self.kind {
            Kind::Tcp(stream) => stream.into_std()?.try_into(),
            Kind::Unix(stream) => stream.into_std()?.try_into(),
            Kind::Layered(_) | Kind::Gone => Ok(self),
        }
    }

    /// Ends the connection abruptly. A TCP peer sees a reset (`ECONNRESET`); the peer of a Unix
    /// socket sees one only if it sent what was not read, since Unix sockets have no other way to
    /// say it.
    pub fn reset(mut self) {
        self.reset_in_place();
    }

    /// Waits until the peer has ended its direction, though what it sent before may wait unread. Only
    /// Linux tells that; elsewhere, and under a layer, nothing is ever told.
    pub async fn ended(&mut self) {
        // The kernel says with every kind of readiness that the peer has ended; this kind does not
        // come with ordinary bytes.
        #[cfg(target_os = "linux")]
        let told = match &self.kind {
            Kind::Tcp(stream) => stream.ready(tokio::io::Interest::PRIORITY).await.is_ok(),
            Kind::Unix(stream) => stream.ready(tokio::io::Interest::PRIORITY).await.is_ok(),
            Kind::Layered(_) | Kind::Gone => false,
        };
        #[cfg(not(target_os = "linux"))]
        let told = false;
        if !told {
            std::future::pending::<()>().await;
        }
    }

    /// As [`Stream::reset`], leaving a stream on which every call fails.
    pub(crate) fn reset_in_place(&mut self) {
        match std::mem::replace(&mut self.kind, Kind::Gone) {
            // Failing means that the connection is dead already.
            Kind::Tcp(stream) => drop(stream.set_zero_linger()),
            Kind::Unix(_) | Kind::Gone => {}
            Kind::Layered(layer) => layer.reset(),
        }
    }

    /// Takes the stream out, leaving one on which every call fails.
    pub(crate) fn take(&mut self) -> Stream {
        Stream { kind: std::mem::replace(&mut self.kind, Kind::Gone), home: self.home }
    }

    /// Reads into a borrowed buffer; zero bytes mean that the peer has finished.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(self).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

/// The event loop in which this is called.
fn here() -> Option<runtime::Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Kind::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Kind::Layered(layer) => Pin::new(layer).poll_read(cx, buffer),
            Kind::Gone => gone(),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Kind::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Kind::Layered(layer) => Pin::new(layer).poll_write(cx, bytes),
            Kind::Gone => gone(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Kind::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Kind::Layered(layer) => Pin::new(layer).poll_write_vectored(cx, slices),
            Kind::Gone => gone(),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.kind {
            Kind::Layered(layer) => layer.is_write_vectored(),
            Kind::Tcp(_) | Kind::Unix(_) | Kind::Gone => true,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Layered(layer) => Pin::new(layer).poll_flush(cx),
            // The kernel's sockets hold nothing back.
            Kind::Tcp(_) | Kind::Unix(_) | Kind::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Kind::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Kind::Layered(layer) => Pin::new(layer).poll_shutdown(cx),
            Kind::Gone => gone(),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    #[tokio::test]
    async fn the_end_is_told_though_bytes_wait_and_takes_none_of_them() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut ours = Stream::from(ours);
        theirs.write_all(b"hello").await.unwrap();
        assert!(timeout(Duration::from_millis(50), ours.ended()).await.is_err());
        theirs.shutdown().await.unwrap();
        timeout(Duration::from_secs(20), ours.ended()).await.unwrap();
        let mut text = String::new();
        ours.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello");
    }
}
