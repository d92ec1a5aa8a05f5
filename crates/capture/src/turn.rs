//! Lets the calls on one socket take turns. A call that a signal interrupts comes
//! again while the first one may still be at work; the second has to wait to
//! learn what the first one did.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::call::Waiting;
use crate::supervisor::Shared;

/// The sockets at work, and the calls that wait for them.
pub(crate) type Turns = Mutex<HashMap<u64, Vec<Waiting>>>;

/// The right to work on one socket. Dropping it lets the next call begin.
pub(crate) struct Turn {
    shared: Arc<Shared>,
    inodes: Vec<u64>,
}

impl Turn {
    /// `None` if another call is at work: this one is taken up again after it.
    pub(crate) fn take(call: Waiting, inode: u64) -> Option<(Waiting, Self)> {
        let shared = call.shared.clone();
        let mut turns = crate::lock(&shared.turns);
        if let Some(queue) = turns.get_mut(&inode) {
            queue.push(call);
            return None;
        }
        turns.insert(inode, Vec::new());
        drop(turns);
        Some((call, Self { shared, inodes: vec![inode] }))
    }

    /// Includes the socket that is about to replace the first one: the next call
    /// sees it as soon as the kernel has put it there.
    pub(crate) fn include(&mut self, inode: u64) {
        if !self.inodes.contains(&inode) {
            crate::lock(&self.shared.turns).insert(inode, Vec::new());
            self.inodes.push(inode);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = crate::lock(&self.shared.turns);
        let queues: Vec<_> = self.inodes.iter().filter_map(|inode| turns.remove(inode)).collect();
        drop(turns);
        for call in queues.into_iter().flatten() {
            crate::connect::connect(call);
        }
    }
}
