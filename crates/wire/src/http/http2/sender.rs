//! Messages on their way out, as far as the peer has room for them (RFC 9113, section 5.2).
//!
//! Field sections go at once. Content waits for the windows of its stream and of the connection; of
//! several streams the one that was begun first goes first.

use super::frames::{self, LARGEST};
use super::malformed;
use super::settings::{FIRST_WINDOW, Settings};
use super::write::Outgoing;
use crate::http::content::Payload;
use crate::{Command, Peer, WireError};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Why a stream is broken off that was recorded without a reason.
pub(super) const INTERNAL_ERROR: u32 = 2;
/// A stream that nothing was done for, and that may be begun again.
pub(super) const REFUSED_STREAM: u32 = 7;
/// A stream that is of no more use.
pub(super) const CANCEL: u32 = 8;

/// How many bytes may wait to be put into one command.
const BATCH: usize = 64 << 10;

/// What stands for content of which only the length is known.
static FILLER: [u8; LARGEST] = [b'.'; LARGEST];

/// What follows the content of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum After {
    /// Its end.
    End,
    /// The stream is broken off with this code.
    Reset(u32),
    /// The connection is closed, with this code.
    Close(u32),
    /// Nothing: the peer waits in vain.
    Silence,
    /// More content, in its time.
    More,
}

/// What is to be sent to one peer.
#[derive(Debug)]
pub(super) struct Sender {
    to: Peer,
    /// Room on the connection.
    window: i64,
    /// Room on a new stream.
    initial: i64,
    lanes: BTreeMap<u32, Lane>,
    /// The streams with content that waits.
    waiting: Vec<u32>,
    bytes: Vec<u8>,
    begun: bool,
    /// All was said that comes before the connection is closed with this code.
    pub(super) closes: Option<u32>,
}

/// A stream's way out.
#[derive(Debug)]
struct Lane {
    window: i64,
    content: Content,
    trailers: Option<Vec<u8>>,
    after: After,
}

#[derive(Debug)]
enum Content {
    Bytes(Bytes),
    Filler(u64),
}

impl Content {
    fn len(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Filler(left) => *left,
        }
    }

    fn take(&mut self, length: usize) -> Bytes {
        match self {
            Content::Bytes(bytes) => bytes.split_to(length),
            Content::Filler(left) => {
                *left -= length as u64;
                Bytes::from_static(&FILLER).slice(..length)
            }
        }
    }
}

impl Sender {
    pub(super) fn new(to: Peer) -> Self {
        Sender {
            to,
            window: FIRST_WINDOW,
            initial: FIRST_WINDOW,
            lanes: BTreeMap::new(),
            waiting: Vec::new(),
            bytes: Vec::new(),
            begun: false,
            closes: None,
        }
    }

    /// A stream begins, on which nothing is said yet.
    pub(super) fn open(&mut self, stream: u32) {
        let content = Content::Filler(0);
        let lane = Lane { window: self.initial, content, trailers: None, after: After::End };
        self.lanes.insert(stream, lane);
    }

    /// A stream is over.
    pub(super) fn forget(&mut self, stream: u32) {
        self.lanes.remove(&stream);
        self.waiting.retain(|waiting| *waiting != stream);
    }

    /// Whether something has yet to be said on a stream.
    pub(super) fn is_open(&self, stream: u32) -> bool {
        self.lanes.contains_key(&stream)
    }

