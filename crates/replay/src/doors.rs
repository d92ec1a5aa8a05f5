//! Where the app can be reached: its listening addresses and what is behind them.

use crate::shelf::Shelf;
use rehearsal_capture::Endpoint;
use rehearsal_model::{EdgeName, Role};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long nothing may change before an address that was not recorded counts: an app of several
/// services opens them one by one, and the first is not always the one that was called.
const SETTLED: Duration = Duration::from_millis(500);

/// The app's listening addresses, as they appear.
#[derive(Default)]
pub(crate) struct Doors {
    open: Mutex<Vec<Door>>,
    changed: Notify,
}

struct Door {
    visible: Endpoint,
    hidden: Endpoint,
}

impl Doors {
    fn open(&self) -> MutexGuard<'_, Vec<Door>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The app listens.
    pub(crate) fn opened(&self, visible: Endpoint, hidden: Endpoint) {
        let mut open = self.open();
        open.retain(|door| door.visible != visible);
        open.push(Door { visible, hidden });
        drop(open);
        self.changed.notify_waiters();
    }

    /// Waits until so many addresses are open, wherever they are: ports may be given otherwise.
    pub(crate) async fn at_least(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.open().len() >= count {
                return;
            }
            changed.await;
        }
    }

    /// The app gave up listening.
    pub(crate) fn closed(&self, visible: &Endpoint) {
        self.open().retain(|door| door.visible != *visible);
    }

    /// Where to call an inbound edge: the door at its recorded address, else at its port or by the name of
    /// its socket's file, else, when edges and doors are one each, that one: the port may have been given
    /// otherwise this time.
    pub(crate) fn to(&self, shelf: &Shelf, edge: &EdgeName) -> Option<Endpoint> {
        self.recorded(shelf, edge).or_else(|| self.only(shelf))
    }

    fn recorded(&self, shelf: &Shelf, edge: &EdgeName) -> Option<Endpoint> {
        let open = self.open();
        let known = shelf.edges.iter().find(|known| known.name == *edge)?;
        let at = |door: &&Door| known.addresses.contains(&door.visible.to_string());
        let named = |door: &&Door| {
            let visible = door.visible.to_string();
            last_name(&visible).is_some_and(|name| {
                known.addresses.iter().any(|address| last_name(address) == Some(name))
            })
        };
        let door = open.iter().find(at).or_else(|| open.iter().find(named))?;
        Some(door.hidden.clone())
    }

    fn only(&self, shelf: &Shelf) -> Option<Endpoint> {
        let open = self.open();
        let inbound = shelf.edges.iter().filter(|edge| edge.role == Role::Inbound).count();
        let door = if inbound == 1 && open.len() == 1 { open.first() } else { None };
        door.map(|door| door.hidden.clone())
    }

    /// Waits until each of the edges can be reached. An address that was not recorded counts when as
    /// many are open as were while recording; where the recording does not tell, when nothing has
    /// changed for a while.
    pub(crate) async fn reachable(&self, shelf: &Shelf, edges: &[EdgeName]) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if edges.iter().all(|edge| self.recorded(shelf, edge).is_some()) {
                return;
            }
            let somewhere = edges.iter().all(|edge| self.to(shelf, edge).is_some());
            match shelf.listens() {
                0 if somewhere => {
                    if timeout(SETTLED, changed).await.is_err() {
                        return;
                    }
                }
                count if somewhere && self.open().len() >= count => return,
                _ => changed.await,
            }
        }
    }
}

/// What stays of an address where the machine or folder is another: the port, the name of a socket's file.
fn last_name(address: &str) -> Option<(bool, &str)> {
    match address.strip_prefix("unix:") {
        Some(path) => Some((true, path.rsplit_once('/').map_or(path, |(_, name)| name))),
        None => address.rsplit_once(':').map(|(_, port)| (false, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_known_by_its_port_or_by_its_file() {
        assert_eq!(last_name("127.0.0.1:80"), last_name("[::1]:80"));
        assert_eq!(last_name("unix:/run/app.sock"), last_name("unix:/tmp/ci/app.sock"));
        assert_ne!(last_name("unix:/run/80"), last_name("127.0.0.1:80"));
        assert_ne!(last_name("unix:/run/app.sock"), last_name("unix:@app.sock"));
        assert_eq!(last_name("nowhere"), None);
    }
}
