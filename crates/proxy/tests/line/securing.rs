//! Layers over a connection, in place of TLS: every byte is turned upside down.

use crate::protocol::SECRET;
use crate::rig::{Told, hear, hear_reset, reset, rig, say};
use bytes::Bytes;
use rehearsal_proxy::{BoxFuture, Ended, Layer, NoTls, Stream, Tls};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Turns every byte upside down.
#[derive(Debug)]
struct UpsideDown {
    below: Stream,
    unread: Bytes,
}

impl AsyncRead for UpsideDown {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.unread.is_empty() {
            ready!(Pin::new(&mut self.below).poll_read(cx, buffer))?;
        } else {
            buffer.put_slice(&std::mem::take(&mut self.unread));
        }
        buffer.filled_mut()[before..].iter_mut().for_each(|byte| *byte = !*byte);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for UpsideDown {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let turned: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
        Pin::new(&mut self.below).poll_write(cx, &turned)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.below).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.below).poll_shutdown(cx)
    }
}

impl Layer for UpsideDown {
    fn reset(self: Box<Self>) {
        self.below.reset();
    }
}

struct Turner;

impl Tls for Turner {
    fn accept(&mut self, plain: Stream, unread: Bytes) -> BoxFuture<'_, io::Result<Stream>> {
        let layer = UpsideDown { below: plain, unread };
        Box::pin(async { Ok(Stream::layered(Box::new(layer))) })
    }

    fn connect(&mut self, plain: Stream, unread: Bytes) -> BoxFuture<'_, io::Result<Stream>> {
        self.accept(plain, unread)
    }
}

/// Refuses what it said it could do.
struct Refusing;

impl Tls for Refusing {
    fn accept(&mut self, plain: Stream, unread: Bytes) -> BoxFuture<'_, io::Result<Stream>> {
        drop(unread);
        plain.reset();
        Box::pin(std::future::ready(Err(io::Error::other("no certificate"))))
    }

    fn connect(&mut self, plain: Stream, unread: Bytes) -> BoxFuture<'_, io::Result<Stream>> {
        self.accept(plain, unread)
    }
}

async fn say_turned(stream: &mut tokio::net::TcpStream, text: &str) {
    use tokio::io::AsyncWriteExt;
    let turned: Vec<u8> = text.bytes().map(|byte| !byte).collect();
    stream.write_all(&turned).await.unwrap();
}

async fn hear_turned(stream: &mut tokio::net::TcpStream, text: &str) {
    use tokio::io::AsyncReadExt;
    let mut bytes = vec![0; text.len()];
    crate::rig::within(stream.read_exact(&mut bytes)).await.unwrap();
    bytes.iter_mut().for_each(|byte| *byte = !*byte);
    assert_eq!(String::from_utf8_lossy(&bytes), text);
}

#[tokio::test]
async fn a_connection_turns_to_tls_between_two_exchanges() {
    let mut rig = rig(|what| what.tls = Box::new(Turner)).await;
    say(&mut rig.client, "upgrade\n").await;
    hear(&mut rig.server, "upgrade\n").await;
    say(&mut rig.server, "go on\n").await;
    hear(&mut rig.client, "go on\n").await;
    // What comes before this end is ready counts as the first of TLS.
    say_turned(&mut rig.client, "hello\n").await;
    hear_turned(&mut rig.server, "hello\n").await;
    say_turned(&mut rig.server, "good day\n").await;
    hear_turned(&mut rig.client, "good day\n").await;
    reset(rig.client);
    hear_reset(&mut rig.server).await;
    rig.log.report().await;
    let told = rig.log.exchanges();
    let line =
        |id, asked: &str, answer: &str| Told::Emit(id, "line", asked.to_owned(), answer.to_owned());
    assert!(told.contains(&line(0, "upgrade", "go on")), "{told:?}");
}

#[tokio::test]
async fn tls_from_the_first_byte_is_held_back_and_read() {
    let mut rig = rig(|what| what.tls = Box::new(Turner)).await;
    say_turned(&mut rig.client, "hello\n").await;
    hear_turned(&mut rig.server, "hello\n").await;
    say_turned(&mut rig.server, "good day\n").await;
    hear_turned(&mut rig.client, "good day\n").await;
    drop((rig.client, rig.server));
    assert_eq!(rig.log.report().await.protocol, Some("line"));
    let read = Told::Emit(0, "line", "hello".to_owned(), "good day".to_owned());
    assert_eq!(rig.log.exchanges(), [Told::Begin(0), read]);
}

#[tokio::test]
async fn without_tls_the_connection_goes_on_unread() {
    let mut rig = rig(|what| {
        what.protocol = Some(SECRET);
        what.tls = Box::new(NoTls);
    })
    .await;
    say(&mut rig.client, "~client hello").await;
    hear(&mut rig.server, "~client hello").await;
    say(&mut rig.server, "~server hello").await;
    hear(&mut rig.client, "~server hello").await;
    drop((rig.client, rig.server));
    let report = rig.log.report().await;
    assert!(report.demoted);
    assert!(matches!(&rig.log.exchanges()[..], [Told::Warning(_)]));
}

#[tokio::test]
async fn tls_that_fails_breaks_both_sides_off() {
    let mut rig = rig(|what| what.tls = Box::new(Refusing)).await;
    say_turned(&mut rig.client, "hello\n").await;
    hear_reset(&mut rig.server).await;
    hear_reset(&mut rig.client).await;
    assert_eq!(rig.log.report().await.ended, Ended::BrokenOff);
    let [Told::Warning(text)] = &rig.log.exchanges()[..] else { panic!("one warning") };
    assert!(text.contains("no certificate"), "{text}");
}