    /// Whether nothing waits for room.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Appends a frame that waits for nothing.
    pub(super) fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        frames::write(kind, flags, stream, payload, &mut self.bytes);
    }

    /// Appends bytes that are frames already.
    pub(super) fn raw(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
    }

    pub(super) fn reset(&mut self, stream: u32, code: u32) {
        self.frame(frames::RST_STREAM, 0, stream, &code.to_be_bytes());
        self.forget(stream);
    }

    /// Says that no stream above `last` is heard, and why (RFC 9113, section 6.8).
    pub(super) fn go_away(&mut self, last: u32, code: u32, words: &str) {
        let payload = [&last.to_be_bytes()[..], &code.to_be_bytes(), words.as_bytes()];
        self.frame(frames::GOAWAY, 0, 0, &payload.concat());
    }

    /// Sends a message on an open stream.
    pub(super) fn say(&mut self, stream: u32, outgoing: Outgoing, after: After) {
        let Outgoing { sections, payload, trailers } = outgoing;
        let content = match payload {
            Some(Payload::Bytes(bytes)) => Content::Bytes(bytes.into()),
            Some(Payload::Unknown(length)) => Content::Filler(length),
            None => Content::Filler(0),
        };
        let ends = content.len() == 0 && trailers.is_none() && after == After::End;
        let count = sections.len();
        for (place, section) in sections.into_iter().enumerate() {
            self.section(stream, &section, ends && place + 1 == count);
        }
        if ends {
            self.forget(stream);
        } else if let Some(lane) = self.lanes.get_mut(&stream) {
            *lane = Lane { window: lane.window, content, trailers, after };
            self.waiting.push(stream);
        }
    }

    /// Begins a message whose content comes in its time.
    pub(super) fn begin(&mut self, stream: u32, sections: &[Vec<u8>]) {
        sections.iter().for_each(|section| self.section(stream, section, false));
        if let Some(lane) = self.lanes.get_mut(&stream) {
            lane.after = After::More;
        }
    }

    /// Adds content to a message that was begun.
    pub(super) fn add(&mut self, stream: u32, content: &[u8]) {
        let Some(lane) = self.lanes.get_mut(&stream) else { return };
        let waits = match &lane.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Filler(_) => Bytes::new(),
        };
        lane.content = Content::Bytes([&waits, content].concat().into());
        if !self.waiting.contains(&stream) {
            self.waiting.push(stream);
        }
    }

    /// Ends a message that was begun.
    pub(super) fn end(&mut self, stream: u32, trailers: Option<Vec<u8>>, after: After) {
        let Some(lane) = self.lanes.get_mut(&stream) else { return };
        lane.after = after;
        lane.trailers = trailers;
        if lane.content.len() == 0 && lane.trailers.is_none() && after == After::End {
            self.frame(frames::DATA, frames::END_STREAM, stream, &[]);
            self.forget(stream);
        } else if !self.waiting.contains(&stream) {
            self.waiting.push(stream);
        }
    }

    /// Appends a field section in as many frames as it takes.
    pub(super) fn section(&mut self, stream: u32, section: &[u8], last: bool) {
        // The first thing said of the table is that there is none: a peer that wants a smaller one
        // than usual waits to hear of it (RFC 7541, section 4.2).
        let none: &[u8] = if self.begun { &[] } else { &[0x20] };
        self.begun = true;
        let section = [none, section].concat();
        let mut kind = frames::HEADERS;
        let mut flags = if last { frames::END_STREAM } else { 0 };
        let mut chunks = section.chunks(LARGEST).peekable();
        while let Some(chunk) = chunks.next() {
            if chunks.peek().is_none() {
                flags |= frames::END_HEADERS;
            }
            frames::write(kind, flags, stream, chunk, &mut self.bytes);
            (kind, flags) = (frames::CONTINUATION, 0);
        }
    }

    /// The peer says what it can take.
    pub(super) fn settle(&mut self, settings: &Settings) {
        if let Some(window) = settings.window {
            let more = window - self.initial;
            self.initial = window;
            self.lanes.values_mut().for_each(|lane| lane.window += more);
        }
        self.frame(frames::SETTINGS, frames::ACK, 0, &[]);
    }

    /// The peer makes room.
    pub(super) fn grant(&mut self, stream: u32, by: u32) -> Result<(), WireError> {
        let window = match self.lanes.get_mut(&stream) {
            _ if stream == 0 => &mut self.window,
            Some(lane) => &mut lane.window,
            None => return Ok(()),
        };
        *window += i64::from(by);
        if *window > i64::from(i32::MAX) {
            return Err(malformed("a window larger than any"));
        }
        Ok(())
    }

    /// Sends what there is room for.
    pub(super) fn pump(&mut self, out: &mut Vec<Command>) {
        for stream in std::mem::take(&mut self.waiting) {
            let Some(mut lane) = self.lanes.remove(&stream) else { continue };
            if self.push(stream, &mut lane, out) {
                match lane.after {
                    After::More => _ = self.lanes.insert(stream, lane),
                    _ => self.finish(stream, lane),
                }
            } else {
                self.lanes.insert(stream, lane);
                self.waiting.push(stream);
            }
        }
        self.flush(out);
    }

    /// Sends content of a stream; whether that was all of it.
    fn push(&mut self, stream: u32, lane: &mut Lane, out: &mut Vec<Command>) -> bool {
        loop {
            let left = lane.content.len();
            if left == 0 {
                return true;
            }
            let room = u64::try_from(self.window.min(lane.window)).unwrap_or(0);
            let length = left.min(room).min(LARGEST as u64);
            if length == 0 {
                return false;
            }
            self.window -= length as i64;
            lane.window -= length as i64;
            let last = length == left && lane.trailers.is_none() && lane.after == After::End;
            let flags = if last { frames::END_STREAM } else { 0 };
            let content = lane.content.take(length as usize);
            frames::write(frames::DATA, flags, stream, &content, &mut self.bytes);
            if self.bytes.len() >= BATCH {
                self.flush(out);
            }
        }
    }

    /// Says what follows the content. An end without trailers has gone with its last byte.
    fn finish(&mut self, stream: u32, lane: Lane) {
        let Lane { trailers, after, .. } = lane;
        match (after, trailers) {
            (After::End, Some(trailers)) => self.section(stream, &trailers, true),
            (After::End, None) | (After::Silence | After::More, _) => {}
            (After::Reset(code), _) => self.reset(stream, code),
            (After::Close(code), _) => self.closes = Some(code),
        }
    }

    pub(super) fn flush(&mut self, out: &mut Vec<Command>) {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes).into();
            out.push(Command::Send { to: self.to, bytes });
        }
    }
}
