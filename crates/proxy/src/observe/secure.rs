//! What becomes of an observed connection once TLS was laid over both sides, or could not be.

use super::carry::Carry;
use crate::Joined;
use rehearsal_model::{Certificate, EdgeTls};
use rehearsal_wire::{Ending, Event, Peer, TLS};
use std::io;

impl Carry<'_> {
    /// Goes on with two sides over which TLS was laid, or failed to be.
    pub(super) fn joined(
        &mut self,
        joined: io::Result<Joined>,
        seen: Option<(Certificate, Option<String>)>,
    ) {
        // Whether the session did not ask for it, and so hears nothing of it.
        let implicit = std::mem::take(&mut self.begins_tls);
        let secured = matches!(joined, Ok(Joined::Secured { .. }));
        if let Some((how, server_name)) =
            seen.filter(|(how, _)| secured || *how != Certificate::Valid)
        {
            let (first, midway) = if implicit { (Some(how), None) } else { (None, Some(how)) };
            self.exchanges.secured(EdgeTls { first, midway, server_name });
        }
        if implicit {
            self.account.speaks(Some(TLS));
        }
        let failure = match joined {
            Ok(Joined::Secured { client, server }) => {
                self.side(Peer::Client).put_back(client);
                self.side(Peer::Server).put_back(server);
                self.secured = [true; 2];
                for with in [Peer::Server, Peer::Client].into_iter().filter(|_| !implicit) {
                    self.tell(Event::TlsReady { with });
                }
                return;
            }
            Ok(Joined::Unread { client, first, server, why }) if implicit => {
                self.account.warn(&why);
                self.side(Peer::Client).put_back(client);
                self.side(Peer::Server).put_back(server);
                self.resume = Some(first);
                return;
            }
            // What the session has said to the server before would have to be said again.
            Ok(Joined::Unread { why, .. }) => why,
            Err(error) => error.to_string(),
        };
        self.account.warn(&failure);
        let at = self.options.clock.now();
        self.tell(Event::Closed { from: Peer::Client, how: Ending::Reset, at });
        self.break_off();
    }
}
