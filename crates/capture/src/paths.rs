//! What the app does to the files of Unix stream sockets while it is tested. None of its own is there: what
//! is there is our stand-in, another copy's, or belongs to another program, such as the same app in
//! another terminal. So to remove such a file, or to change whose it is and who may use it, is answered as
//! done. All other files are the kernel's, such as those of datagram sockets and those that were left behind.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use crate::bind::unix::is_stand_in;
use crate::call::Waiting;
use crate::socket::Address;
use crate::{memory, process};

/// A longer path leads nowhere (PATH_MAX).
const LONGEST: usize = 4096;

/// Answers the families of `unlink`, `chmod` and `chown`.
pub(crate) fn change(call: Waiting) {
    match path(&call).is_some_and(|path| is_socket(&call, path)) {
        true => call.finish(Ok(0)),
        false => call.resume(),
    }
}

/// The file that the call is about, as an absolute path.
fn path(call: &Waiting) -> Option<Vec<u8>> {
    let (folder, at) = match i64::from(call.number()) {
        libc::SYS_unlinkat if call.arg(2) as i32 & libc::AT_REMOVEDIR != 0 => return None,
        libc::SYS_unlinkat | libc::SYS_fchmodat | libc::SYS_fchownat => {
            (call.arg(0) as i32, call.arg(1))
        }
        _ => (libc::AT_FDCWD, call.arg(0)),
    };
    let path = memory::read_text(call.tid(), at, LONGEST).ok().filter(|path| !path.is_empty())?;
    match folder {
        libc::AT_FDCWD => Some(process::absolute(call.tid(), &path)),
        _ if path.starts_with(b"/") => Some(process::absolute(call.tid(), &path)),
        folder => {
            let folder = std::fs::read_link(format!("/proc/{}/fd/{folder}", call.tid())).ok()?;
            let whole = folder.join(std::ffi::OsStr::from_bytes(&path));
            Some(process::absolute(call.tid(), whole.as_os_str().as_bytes()))
        }
    }
}

fn is_socket(call: &Waiting, path: Vec<u8>) -> bool {
    let at = Path::new(std::ffi::OsStr::from_bytes(&path));
    let is_others = std::fs::symlink_metadata(at).is_ok_and(|there| {
        there.file_type().is_socket() && (is_stand_in(&there) || process::has_stream(at))
    });
    is_others || crate::lock(&call.shared.names).binding(&Address::Unix(path)).is_some()
}
