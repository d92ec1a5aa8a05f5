//! Remembers which socket of the app stands for which address: hidden ports,
//! redirected peers, results that still have to be delivered. Sockets are known
//! by their inode number. Makes no system call on the app's sockets itself.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::fronts::Front;
use crate::socket::{Address, is_local};

/// Tables larger than this are swept of sockets that are gone.
const SWEEP_ABOVE: usize = 4096;
/// Resolver sockets that can be kept open on the app's behalf.
const RESOLVERS: usize = 256;

/// An address of the app and where it really is.
pub(crate) struct Binding {
    /// What the app asked for, with the real port; a path as the app wrote it.
    pub(crate) visible: Address,
    /// On loopback, in the address family of the app's socket; of a Unix socket, a path that only its
    /// owner can reach.
    pub(crate) hidden: Address,
    pub(crate) listening: bool,
    /// Sockets bound to it: several with `SO_REUSEPORT` or after a restart.
    pub(crate) inodes: Vec<u64>,
    /// The app's socket where a duplicate cannot be had when it listens.
    pub(crate) held: Option<Arc<OwnedFd>>,
    /// What we have at the visible address: while recording, our listener.
    pub(crate) front: Option<Front>,
}

/// Where a connection of the app seems to lead and where it leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Connected {
    pub(crate) asked: Address,
    pub(crate) target: Address,
    /// Whether the same call may come once more and shall succeed again: the
    /// kernel can interrupt a call whose answer it has just accepted.
    pub(crate) repeats: bool,
}

/// A result that the app could not be told because a signal interrupted it.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) asked: Address,
    pub(crate) result: Result<i64, i32>,
}

#[derive(Default)]
pub(crate) struct Names {
    /// By the address at which callers find them: paths are absolute.
    bindings: HashMap<Address, Binding>,
    connected: HashMap<u64, Connected>,
    lost: HashMap<u64, Lost>,
    resolvers: HashMap<u64, Option<Arc<OwnedFd>>>,
    resolver_order: VecDeque<u64>,
    sweep_at: usize,
}

impl Names {
    pub(crate) fn has_bindings(&self) -> bool {
        !self.bindings.is_empty()
    }

    pub(crate) fn binding(&mut self, at: &Address) -> Option<&mut Binding> {
        self.bindings.get_mut(at)
    }

    /// The binding of a socket, with the address at which callers find it.
    pub(crate) fn binding_of(&mut self, inode: u64) -> Option<(&Address, &mut Binding)> {
        self.bindings.iter_mut().find(|(_, binding)| binding.inodes.contains(&inode))
    }

    /// The binding behind a hidden place; these are unique, of addresses their ports are.
    pub(crate) fn binding_behind(&self, hidden: &Address) -> Option<&Binding> {
        let same = |binding: &&Binding| match (&binding.hidden, hidden) {
            (Address::Inet(one), Address::Inet(other)) => one.port() == other.port(),
            (one, other) => one == other,
        };
        self.bindings.values().find(same)
    }

    /// Keeps what is behind an address; what was there before goes.
    pub(crate) fn bind(&mut self, at: Address, binding: Binding) {
        self.bindings.insert(at, binding);
    }

    /// Forgets a port that turned out to be the source of a connection.
    pub(crate) fn unbind_client(&mut self, inode: u64) {
        self.bindings.retain(|_, binding| binding.listening || !binding.inodes.contains(&inode));
    }

    pub(crate) fn take_bindings(&mut self) -> Vec<(Address, Binding)> {
        self.bindings.drain().collect()
    }

    /// The hidden address behind `to`, if the app itself is there. The app knows none of its hidden
    /// ports: one that it asks for is somebody else's, such as a dependency's that is stopped.
    pub(crate) fn inner(&self, to: SocketAddr) -> Option<SocketAddr> {
        let ip = to.ip().to_canonical();
        let here = |visible: SocketAddr| {
            let own = visible.ip();
            visible.port() == to.port()
                && (own.to_canonical() == ip
                    || (own.is_unspecified() && (own.is_ipv6() || ip.is_ipv4()) && is_local(ip)))
        };
        self.bindings.values().find_map(|binding| match (&binding.visible, &binding.hidden) {
            (Address::Inet(visible), Address::Inet(hidden)) if here(*visible) => Some(*hidden),
            _ => None,
        })
    }

    /// The same of a Unix socket, by its absolute path or abstract name.
    pub(crate) fn inner_unix(&self, to: &[u8]) -> Option<Address> {
        let binding = self.bindings.get(&Address::Unix(to.to_vec()))?;
        binding.listening.then(|| binding.hidden.clone())
    }

    pub(crate) fn connected(&self, inode: u64) -> Option<&Connected> {
        self.connected.get(&inode)
    }

    pub(crate) fn connect(&mut self, inode: u64, connected: Connected) {
        self.connected.insert(inode, connected);
    }

    /// Whether this is the one repetition of the call that made the connection.
    pub(crate) fn take_repeat(&mut self, inode: u64, asked: &Address) -> bool {
        let connected = self.connected.get_mut(&inode).filter(|known| known.asked == *asked);
        connected.is_some_and(|known| std::mem::take(&mut known.repeats))
    }

