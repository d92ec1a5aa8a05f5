//! What /proc tells about a captured process: which socket is behind a
//! descriptor, its kind and flags. Works where descriptors cannot be
//! duplicated. Answers of dead threads are `None`, not errors.

use std::collections::HashSet;
use std::ffi::CString;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The inode number of the socket at `fd`, its identity for as long as any
/// process has it open. `None` if `fd` is no socket or cannot be looked at.
pub(crate) fn socket_inode(tid: i32, fd: RawFd) -> Option<u64> {
    let target = std::fs::read_link(format!("/proc/{tid}/fd/{fd}")).ok()?;
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// `(O_NONBLOCK set, O_CLOEXEC set)` of the descriptor.
pub(crate) fn descriptor_flags(tid: i32, fd: RawFd) -> Option<(bool, bool)> {
    let text = std::fs::read_to_string(format!("/proc/{tid}/fdinfo/{fd}")).ok()?;
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
    let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
    Some((flags & libc::O_NONBLOCK != 0, flags & libc::O_CLOEXEC != 0))
}

/// The kernel's name of the socket's protocol, such as `TCPv6` or `UNIX-STREAM`.
pub(crate) fn protocol_name(tid: i32, fd: RawFd) -> Option<String> {
    let path = CString::new(format!("/proc/{tid}/fd/{fd}")).ok()?;
    let mut name = [0u8; 32];
    // SAFETY: both strings end in NUL and the buffer is as long as we say.
    let length = unsafe {
        libc::getxattr(
            path.as_ptr(),
            c"system.sockprotoname".as_ptr(),
            name.as_mut_ptr().cast(),
            name.len(),
        )
    };
    let name = name.get(..usize::try_from(length).ok()?)?;
    let name = name.strip_suffix(&[0]).unwrap_or(name);
    String::from_utf8(name.to_vec()).ok()
}

/// The process that the thread belongs to; the thread itself if it is gone.
pub(crate) fn thread_group(tid: i32) -> i32 {
    let status = std::fs::read_to_string(format!("/proc/{tid}/status")).unwrap_or_default();
    let group = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    group.and_then(|group| group.trim().parse().ok()).unwrap_or(tid)
}

/// The rights that the process takes from each file that it makes; the usual ones where it is gone.
pub(crate) fn umask(tid: i32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{tid}/status")).unwrap_or_default();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    umask.and_then(|umask| u32::from_str_radix(umask.trim(), 8).ok()).unwrap_or(0o022)
}

/// The name of the program, for messages.
pub(crate) fn program(tid: i32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{tid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// A path as the thread sees it, made absolute; not checked for existence.
pub(crate) fn absolute(tid: i32, path: &[u8]) -> Vec<u8> {
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    let mut whole = std::path::PathBuf::new();
    if path.is_relative() {
        whole = std::fs::read_link(format!("/proc/{tid}/cwd")).unwrap_or_default();
    }
    for part in path.components() {
        if part != std::path::Component::CurDir {
            whole.push(part);
        }
    }
    whole.into_os_string().into_encoded_bytes()
}

/// Whether the Unix socket with this inode is of type `SOCK_STREAM`, for
/// kernels whose protocol name does not tell.
pub(crate) fn is_unix_stream(tid: i32, inode: u64) -> bool {
    let inode = inode.to_string();
    lines(tid, "unix").any(|line| {
        let mut words = line.split_ascii_whitespace();
        words.nth(4) == Some("0001") && words.nth(1) == Some(inode.as_str())
    })
}

/// The local address of the TCP socket with this inode.
pub(crate) fn local_address(tid: i32, inode: u64, v6: bool) -> Option<SocketAddr> {
    let inode = inode.to_string();
    lines(tid, if v6 { "tcp6" } else { "tcp" }).find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let local = words.nth(1)?;
        if words.nth(7)? != inode { None } else { table_address(local) }
    })
}

/// The path or abstract name of the Unix socket with this inode.
pub(crate) fn local_path(tid: i32, inode: u64) -> Option<Vec<u8>> {
    let inode = inode.to_string();
    let line = lines(tid, "unix")
        .find(|line| line.split_ascii_whitespace().nth(6) == Some(inode.as_str()))?;
    // The name is the last column and may have spaces.
    let (_, name) = line.split_once(&format!(" {inode} "))?;
    Some(match name.strip_prefix('@') {
        Some(name) => [&[0], name.as_bytes()].concat(),
        None => name.as_bytes().to_vec(),
    })
}

/// Whether some process of this machine's has a Unix stream socket that was bound to a path.
pub(crate) fn has_stream(path: &Path) -> bool {
    let path = path.to_string_lossy();
    lines(std::process::id() as i32, "unix").any(|line| {
        line.split_ascii_whitespace().nth(4) == Some("0001")
            && line.find(" /").is_some_and(|at| line[at + 1..] == *path)
    })
}

/// The inodes of every socket in use in the thread's network name space.
pub(crate) fn live_sockets(tid: i32) -> HashSet<u64> {
    let inet = ["tcp", "tcp6", "udp", "udp6"].into_iter().flat_map(|table| {
        lines(tid, table).filter_map(|line| line.split_ascii_whitespace().nth(9)?.parse().ok())
    });
    let unix = lines(tid, "unix")
        .filter_map(|line| line.split_ascii_whitespace().nth(6)?.parse().ok())
        .collect::<Vec<u64>>();
    inet.chain(unix).collect()
}

fn lines(tid: i32, table: &str) -> impl Iterator<Item = String> {
    let file = std::fs::File::open(format!("/proc/{tid}/net/{table}")).ok();
    file.into_iter().flat_map(|file| BufReader::new(file).lines().map_while(Result::ok))
}

/// Reads `0100007F:1F90`: words of the address in memory order, then the port.
fn table_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::with_capacity(16);
    for at in (0..address.len()).step_by(8) {
        bytes.extend(u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    }
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(SocketAddr::from((Ipv4Addr::from(bytes), port)));
    }
    let bytes = <[u8; 16]>::try_from(bytes.as_slice()).ok()?;
    Some(SocketAddr::from((Ipv6Addr::from(bytes), port)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixListener;

    fn own() -> i32 {
        std::process::id() as i32
    }

    #[test]
    fn knows_the_sockets_of_a_process() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let inode = socket_inode(own(), tcp.as_raw_fd()).unwrap();
        assert_eq!(protocol_name(own(), tcp.as_raw_fd()).as_deref(), Some("TCP"));
        assert_eq!(local_address(own(), inode, false), Some(tcp.local_addr().unwrap()));
        assert_eq!(descriptor_flags(own(), tcp.as_raw_fd()), Some((false, true)));
        assert!(live_sockets(own()).contains(&inode));
        assert!(!is_unix_stream(own(), inode));
    }

    #[test]
    fn knows_unix_sockets() {
        let folder = tempfile::tempdir().unwrap();
        let unix = UnixListener::bind(folder.path().join("s")).unwrap();
        let inode = socket_inode(own(), unix.as_raw_fd()).unwrap();
        assert!(is_unix_stream(own(), inode));
        assert!(live_sockets(own()).contains(&inode));
    }

    #[test]
    fn what_is_no_socket_has_no_inode() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(socket_inode(own(), file.as_raw_fd()), None);
        assert_eq!(socket_inode(own(), -1), None);
    }

    #[test]
    fn paths_become_absolute() {
        assert_eq!(absolute(own(), b"/run/./a"), b"/run/a");
        let here = std::env::current_dir().unwrap().join("a");
        assert_eq!(absolute(own(), b"./a"), here.into_os_string().into_encoded_bytes());
    }

    #[test]
    fn reads_the_addresses_of_the_kernel_tables() {
        if cfg!(target_endian = "little") {
            let four = table_address("0100007F:1F90").unwrap();
            assert_eq!(four.to_string(), "127.0.0.1:8080");
            let six = table_address("00000000000000000000000001000000:0050").unwrap();
            assert_eq!(six.to_string(), "[::1]:80");
        }
        assert_eq!(table_address("zz:1"), None);
    }
}
