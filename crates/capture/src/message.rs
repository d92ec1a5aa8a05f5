//! What becomes of `sendmsg` and `sendmmsg` in replay. Messages without a name,
//! as on streams and connected sockets, go on; named ones are treated as those
//! of `sendto`. Control data of queries to name servers is dropped.

use std::io;
use std::net::SocketAddr;

use crate::app_socket::{AppSocket, Kind};
use crate::call::Waiting;
use crate::datagram::{self, DNS};
use crate::kernel::errno;
use crate::memory;
use crate::socket::{Address, LONGEST};

/// `UIO_MAXIOV`: the kernel takes no more pieces, or messages at once.
const MOST: usize = 1024;
/// `sizeof(struct msghdr)` and `sizeof(struct mmsghdr)` on 64-bit Linux.
const HEADER: usize = size_of::<libc::msghdr>();
const COUNTED_HEADER: usize = size_of::<libc::mmsghdr>();

/// The parts of a `struct msghdr` that matter here, in the app's memory.
struct Header {
    name: u64,
    name_length: usize,
    pieces: u64,
    piece_count: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| {
            let bytes = bytes.get(at..at + 8)?;
            Some(u64::from_ne_bytes(bytes.try_into().ok()?))
        };
        let name_length = u32::from_ne_bytes(bytes.get(8..12)?.try_into().ok()?) as usize;
        Some(Self {
            name: word(0)?,
            name_length,
            pieces: word(16)?,
            piece_count: usize::try_from(word(24)?).ok()?,
        })
    }

    /// Where the message is to go; `None` if the socket knows or the kernel is
    /// to complain.
    fn destination(&self, tid: i32) -> io::Result<Option<SocketAddr>> {
        if self.name == 0 || self.name_length == 0 {
            return Ok(None);
        }
        // The kernel takes no more of a longer one.
        let name = memory::read(tid, self.name, self.name_length.min(LONGEST))?;
        match Address::parse(&name) {
            Address::Inet(to) => Ok(Some(to)),
            _ => Ok(None),
        }
    }

    fn payload(&self, tid: i32) -> io::Result<Vec<u8>> {
        let too_long = || io::Error::from_raw_os_error(libc::EMSGSIZE);
        if self.piece_count > MOST {
            return Err(too_long());
        }
        let list = memory::read(tid, self.pieces, self.piece_count * size_of::<libc::iovec>())?;
        let word = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
        let pieces: Vec<(u64, usize)> = list
            .chunks_exact(size_of::<libc::iovec>())
            .map(|piece| (word(&piece[..8]), word(&piece[8..]) as usize))
            .collect();
        let length = pieces.iter().try_fold(0usize, |sum, (_, length)| sum.checked_add(*length));
        match length {
            Some(length) if length <= datagram::LONGEST => memory::gather(tid, &pieces),
            _ => Err(too_long()),
        }
    }
}

/// `sendmsg`.
pub(crate) fn send(call: Waiting) {
    let flags = call.arg(2) as i32;
    let header = match read_headers(&call, 1, HEADER).map(|mut headers| headers.pop()) {
        Ok(Some(header)) => header,
        Ok(None) => return call.resume(),
        Err(error) => return call.out_of_reach(&error),
    };
    let to = match header.destination(call.tid()) {
        Ok(Some(to)) => to,
        Ok(None) => return call.resume(),
        Err(error) => return call.out_of_reach(&error),
    };
    let Ok((call, socket)) = call.socket() else { return };
    match socket.kind {
        Kind::Tcp { .. } if flags & libc::MSG_FASTOPEN != 0 => {
            call.finish(Err(libc::EOPNOTSUPP));
        }
        Kind::Udp { .. } if to.port() == DNS => {
            let done = query(&call, &socket, &header, to, flags);
            call.finish(done.map_err(|error| errno(&error)));
        }
        Kind::Udp { .. } => datagram::decide(call, to),
        _ => call.resume(),
    }
}

