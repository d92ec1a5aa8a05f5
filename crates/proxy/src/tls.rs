//! The place where TLS plugs in. What does the work lives in a room of its own.

use crate::{BoxFuture, Stream};
use bytes::Bytes;
use rehearsal_model::Certificate;
use std::io;

/// Lays TLS over the sides of one connection. It belongs to that connection, so that what the client
/// asks for (its server name, its application protocols) can be asked of the server in turn.
pub trait Tls: Send {
    /// Whether it can be done at all. Where not, an observed connection goes on as it is, unread.
    fn available(&self) -> bool {
        true
    }

    /// Whether a protocol may turn to it in the middle of an observed connection, and not only begin
    /// with it.
    fn midway(&self) -> bool {
        self.available()
    }

    /// Plays the TLS server towards the client. `unread` are bytes that came already.
    fn accept(&mut self, plain: Stream, unread: Bytes) -> BoxFuture<'_, io::Result<Stream>>;

    /// Plays the TLS client towards the server. `unread` are bytes that came already.
    fn connect(&mut self, plain: Stream, unread: Bytes) -> BoxFuture<'_, io::Result<Stream>>;

    /// Does both for a connection that is observed. `unread` are bytes that came from the client
    /// already; `midway` says that others went before them.
    fn between(
        &mut self,
        client: Stream,
        unread: Bytes,
        server: Stream,
        _midway: bool,
    ) -> BoxFuture<'_, io::Result<Joined>> {
        Box::pin(async move {
            let server = match self.connect(server, Bytes::new()).await {
                Ok(server) => server,
                Err(error) => {
                    client.reset();
                    return Err(error);
                }
            };
            match self.accept(client, unread).await {
                Ok(client) => Ok(Joined::Secured { client, server }),
                Err(error) => {
                    server.reset();
                    Err(error)
                }
            }
        })
    }

    /// How the certificate was that the server has shown, as far as it came to that, and by which name
    /// the client had asked for the server.
    fn seen(&self) -> Option<(Certificate, Option<String>)> {
        None
    }
}

/// What came of laying TLS over both sides of a connection.
pub enum Joined {
    /// It is laid.
    Secured {
        /// Over the client's side.
        client: Stream,
        /// Over the server's side.
        server: Stream,
    },
    /// It could not be, and neither side has noticed: the connection goes on unread.
    Unread {
        /// The client's side as it was.
        client: Stream,
        /// What has come from the client.
        first: Bytes,
        /// The server's side, which has been sent nothing.
        server: Stream,
        /// Why, as a sentence without a full stop.
        why: String,
    },
}

/// No TLS: whoever asks for it gets an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTls;

impl NoTls {
    fn refuse(plain: Stream) -> BoxFuture<'static, io::Result<Stream>> {
        drop(plain);
        Box::pin(std::future::ready(Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "establish TLS: this connection was set up without it; turn TLS off in the app's \
             settings for this edge",
        ))))
    }
}

impl Tls for NoTls {
    fn available(&self) -> bool {
        false
    }

    fn accept(&mut self, plain: Stream, _unread: Bytes) -> BoxFuture<'_, io::Result<Stream>> {
        Self::refuse(plain)
    }

    fn connect(&mut self, plain: Stream, _unread: Bytes) -> BoxFuture<'_, io::Result<Stream>> {
        Self::refuse(plain)
    }
}
