//! What becomes of `bind` on Unix stream sockets. The app's socket really is a file in a folder that
//! only its owner can enter. While recording, our front has the path or abstract name that the app
//! asked for, with the rights that the app's own file would have. While testing nobody listens there, and
//! a file stands there only for those who look whether it does, so that any number of copies can ask for
//! the same path.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use crate::app_socket::AppSocket;
use crate::call::Waiting;
use crate::contract::Mode;
use crate::fronts;
use crate::kernel::check;
use crate::process;
use crate::socket::{self, Address};

/// The longest path that fits into a `struct sockaddr_un`, with its NUL.
const LONGEST_PATH: usize = 107;
/// A folder for temporary files with a longer path leaves no room for names.
const LONGEST_FOLDER: usize = 80;

/// Where the app's sockets are hidden. Dropped, it is removed with all that is in it.
pub(crate) struct Hideout {
    folder: TempDir,
    next: AtomicU64,
}

impl Hideout {
    pub(crate) fn make() -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("rehearsal-").permissions(PermissionsExt::from_mode(0o700));
        let usual = std::env::temp_dir();
        let folder = match usual.as_os_str().len() {
            0..=LONGEST_FOLDER => builder.tempdir_in(usual),
            _ => builder.tempdir_in("/tmp"),
        }?;
        Ok(Self { folder, next: AtomicU64::new(0) })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn place(&self) -> Address {
        let name = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        Address::Unix(self.folder().join(name).into_os_string().into_encoded_bytes())
    }
}

/// Binds the app's socket to a hidden place instead of `asked`, a path or an abstract name. Gives the
/// identity of the socket afterwards.
pub(super) fn hide(call: &Waiting, socket: &AppSocket, asked: Vec<u8>) -> io::Result<u64> {
    let at = match asked.first() {
        Some(0) => asked.clone(),
        _ => process::absolute(call.tid(), &asked),
    };
    let working = socket.working()?;
    let mode = mode(call, socket);
    // The front comes first: when it fails, the app's socket must stay unbound.
    let front = match call.shared.options.mode {
        Mode::Record => Some(fronts::reserve_unix(&at, mode)?),
        // Where none can be made the app is none the worse for it, unless it looks.
        Mode::Replay => fronts::pretend_unix(&at, mode).ok(),
    };
    let hidden = call.shared.hideout.place();
    socket::bind(working.socket.as_fd(), &hidden)?;
    let inode = working.settle(&call.shared.listener, call.call())?;
    super::keep(call, &working, Address::Unix(at), (Address::Unix(asked), hidden, front));
    Ok(inode)
}

/// The rights that the app's file would have: those of its socket without what its process masks.
fn mode(call: &Waiting, socket: &AppSocket) -> u32 {
    let own = socket.duplicate().and_then(|duplicate| socket::mode(duplicate).ok());
    own.unwrap_or(0o777) & 0o777 & !process::umask(call.tid())
}

/// The file of a bound socket of ours. Dropped, it is removed unless another one has its place, which is
/// certain while the socket is open: until then no other file has its number.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    /// Binds a socket to a path with these rights. Fails as the app's own `bind` would.
    pub(crate) fn bind(socket: BorrowedFd<'_>, path: &Path, mode: u32) -> io::Result<Self> {
        // From the beginning nobody has more rights than the app gives.
        // SAFETY: the call takes integers only.
        check(unsafe { libc::fchmod(socket.as_raw_fd(), mode as libc::mode_t) }.into())?;
        bind(socket, path)?;
        let about = std::fs::symlink_metadata(path)?;
        let file = SocketFile { path: path.to_owned(), identity: (about.dev(), about.ino()) };
        // Our own process masks some that the app's does not.
        if about.mode() & 0o777 != mode {
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
        }
        Ok(file)
    }
}

/// The stand-ins of this process, by device and number.
static STAND_INS: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

