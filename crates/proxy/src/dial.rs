//! Connecting to an endpoint as text names it.

use crate::{DialError, Stream};
use rehearsal_model::Failure;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// How long one address has a head start before the next is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to `host:port`, `[v6]:port` or `unix:path` (`unix:@name` for Linux's abstract names),
/// within a limit of time. The addresses of a name are tried as RFC 8305 says.
///
/// # Errors
/// When nobody takes the connection; the failure is the one the app would have seen.
pub async fn dial(endpoint: &str, limit: Duration) -> Result<Stream, DialError> {
    let connecting = async {
        match endpoint.strip_prefix("unix:") {
            Some(path) => dial_unix(path).await,
            None => dial_tcp(endpoint).await,
        }
    };
    match timeout(limit, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(describe(endpoint, &error)),
        Err(_) => Err(DialError {
            endpoint: endpoint.to_owned(),
            failure: Failure::TimedOut,
            errno: None,
            reason: format!("no answer within {limit:?}"),
        }),
    }
}

async fn dial_unix(path: &str) -> io::Result<Stream> {
    let stream = match path.strip_prefix('@') {
        Some(name) => UnixStream::connect(format!("\0{name}")).await?,
        None => UnixStream::connect(path).await?,
    };
    Ok(stream.into())
}

async fn dial_tcp(endpoint: &str) -> io::Result<Stream> {
    // An address needs no look-up, and so no other thread.
    if let Ok(address) = endpoint.parse::<SocketAddr>() {
        return Ok(TcpStream::connect(address).await?.into());
    }
    let addresses = alternate(lookup_host(endpoint).await?.collect());
    Ok(race(&addresses).await?.into())
}

/// Puts the addresses in the order of RFC 8305, section 4: the two families by turns, beginning with
/// the one that the resolver prefers.
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first_is_v6) = addresses.first().map(SocketAddr::is_ipv6) else { return addresses };
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut ordered = Vec::with_capacity(preferred.len() + other.len());
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    loop {
        let pair = [preferred.next(), other.next()];
        if pair == [None, None] {
            return ordered;
        }
        ordered.extend(pair.into_iter().flatten());
    }
}

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Connects to whichever address answers first, each beginning a head start after the one before,
/// or as soon as that has failed.
async fn race(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut untried = addresses.iter().copied();
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut next: Pin<Box<Sleep>> = Box::pin(sleep_until(Instant::now()));
    let mut errors = Vec::new();
    std::future::poll_fn(|cx| {
        loop {
            let mut index = 0;
            let failed_before = errors.len();
            while index < attempts.len() {
                match attempts[index].as_mut().poll(cx) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(Ok(stream)),
                    Poll::Ready(Err(error)) => {
                        errors.push(error);
                        drop(attempts.swap_remove(index));
                    }
                    Poll::Pending => index += 1,
                }
            }
            let may_begin = errors.len() > failed_before
                || attempts.is_empty()
                || next.as_mut().poll(cx).is_ready();
            match untried.next_if(may_begin) {
                Some(address) => {
                    attempts.push(Box::pin(TcpStream::connect(address)));
                    next.as_mut().reset(Instant::now() + HEAD_START);
                }
                None if attempts.is_empty() => return Poll::Ready(Err(most_telling(&mut errors))),
                None => return Poll::Pending,
            }
        }
    })
    .await
}

/// Takes the next item when a condition holds.
trait NextIf: Iterator {
    fn next_if(&mut self, condition: bool) -> Option<Self::Item> {
        if condition { self.next() } else { None }
    }
}

impl<I: Iterator> NextIf for I {}

/// Of several errors the one that says most of the party asked for: that it refused.
fn most_telling(errors: &mut Vec<io::Error>) -> io::Error {
    let rank = |error: &io::Error| match failure_of(error) {
        Failure::Refused => 0,
        Failure::TimedOut => 2,
        Failure::Unreachable => 3,
        _ => 1,
    };
    errors.sort_by_key(rank);
    if errors.is_empty() {
        return io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
    }
    errors.swap_remove(0)
}

fn failure_of(error: &io::Error) -> Failure {
    match error.raw_os_error() {
        // A Unix socket without its file is one where nobody listens.
        Some(libc::ECONNREFUSED | libc::ENOENT) => Failure::Refused,
        Some(libc::ETIMEDOUT) => Failure::TimedOut,
        Some(libc::ECONNRESET | libc::ECONNABORTED | libc::EPIPE) => Failure::Reset,
        _ => Failure::Unreachable,
    }
}

fn describe(endpoint: &str, error: &io::Error) -> DialError {
    DialError {
        endpoint: endpoint.to_owned(),
        failure: failure_of(error),
        errno: error.raw_os_error(),
        reason: error.to_string(),
    }
}
