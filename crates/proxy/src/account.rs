//! The account that every connection gives of itself, whatever ends it.

use crate::options::ConnectionOptions;
use crate::{Clock, ConnectionId, ConnectionReport, Ended, Watch};
use rehearsal_wire::Peer;

/// Collects the report of a connection and hands it over when dropped, so that a loop which is
/// cancelled is accounted for too.
pub(crate) struct Account<'a, W: Watch + ?Sized> {
    watch: &'a W,
    id: ConnectionId,
    clock: Clock,
    report: ConnectionReport,
}

impl<'a, W: Watch + ?Sized> Account<'a, W> {
    pub(crate) fn open(options: &ConnectionOptions, watch: &'a W) -> Self {
        let started = options.clock.now();
        let report = ConnectionReport {
            protocol: None,
            client_bytes: 0,
            server_bytes: 0,
            demoted: false,
            ended: Ended::Dropped,
            started,
            finished: started,
        };
        Account { watch, id: options.id, clock: options.clock, report }
    }

    pub(crate) fn warn(&self, text: &str) {
        self.watch.warning(self.id, text);
    }

    pub(crate) fn count(&mut self, from: Peer, bytes: usize) {
        match from {
            Peer::Client => self.report.client_bytes += bytes as u64,
            Peer::Server => self.report.server_bytes += bytes as u64,
        }
    }

    pub(crate) fn speaks(&mut self, protocol: Option<&'static str>) {
        self.report.protocol = protocol;
    }

    pub(crate) fn demoted(&mut self) {
        self.report.demoted = true;
    }

    /// Notes the ending; the first one counts.
    pub(crate) fn ended(&mut self, how: Ended) {
        if self.report.ended == Ended::Dropped {
            self.report.ended = how;
        }
    }
}

impl<W: Watch + ?Sized> Drop for Account<'_, W> {
    fn drop(&mut self) {
        self.report.finished = self.clock.now();
        self.watch.finished(self.id, self.report.clone());
    }
}
