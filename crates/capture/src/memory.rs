//! Reads and writes the memory of a captured thread, with limits. Only the
//! arguments of calls that wait for the supervisor are touched.

use std::io;

/// Reads exactly `length` bytes at `address` of thread `tid`.
pub(crate) fn read(tid: i32, address: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0u8; length];
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: length };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: length };
    // SAFETY: the local buffer is ours and `length` long; the kernel checks the
    // remote one and fails with EFAULT.
    let count = unsafe { libc::process_vm_readv(tid, &local, 1, &remote, 1, 0) };
    whole(count, length).map(|()| bytes)
}

/// Reads a text that ends in NUL, which is left out, of at most so many bytes. Nothing beyond the page of
/// its end is touched: there may be none.
pub(crate) fn read_text(tid: i32, address: u64, most: usize) -> io::Result<Vec<u8>> {
    const PAGE: u64 = 4096;
    // Most paths are shorter than this.
    const PIECE: u64 = 256;
    let mut text = Vec::new();
    while text.len() < most {
        let at = address.checked_add(text.len() as u64);
        let at = at.ok_or_else(|| io::Error::from_raw_os_error(libc::EFAULT))?;
        let piece = read(tid, at, (PAGE - at % PAGE).min(PIECE) as usize)?;
        match piece.iter().position(|byte| *byte == 0) {
            Some(end) => {
                text.extend_from_slice(&piece[..end]);
                return Ok(text);
            }
            None => text.extend_from_slice(&piece),
        }
    }
    Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG))
}

/// Reads pieces, each an address and a length, one behind the other.
pub(crate) fn gather(tid: i32, pieces: &[(u64, usize)]) -> io::Result<Vec<u8>> {
    let length = pieces.iter().map(|(_, length)| length).sum();
    let mut bytes = vec![0u8; length];
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: length };
    let remote: Vec<libc::iovec> = pieces
        .iter()
        .map(|(at, length)| libc::iovec { iov_base: *at as *mut _, iov_len: *length })
        .collect();
    let count = remote.len() as libc::c_ulong;
    // SAFETY: the local buffer is ours and `length` long; the kernel checks the
    // remote pieces, whose list is as long as we say.
    let count = unsafe { libc::process_vm_readv(tid, &local, 1, remote.as_ptr(), count, 0) };
    whole(count, length).map(|()| bytes)
}

/// Writes all of `bytes` at `address` of thread `tid`.
pub(crate) fn write(tid: i32, address: u64, bytes: &[u8]) -> io::Result<()> {
    let local = libc::iovec { iov_base: bytes.as_ptr() as *mut _, iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: bytes.len() };
    // SAFETY: the local buffer is only read; the kernel checks the remote one.
    let count = unsafe { libc::process_vm_writev(tid, &local, 1, &remote, 1, 0) };
    whole(count, bytes.len())
}

fn whole(count: isize, length: usize) -> io::Result<()> {
    match usize::try_from(count) {
        Ok(count) if count == length => Ok(()),
        Ok(_) => Err(io::Error::from_raw_os_error(libc::EFAULT)),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// Answers a call of the `getsockname` family: as much of `name` as the caller
/// has room for, and its true length.
pub(crate) fn write_name(tid: i32, at: u64, length_at: u64, name: &[u8]) -> io::Result<()> {
    let room = read(tid, length_at, 4)?;
    let room = i32::from_ne_bytes([room[0], room[1], room[2], room[3]]);
    let room = usize::try_from(room).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let shown = room.min(name.len());
    if shown > 0 {
        write(tid, at, &name[..shown])?;
    }
    write(tid, length_at, &(name.len() as u32).to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> i32 {
        std::process::id() as i32
    }

    #[test]
    fn reads_and_writes_own_memory() {
        let mut target = [1u8, 2, 3, 4];
        assert_eq!(read(own(), target.as_ptr() as u64, 4).unwrap(), [1, 2, 3, 4]);
        write(own(), target.as_mut_ptr() as u64, &[9, 8]).unwrap();
        assert_eq!(std::hint::black_box(target), [9, 8, 3, 4]);
    }

    #[test]
    fn a_text_is_read_to_its_end() {
        let text = [b"x".repeat(9000), vec![0, b'y']].concat();
        for start in [0, 4000, 8999, 9000] {
            let address = text[start..].as_ptr() as u64;
            assert_eq!(read_text(own(), address, 9001).unwrap(), text[start..9000]);
        }
        let long = read_text(own(), text.as_ptr() as u64, 100).unwrap_err();
        assert_eq!(long.raw_os_error(), Some(libc::ENAMETOOLONG));
    }

    #[test]
    fn gathers_pieces_in_their_order() {
        let (one, two) = ([1u8, 2], [3u8, 4, 5]);
        let pieces = [(two.as_ptr() as u64, 3), (one.as_ptr() as u64, 2)];
        assert_eq!(gather(own(), &pieces).unwrap(), [3, 4, 5, 1, 2]);
        assert_eq!(gather(own(), &[(8, 1)]).unwrap_err().raw_os_error(), Some(libc::EFAULT));
        assert_eq!(gather(own(), &[]).unwrap(), []);
    }

    #[test]
    fn a_bad_address_is_a_fault() {
        assert_eq!(read(own(), 8, 4).unwrap_err().raw_os_error(), Some(libc::EFAULT));
    }

    #[test]
    fn a_name_is_cut_to_the_room_there_is() {
        let mut room = 3u32;
        let mut target = [0u8; 8];
        let (at, length_at) = (target.as_mut_ptr() as u64, (&raw mut room) as u64);
        write_name(own(), at, length_at, &[1, 2, 3, 4, 5]).unwrap();
        assert_eq!(std::hint::black_box(target), [1, 2, 3, 0, 0, 0, 0, 0]);
        assert_eq!(std::hint::black_box(room), 5);
    }
}
