//! Plays the recorded dependencies on every connection that the app opens.

use crate::doors::Doors;
use crate::player::Player;
use crate::shelf::EdgeNumber;
use crate::tls;
use crate::witness::{Overheard, Witness};
use rehearsal_capture::{Captured, Notice};
use rehearsal_proxy::{ConnectionId, Stream};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// See the module.
pub(crate) struct Connections {
    pub(crate) player: Player,
    pub(crate) doors: Arc<Doors>,
    pub(crate) witness: Arc<Witness>,
}

impl Connections {
    /// Until nothing can come any more and every connection is over.
    pub(crate) async fn serve(mut self, mut notices: mpsc::UnboundedReceiver<Notice>) {
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Some(notice) => self.take(notice, &mut tasks),
                    None => break,
                },
                Some(_) = tasks.join_next() => {}
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    fn take(&mut self, notice: Notice, tasks: &mut JoinSet<()>) {
        match notice {
            Notice::Outbound { ticket, stream, to, name } => {
                let ticket = match ticket.downcast::<Overheard>() {
                    Ok(overheard) => return self.listen(*overheard, stream, tasks),
                    Err(ticket) => ticket,
                };
                match ticket.downcast::<EdgeNumber>() {
                    Ok(edge) => {
                        let called = tls::host(&to, name.as_deref());
                        match into_stream(stream) {
                            Ok(stream) => self.play(*edge, called, stream, tasks),
                            // The app sees its connection end.
                            Err(error) => {
                                self.player.accounts.warn(format!("take a connection: {error}"));
                            }
                        }
                    }
                    Err(_) => drop(into_stream(stream).map(Stream::reset)),
                }
            }
            Notice::Listening { visible, hidden, .. } => self.doors.opened(visible, hidden),
            Notice::Closed { visible } => self.doors.closed(&visible),
            Notice::Passed { to, why } => self.player.accounts.apart(&to, "passed through", why),
            Notice::Refused { to, why, .. } => self.player.accounts.apart(&to, "refused", why),
            Notice::NameService { to, why } => self.player.accounts.apart(&to, "turned away", why),
            Notice::Inner { to } => {
                self.player.accounts.apart(&to, "passed through", "the app called itself")
            }
            Notice::Trouble(text) => self.player.accounts.warn(text),
            // Nobody but us knows the app's ports, and we call them directly.
            Notice::Inbound { stream, .. } => drop(stream),
            Notice::Ended => {}
        }
    }

    /// Carries a connection that is let through.
    fn listen(&mut self, overheard: Overheard, stream: Captured, tasks: &mut JoinSet<()>) {
        let id = ConnectionId(self.player.next.fetch_add(1, Ordering::Relaxed));
        match into_stream(stream) {
            Ok(client) => {
                tasks.spawn(Arc::clone(&self.witness).listen(overheard, id, client));
            }
            Err(error) => self.player.accounts.warn(format!("take a connection: {error}")),
        }
    }

    fn play(&mut self, edge: EdgeNumber, called: String, client: Stream, tasks: &mut JoinSet<()>) {
        tasks.spawn(self.player.clone().play(edge, called, client));
    }
}

/// A connection of the app as this thread's event loop carries it.
pub(crate) fn into_stream(captured: Captured) -> io::Result<Stream> {
    match captured {
        Captured::Tcp(stream) => stream.try_into(),
        Captured::Unix(stream) => stream.try_into(),
    }
}
