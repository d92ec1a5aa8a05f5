//! Cuts the bytes of one side into packets, and puts packets into bytes (MySQL source documentation,
//! "MySQL Packets").
//!
//! A payload of 16 MiB less one byte goes on in the next packet; what belongs together is one packet
//! here. One that is too large to keep is counted and hashed, so that it can still be told from others.

use super::compression::{Frames, Kind};
use crate::WireError;
use bytes::{Buf, Bytes, BytesMut};
use rehearsal_model::Moment;
use sha2::{Digest, Sha256};

/// The payload that goes on in the next packet.
const FULL: usize = 0xff_ffff;

/// How much is kept of a packet that is too large: enough to tell what it is.
const HEAD: usize = 1024;

/// One packet.
#[derive(Debug, Default)]
pub(super) struct Packet {
    /// The number in its header, of its last part.
    pub(super) number: u8,
    /// What follows the header; only the beginning when `omitted` is set.
    pub(super) body: Bytes,
    /// Stands for a payload that was too large.
    pub(super) omitted: Option<Omitted>,
    /// When its first byte came, or the rest of the packet before it.
    pub(super) at: Moment,
}

/// How much was not kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Omitted {
    /// The length of the whole payload.
    pub(super) length: u64,
    /// Its SHA-256 in hexadecimal.
    pub(super) sha256: String,
}

/// What a side has sent and that is not used yet.
#[derive(Debug)]
pub(super) struct Inbox {
    bytes: BytesMut,
    since: Moment,
    limit: usize,
    /// The payload whose parts are coming.
    open: Option<Open>,
    /// Where packets come in frames of their own.
    frames: Option<Frames>,
}

#[derive(Debug)]
struct Open {
    /// Bytes of the present part that are yet to come.
    missing: usize,
    /// Whether another part follows.
    goes_on: bool,
    number: u8,
    kept: BytesMut,
    length: u64,
    /// Set once it is too large.
    hash: Option<Sha256>,
    at: Moment,
}

impl Inbox {
    pub(super) fn new(limit: usize) -> Self {
        Inbox { bytes: BytesMut::new(), since: Moment::default(), limit, open: None, frames: None }
    }

    pub(super) fn push(&mut self, bytes: &[u8], at: Moment) -> Result<(), WireError> {
        if self.bytes.is_empty() {
            self.since = at;
        }
        match &mut self.frames {
            None => self.bytes.extend_from_slice(bytes),
            Some(frames) => frames.unpack(bytes, &mut self.bytes)?,
        }
        Ok(())
    }

    /// What comes from now on, and what is unused, comes in such frames.
    pub(super) fn unpack(&mut self, kind: Kind) -> Result<(), WireError> {
        let unused = self.bytes.split();
        self.frames.insert(Frames::new(kind)).unpack(&unused, &mut self.bytes)
    }

    /// Bytes of the other side as they are to be sent: in frames, if this side's come so.
    pub(super) fn wrap(&mut self, bytes: Bytes) -> Bytes {
        match &mut self.frames {
            None => bytes,
            Some(frames) => frames.wrap(&bytes),
        }
    }

    pub(super) fn is_packed(&self) -> bool {
        self.frames.is_some()
    }

    /// All that is unused.
    pub(super) fn held(&self) -> Bytes {
        Bytes::copy_from_slice(&self.bytes)
    }

    pub(super) fn len(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |open| open.kept.len());
        self.bytes.len() + open + self.frames.as_ref().map_or(0, Frames::len)
    }

    /// The next packet.
    pub(super) fn next(&mut self, now: Moment) -> Option<Packet> {
        loop {
            if let Some(mut open) = self.open.take() {
                let count = open.missing.min(self.bytes.len());
                let part = self.bytes.split_to(count);
                open.add(&part, self.limit);
                if open.missing > 0 {
                    self.open = Some(open);
                    return None;
                }
                if !open.goes_on {
                    return Some(open.finish());
                }
                self.open = Some(open);
            }
            let &[a, b, c, number] = self.bytes.get(..4)? else { return None };
            let length = u32::from_le_bytes([a, b, c, 0]) as usize;
            // Most packets are here as a whole.
            if self.open.is_none() && length < FULL && length <= self.limit {
                let mut body =
                    (self.bytes.len() >= 4 + length).then(|| self.bytes.split_to(4 + length))?;
                body.advance(4);
                let at = std::mem::replace(&mut self.since, now);
                return Some(Packet { number, body: body.freeze(), omitted: None, at });
            }
            self.bytes.advance(4);
            let at = std::mem::replace(&mut self.since, now);
            let open = self.open.get_or_insert_with(|| Open::new(at));
            open.missing = length;
            open.goes_on = length == FULL;
            open.number = number;
        }
    }
}