    pub(crate) fn disconnect(&mut self, inode: u64) {
        self.connected.remove(&inode);
        self.lost.remove(&inode);
    }

    pub(crate) fn lose(&mut self, inode: u64, lost: Lost) {
        self.lost.insert(inode, lost);
    }

    pub(crate) fn find_lost(&mut self, inode: u64, asked: &Address) -> Option<Lost> {
        self.lost.remove(&inode).filter(|lost| lost.asked == *asked)
    }

    pub(crate) fn has_resolvers(&self) -> bool {
        !self.resolvers.is_empty()
    }

    /// A socket that asks our resolver, and our copy of it if we had to make it.
    pub(crate) fn resolver(&self, inode: u64) -> Option<Option<Arc<OwnedFd>>> {
        self.resolvers.get(&inode).cloned()
    }

    pub(crate) fn add_resolver(&mut self, inode: u64, held: Option<Arc<OwnedFd>>) {
        if self.resolvers.insert(inode, held).is_none() {
            self.resolver_order.push_back(inode);
        }
        if self.resolver_order.len() > RESOLVERS
            && let Some(oldest) = self.resolver_order.pop_front()
        {
            self.resolvers.remove(&oldest);
        }
    }

    /// Whether it is time for [`Self::sweep`].
    pub(crate) fn is_crowded(&self) -> bool {
        self.size() > self.sweep_at.max(SWEEP_ABOVE)
    }

    /// Forgets sockets that are not in `live`. The limit doubles with what
    /// remains, so that sweeping costs little per socket.
    pub(crate) fn sweep(&mut self, live: &HashSet<u64>) {
        self.connected.retain(|inode, _| live.contains(inode));
        self.lost.retain(|inode, _| live.contains(inode));
        self.bindings.retain(|_, binding| {
            binding.listening && binding.inodes.iter().any(|inode| live.contains(inode))
        });
        self.sweep_at = 2 * self.size();
    }

    fn size(&self) -> usize {
        self.connected.len() + self.lost.len() + self.bindings.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(visible: &str, hidden: &str) -> Names {
        let mut names = Names::default();
        let visible = Address::Inet(visible.parse().unwrap());
        let binding = Binding {
            visible: visible.clone(),
            hidden: Address::Inet(hidden.parse().unwrap()),
            listening: true,
            inodes: vec![7],
            held: None,
            front: None,
        };
        names.bind(visible, binding);
        names
    }

    #[track_caller]
    fn check_inner(visible: &str, to: &str, expected: bool) {
        let names = names(visible, "127.0.0.1:40000");
        assert_eq!(names.inner(to.parse().unwrap()).is_some(), expected);
    }

    #[test]
    fn a_wildcard_is_reached_by_every_address_of_the_machine() {
        check_inner("0.0.0.0:80", "127.0.0.1:80", true);
        check_inner("0.0.0.0:80", "0.0.0.0:80", true);
        check_inner("0.0.0.0:80", "[::ffff:127.0.0.1]:80", true);
        check_inner("0.0.0.0:80", "[::1]:80", false);
        check_inner("[::]:80", "[::1]:80", true);
        check_inner("[::]:80", "127.0.0.9:80", true);
        check_inner("[::]:80", "192.0.2.1:80", false);
        check_inner("[::]:80", "127.0.0.1:81", false);
    }

    #[test]
    fn a_single_address_is_reached_by_itself_alone() {
        check_inner("127.0.0.2:80", "127.0.0.2:80", true);
        check_inner("127.0.0.2:80", "127.0.0.1:80", false);
        check_inner("127.0.0.2:80", "127.0.0.1:40000", false);
        check_inner("127.0.0.2:80", "192.0.2.1:40000", false);
    }

    #[test]
    fn a_lost_result_is_given_once_and_only_for_the_same_call() {
        let mut names = Names::default();
        let asked = Address::Unix(b"/a".to_vec());
        names.lose(1, Lost { asked: asked.clone(), result: Ok(0) });
        assert!(names.find_lost(1, &asked).is_some());
        assert!(names.find_lost(1, &asked).is_none());
        names.lose(1, Lost { asked: asked.clone(), result: Ok(0) });
        assert!(names.find_lost(1, &Address::Unspecified).is_none());
    }

    #[test]
    fn what_is_gone_is_swept() {
        let mut names = names("127.0.0.1:80", "127.0.0.1:40000");
        let one = Connected { asked: Address::Other, target: Address::Other, repeats: false };
        for inode in 0..=SWEEP_ABOVE as u64 {
            names.connect(inode, one.clone());
        }
        assert!(names.is_crowded());
        names.sweep(&HashSet::from([3, 7]));
        assert_eq!(names.size(), 3);
        assert!(names.connected(3).is_some() && names.binding_of(7).is_some());
        assert!(!names.is_crowded());
    }

    #[test]
    fn resolver_sockets_are_bounded() {
        let mut names = Names::default();
        for inode in 0..1000 {
            names.add_resolver(inode, None);
        }
        assert!(names.resolver(0).is_none() && names.resolver(999).is_some());
        assert_eq!(names.resolvers.len(), RESOLVERS);
    }
}
