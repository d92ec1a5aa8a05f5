//! Reads what one side says: frames, with field sections put together and decoded.
//!
//! It keeps the rules of frames and knows nothing of streams: whoever uses it does.

use super::frames::{self, Frame, Inbox};
use super::hpack::Decoder;
use super::settings::Settings;
use super::table::Raw;
use super::{malformed, too_large};
use crate::{Limits, WireError};
use bytes::{Buf, Bytes};
use rehearsal_model::{Moment, ResetCode};

/// How many frames a field section may be spread over.
const MAX_CONTINUATIONS: usize = 1024;

/// What a side says.
#[derive(Debug)]
pub(super) enum Said {
    /// Fields of a stream; `last` says that nothing follows on it. `at` is when the first byte came.
    Fields { stream: u32, fields: Vec<Raw>, last: bool, at: Moment },
    /// Content of a stream. With its padding it uses up `size` of the windows.
    Data { stream: u32, bytes: Bytes, size: usize, last: bool },
    /// A stream is broken off.
    Reset { stream: u32, code: ResetCode },
    /// What this side can take.
    Settings(Settings),
    /// To be sent back.
    Ping(Bytes),
    /// No stream above this one is answered.
    GoAway { last: u32, code: ResetCode },
    /// So many bytes more may be sent on this stream; on the connection when it is 0.
    Window { stream: u32, by: u32 },
    /// Nothing of concern.
    Nothing,
}

/// The bytes of one side.
#[derive(Debug)]
pub(super) struct Reader {
    inbox: Inbox,
    decoder: Decoder,
    limits: Limits,
    /// What the other side can take.
    taken: Settings,
    /// The preface has yet to come.
    beginning: bool,
    section: Option<Section>,
}

/// A field section that goes on in the next frame.
#[derive(Debug)]
struct Section {
    stream: u32,
    block: Vec<u8>,
    frames: usize,
    last: bool,
    pushed: bool,
    at: Moment,
}

impl Reader {
    /// For what a client says.
    pub(super) fn of_client(limits: Limits) -> Self {
        Reader { beginning: true, ..Reader::of_server(limits) }
    }

    /// For what a server says.
    pub(super) fn of_server(limits: Limits) -> Self {
        Reader {
            inbox: Inbox::default(),
            decoder: Decoder::default(),
            limits,
            taken: Settings::default(),
            beginning: false,
            section: None,
        }
    }

    /// The other side has said what it can take. What it could take before may still come.
    pub(super) fn widen(&mut self, settings: &Settings) {
        self.taken.table = self.taken.table.max(settings.table);
        self.taken.frame = self.taken.frame.max(settings.frame).min(self.limits.body);
    }

    pub(super) fn push(&mut self, bytes: &[u8], at: Moment) {
        self.inbox.push(bytes, at);
    }

    /// What is said next, when all of it has come.
    pub(super) fn next(&mut self, now: Moment) -> Result<Option<Said>, WireError> {
        if self.beginning {
            if !self.inbox.preface(now)? {
                return Ok(None);
            }
            self.beginning = false;
        }
        let largest = self.taken.frame.max(frames::LARGEST);
        let Some(frame) = self.inbox.frame(largest, now)? else { return Ok(None) };
        if let Some(section) = self.section.take() {
            return self.go_on(section, &frame).map(Some);
        }
        self.read(&frame).map(Some)
    }

    fn read(&mut self, frame: &Frame) -> Result<Said, WireError> {
        let stream = frame.stream;
        let of_stream = matches!(frame.kind, frames::DATA | frames::HEADERS | frames::RST_STREAM);
        if of_stream && stream == 0 {
            return Err(malformed("a frame of a stream that names none"));
        }
        match frame.kind {
            frames::DATA => {
                let (bytes, size) = (frame.content()?, frame.payload.len());
                Ok(Said::Data { stream, bytes, size, last: frame.has(frames::END_STREAM) })
            }
            frames::HEADERS | frames::PUSH_PROMISE => self.begin(frame),
            frames::RST_STREAM => {
                frame.number().map(|code| Said::Reset { stream, code: ResetCode(code) })
            }
            frames::SETTINGS if frame.has(frames::ACK) => Ok(Said::Nothing),
            frames::SETTINGS => Settings::read(&frame.payload).map(Said::Settings),
            frames::PING if frame.payload.len() != 8 => Err(malformed("a ping of another length")),
            frames::PING if frame.has(frames::ACK) => Ok(Said::Nothing),
            frames::PING => Ok(Said::Ping(frame.payload.clone())),
            frames::GOAWAY => {
                let (last, code) = frame.numbers()?;
                Ok(Said::GoAway { last: last & 0x7fff_ffff, code: ResetCode(code) })
            }
            frames::WINDOW_UPDATE => Ok(Said::Window { stream, by: frame.number()? & 0x7fff_ffff }),
            frames::CONTINUATION => Err(malformed("a field section without a beginning")),
            _ => Ok(Said::Nothing),
        }
    }

    fn begin(&mut self, frame: &Frame) -> Result<Said, WireError> {
        let mut content = frame.content()?;
        let pushed = frame.kind == frames::PUSH_PROMISE;
        if pushed {
            if content.len() < 4 {
                return Err(malformed("a promise that names no stream"));
            }
            content.advance(4);
        }
        let section = Section {
            stream: frame.stream,
            block: content.to_vec(),
            frames: 1,
            last: frame.has(frames::END_STREAM) && !pushed,
            pushed,
            at: frame.at,
        };
        self.check(section, frame.has(frames::END_HEADERS))
    }

    fn go_on(&mut self, mut section: Section, frame: &Frame) -> Result<Said, WireError> {
        if frame.kind != frames::CONTINUATION || frame.stream != section.stream {
            return Err(malformed("a field section that another frame interrupts"));
        }
        section.block.extend_from_slice(&frame.payload);
        section.frames += 1;
        self.check(section, frame.has(frames::END_HEADERS))
    }

    /// Decodes a section that is complete.
    fn check(&mut self, section: Section, complete: bool) -> Result<Said, WireError> {
        if section.block.len() > self.limits.head {
            return Err(too_large("a field section", self.limits.head));
        }
        if section.frames > MAX_CONTINUATIONS {
            return Err(malformed(format!(
                "a field section in more than {MAX_CONTINUATIONS} frames"
            )));
        }
        if !complete {
            self.section = Some(section);
            return Ok(Said::Nothing);
        }
        let Section { stream, block, last, pushed, at, .. } = section;
        // The table must hear of fields that concern nobody, too.
        let fields = self.decoder.decode(&block, self.taken.table, self.limits.head)?;
        Ok(if pushed { Said::Nothing } else { Said::Fields { stream, fields, last, at } })
    }
}