impl Open {
    fn new(at: Moment) -> Self {
        let kept = BytesMut::new();
        Open { missing: 0, goes_on: false, number: 0, kept, length: 0, hash: None, at }
    }

    fn add(&mut self, part: &[u8], limit: usize) {
        self.missing -= part.len();
        self.length += part.len() as u64;
        match &mut self.hash {
            Some(hash) => hash.update(part),
            None if self.kept.len() + part.len() <= limit => self.kept.extend_from_slice(part),
            None => {
                let mut hash = Sha256::new();
                hash.update(&self.kept);
                hash.update(part);
                self.hash = Some(hash);
                self.kept.extend_from_slice(&part[..part.len().min(HEAD)]);
                self.kept.truncate(HEAD);
                self.kept = BytesMut::from(&self.kept[..]);
            }
        }
    }

    fn finish(self) -> Packet {
        let Open { number, kept, length, hash, at, .. } = self;
        let omitted = hash.map(|hash| {
            let digest = hash.finalize();
            let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            Omitted { length, sha256 }
        });
        Packet { number, body: kept.freeze(), omitted, at }
    }
}

/// Packets one behind the other, with their numbers.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    /// The number of the next one.
    pub(super) number: u8,
}

impl Outbox {
    /// Adds a packet whose payload the closure writes.
    pub(super) fn add(&mut self, body: impl FnOnce(&mut Vec<u8>)) {
        let written = self.try_add(|out| {
            body(out);
            Ok::<(), std::convert::Infallible>(())
        });
        match written {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// Adds a packet whose payload may turn out not to be writable; it is left out then.
    pub(super) fn try_add<E>(
        &mut self,
        body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        if let Err(error) = body(&mut self.bytes) {
            self.bytes.truncate(start);
            return Err(error);
        }
        let length = self.bytes.len() - start - 4;
        if length < FULL {
            self.head(start, length);
            return Ok(());
        }
        let payload = self.bytes.split_off(start + 4);
        self.bytes.truncate(start);
        for part in payload.chunks(FULL) {
            self.part(part);
        }
        if payload.len().is_multiple_of(FULL) {
            self.part(&[]);
        }
        Ok(())
    }

    fn part(&mut self, part: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(part);
        self.head(start, part.len());
    }

    fn head(&mut self, start: usize, length: usize) {
        let [a, b, c, ..] = length.to_le_bytes();
        self.bytes[start..start + 4].copy_from_slice(&[a, b, c, self.number]);
        self.number = self.number.wrapping_add(1);
    }

    /// Where it stands, to come back to.
    pub(super) fn place(&self) -> (usize, u8) {
        (self.bytes.len(), self.number)
    }

    /// Takes back all that was added since.
    pub(super) fn return_to(&mut self, (length, number): (usize, u8)) {
        self.bytes.truncate(length);
        self.number = number;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn take(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], pieces: usize, limit: usize) -> Vec<(usize, Option<u64>)> {
        let mut inbox = Inbox::new(limit);
        let mut found = Vec::new();
        for piece in bytes.chunks(pieces) {
            inbox.push(piece, Moment(1)).unwrap();
            while let Some(packet) = inbox.next(Moment(2)) {
                found.push((packet.body.len(), packet.omitted.map(|omitted| omitted.length)));
            }
        }
        found
    }

    #[test]
    fn large_payloads_go_in_parts() {
        for (length, parts) in [(FULL - 1, 1), (FULL, 2), (FULL + 1, 2), (2 * FULL, 3)] {
            let mut outbox = Outbox::default();
            outbox.add(|out| out.resize(out.len() + length, 7));
            outbox.add(|out| out.push(1));
            assert_eq!(outbox.number, parts + 1);
            let bytes = outbox.take();
            assert_eq!(all(&bytes, 1 << 20, 4 * FULL), [(length, None), (1, None)]);
            let kept = [(HEAD, Some(length as u64)), (1, None)];
            assert_eq!(all(&bytes, 1 << 20, 3000), kept);
        }
    }

    #[test]
    fn what_is_too_large_has_the_hash_of_the_whole() {
        let mut outbox = Outbox::default();
        outbox.add(|out| out.extend_from_slice(&[b'a'; 5000]));
        let bytes = outbox.take();
        let of_pieces = |pieces| {
            let mut inbox = Inbox::new(4999);
            bytes.chunks(pieces).find_map(|piece| {
                inbox.push(piece, Moment(1)).unwrap();
                inbox.next(Moment(1))
            })
        };
        let expected: String =
            Sha256::digest([b'a'; 5000]).iter().map(|byte| format!("{byte:02x}")).collect();
        for pieces in [1, 7, 4998, 6000] {
            let packet = of_pieces(pieces).expect("it is complete");
            let omitted = packet.omitted.expect("it is too large");
            assert_eq!((omitted.length, omitted.sha256.as_str()), (5000, expected.as_str()));
        }
    }
}