/// `sendmmsg`. The app sees the first refusal, and then nothing is sent.
pub(crate) fn send_many(call: Waiting) {
    let count = (call.arg(2) as u32 as usize).min(MOST);
    let flags = call.arg(3) as i32;
    let headers = match read_headers(&call, count, COUNTED_HEADER) {
        Ok(headers) => headers,
        Err(error) => return call.out_of_reach(&error),
    };
    let named = |header: &Header| header.destination(call.tid());
    let places = match headers.iter().map(named).collect::<io::Result<Vec<_>>>() {
        Ok(places) => places,
        Err(error) => return call.out_of_reach(&error),
    };
    if places.iter().all(Option::is_none) {
        return call.resume();
    }
    let Ok((call, socket)) = call.socket() else { return };
    match socket.kind {
        Kind::Tcp { .. } if flags & libc::MSG_FASTOPEN != 0 => {
            return call.finish(Err(libc::EOPNOTSUPP));
        }
        Kind::Udp { .. } => {}
        _ => return call.resume(),
    }
    let is_query = |place: &Option<SocketAddr>| place.is_some_and(|to| to.port() == DNS);
    for to in places.iter().filter(|place| !is_query(place)).flatten() {
        if let Err(errno) = datagram::permit(&call, *to) {
            return call.finish(Err(errno));
        }
    }
    if !places.iter().any(is_query) {
        return call.resume();
    }
    let queries = headers.iter().zip(&places).map_while(|(header, to)| {
        let to = (*to).filter(|to| to.port() == DNS)?;
        Some((header, to))
    });
    // A replaced socket is known by another identity from the first query on.
    let most = if socket.duplicate().is_some() { MOST } else { 1 };
    let done = query_all(&call, &socket, queries.take(most), flags);
    call.finish(done.map_err(|error| errno(&error)));
}

/// Sends the queries that stand before any other message. The app sends what is
/// left with its next call, as after any call that sent less than it was given.
fn query_all<'a>(
    call: &Waiting,
    socket: &AppSocket,
    queries: impl Iterator<Item = (&'a Header, SocketAddr)>,
    flags: i32,
) -> io::Result<i64> {
    let mut sent = 0;
    for (header, to) in queries {
        match query(call, socket, header, to, flags) {
            Ok(length) => {
                let at = call.arg(1) + (sent as usize * COUNTED_HEADER + HEADER) as u64;
                memory::write(call.tid(), at, &(length as u32).to_ne_bytes())?;
                sent += 1;
            }
            Err(error) if sent == 0 => return Err(error),
            Err(_) => break,
        }
    }
    // A query behind messages to others: they cannot be told apart to the kernel.
    if sent == 0 { Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP)) } else { Ok(sent) }
}

fn query(
    call: &Waiting,
    socket: &AppSocket,
    header: &Header,
    to: SocketAddr,
    flags: i32,
) -> io::Result<i64> {
    let payload = header.payload(call.tid())?;
    datagram::ask(call, socket, to, &payload, flags)
}

fn read_headers(call: &Waiting, count: usize, size: usize) -> io::Result<Vec<Header>> {
    let bytes = memory::read(call.tid(), call.arg(1), count * size)?;
    Ok(bytes.chunks_exact(size).filter_map(Header::parse).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_where_the_c_library_puts_them() {
        let name = Address::from("192.0.2.1:9".parse::<SocketAddr>().unwrap()).to_bytes();
        let parts = [b"one ".to_vec(), b"two".to_vec()];
        let mut pieces = parts
            .clone()
            .map(|part| libc::iovec { iov_base: part.leak().as_mut_ptr().cast(), iov_len: 4 });
        pieces[1].iov_len = 3;
        // SAFETY: a message header of zeros is a valid, empty one.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_name = name.as_ptr().cast_mut().cast();
        message.msg_namelen = name.len() as u32;
        message.msg_iov = pieces.as_mut_ptr();
        message.msg_iovlen = 2;
        let own = std::process::id() as i32;
        let bytes = memory::read(own, (&raw const message) as u64, HEADER).unwrap();
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(header.destination(own).unwrap(), "192.0.2.1:9".parse().ok());
        assert_eq!(header.payload(own).unwrap(), b"one two");
        assert!(Header::parse(&bytes[..20]).is_none());
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_is_read() {
        let own = std::process::id() as i32;
        let header = |pieces, piece_count| Header { name: 0, name_length: 0, pieces, piece_count };
        let long = [libc::iovec { iov_base: 8 as *mut _, iov_len: usize::MAX }; 2];
        for header in [header(8, MOST + 1), header(long.as_ptr() as u64, 2)] {
            assert_eq!(header.payload(own).unwrap_err().raw_os_error(), Some(libc::EMSGSIZE));
        }
    }
}
