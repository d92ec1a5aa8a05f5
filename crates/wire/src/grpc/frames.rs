//! Messages with their length before them (gRPC over HTTP/2, "Length-Prefixed-Message"): a flag, four
//! bytes of length, the message.
//!
//! gRPC-Web marks its trailers by another bit of the flag; they are a frame here as well.

use super::coding::Coding;

/// The flag of a compressed message.
pub(super) const COMPRESSED: u8 = 1;
/// The flag of trailers (gRPC-Web).
pub(super) const TRAILERS: u8 = 0x80;
/// Flag and length.
const HEAD: usize = 5;

/// A frame as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) flag: u8,
    pub(super) content: &'a [u8],
}

/// The frames of a whole content; `None` when it is cut off, or not such frames.
pub(super) fn split(mut content: &[u8]) -> Option<Vec<Frame<'_>>> {
    let mut frames = Vec::new();
    while !content.is_empty() {
        let (head, rest) = content.split_first_chunk::<HEAD>()?;
        let [flag, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        let (message, rest) = rest.split_at_checked(length)?;
        if flag & !(COMPRESSED | TRAILERS) != 0 {
            return None;
        }
        frames.push(Frame { flag, content: message });
        content = rest;
    }
    Some(frames)
}

/// The lengths of the frames of a content; what is cut off at its end is one as well.
pub(crate) fn lengths(mut content: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while !content.is_empty() {
        let length =
            content.first_chunk::<HEAD>().map(|[_, length @ ..]| u32::from_be_bytes(*length));
        let length = length.and_then(|length| usize::try_from(length).ok()?.checked_add(HEAD));
        let length = length.unwrap_or(usize::MAX).min(content.len());
        lengths.push(length);
        content = &content[length..];
    }
    lengths
}

/// Appends a frame; `None` when it is too long for one.
pub(super) fn write(flag: u8, content: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let length = u32::try_from(content.len()).ok()?;
    out.push(flag);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(content);
    Some(())
}

/// Counts the messages of a content while it comes, in whatever pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter {
    head: Vec<u8>,
    /// Bytes that the current message still lacks, once its head is complete.
    left: Option<u32>,
    complete: usize,
}

impl Counter {
    /// Takes the next bytes; how many messages are complete by now.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> usize {
        loop {
            match self.left {
                Some(left) => {
                    let taken = bytes.len().min(left as usize);
                    bytes = &bytes[taken..];
                    // What was taken is not more than what is left.
                    let left = left - taken as u32;
                    if left > 0 {
                        self.left = Some(left);
                        return self.complete;
                    }
                    self.left = None;
                    self.complete += 1;
                }
                None => {
                    let taken = bytes.len().min(HEAD - self.head.len());
                    self.head.extend_from_slice(&bytes[..taken]);
                    bytes = &bytes[taken..];
                    let Some(head) = self.head.first_chunk::<HEAD>() else { return self.complete };
                    let [_, length @ ..] = *head;
                    self.left = Some(u32::from_be_bytes(length));
                    self.head.clear();
                }
            }
        }
    }

    /// How many messages are complete.
    pub(crate) fn complete(&self) -> usize {
        self.complete
    }
}

/// What a frame's message is before its compression is undone.
pub(super) fn plain(frame: Frame<'_>, coding: Option<Coding>, limit: usize) -> Option<Vec<u8>> {
    match (frame.flag & COMPRESSED, coding) {
        (0, _) => (frame.content.len() <= limit).then(|| frame.content.to_vec()),
        (_, Some(coding)) => coding.decode(frame.content, limit),
        (_, None) => None,
    }
}