/// Puts the file of a socket on which nobody listens at a path, unless somebody else has a socket or
/// another file there.
pub(crate) fn stand_in(socket: BorrowedFd<'_>, path: &Path, mode: u32) -> io::Result<SocketFile> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let taken = std::fs::symlink_metadata(path).is_ok_and(|there| {
        !there.file_type().is_socket() || (!is_stand_in(&there) && process::has_stream(path))
    });
    if taken {
        return Err(io::Error::from_raw_os_error(libc::EADDRINUSE));
    }
    // What is there was left behind, or is another copy's, which may end at any moment and take it
    // away: ours takes its place, known as what it is from the beginning.
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_file_name(format!(".rehearsal-{}-{number}", std::process::id()));
    let mut file = SocketFile::bind(socket, &beside, mode)?;
    crate::lock(&STAND_INS).insert(file.identity);
    std::fs::rename(&beside, path)?;
    file.path = path.to_owned();
    Ok(file)
}

/// Whether a file is one that this process has put where its app believes to have a socket.
pub(crate) fn is_stand_in(file: &Metadata) -> bool {
    crate::lock(&STAND_INS).contains(&(file.dev(), file.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        crate::lock(&STAND_INS).remove(&self.identity);
        let there = std::fs::symlink_metadata(&self.path);
        if there.is_ok_and(|there| (there.dev(), there.ino()) == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Binds to a path of any length: one that the app gave relative to its folder may be too long.
fn bind(socket: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.len() <= LONGEST_PATH {
        return socket::bind(socket, &Address::Unix(bytes.to_vec()));
    }
    let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
    let (folder, name) = path.parent().zip(path.file_name()).ok_or_else(invalid)?;
    let flags = libc::O_PATH | libc::O_DIRECTORY;
    let folder = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(folder)?;
    let short = Path::new(&format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
    let short = short.into_os_string().into_encoded_bytes();
    if short.len() > LONGEST_PATH {
        return Err(invalid());
    }
    socket::bind(socket, &Address::Unix(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unbound() -> std::os::fd::OwnedFd {
        socket::create(libc::AF_UNIX, libc::SOCK_STREAM).unwrap()
    }

    #[test]
    fn a_file_has_the_rights_asked_for_and_goes_away_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        for mode in [0o600, 0o755, 0o777] {
            let socket = unbound();
            let file = SocketFile::bind(socket.as_fd(), &path, mode).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, mode);
            let again = SocketFile::bind(unbound().as_fd(), &path, mode);
            assert_eq!(again.unwrap_err().raw_os_error(), Some(libc::EADDRINUSE));
            drop(file);
            assert!(!path.exists());
        }
        let socket = unbound();
        let file = SocketFile::bind(socket.as_fd(), &path, 0o600).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "another's").unwrap();
        drop(file);
        assert!(path.exists());
    }

    #[test]
    fn one_stands_where_nobody_listens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let (first, second) = (unbound(), unbound());
        let one = stand_in(first.as_fd(), &path, 0o600).unwrap();
        let other = stand_in(second.as_fd(), &path, 0o600).unwrap();
        drop(one);
        assert!(path.exists(), "it is the other's");
        drop(other);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(stand_in(unbound().as_fd(), &path, 0o600).is_err(), "somebody listens");
        drop(listener);
        drop(stand_in(unbound().as_fd(), &path, 0o600).unwrap());
        std::fs::write(&path, "a file").unwrap();
        assert!(stand_in(unbound().as_fd(), &path, 0o600).is_err(), "it is no socket");
    }

    #[test]
    fn a_path_may_be_longer_than_an_address() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(60)).join("e".repeat(60));
        std::fs::create_dir_all(&deep).unwrap();
        let path = deep.join("s");
        let _file = SocketFile::bind(unbound().as_fd(), &path, 0o700).unwrap();
        assert!(path.exists());
        let unfit = SocketFile::bind(unbound().as_fd(), &deep.join("n".repeat(120)), 0o700);
        assert_eq!(unfit.unwrap_err().raw_os_error(), Some(libc::EINVAL));
    }
}
