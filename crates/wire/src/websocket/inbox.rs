//! What one side says: frames put together to messages (RFC 6455, section 5.4).

use super::frame::{Frame, Frames, Opcode};
use super::handshake::Extensions;
use super::inflate::Inflate;
use super::{malformed, too_large};
use crate::{Limits, Peer, WireError};

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Text(String),
    Binary(Vec<u8>),
    /// The code and reason of a close frame, when it has them.
    Close(Option<(u16, String)>),
    Ping(Vec<u8>),
    Pong,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Inbox {
    frames: Frames,
    limit: usize,
    inflate: Option<Inflate>,
    /// The message whose fragments are coming.
    message: Option<Message>,
}

#[derive(Debug)]
struct Message {
    is_text: bool,
    compressed: bool,
    bytes: Vec<u8>,
}

impl Inbox {
    pub(super) fn new(from: Peer, extensions: Extensions, limits: Limits) -> Self {
        let forgets = match from {
            Peer::Client => extensions.client_forgets,
            Peer::Server => extensions.server_forgets,
        };
        Inbox {
            frames: Frames::new(from, limits.body),
            limit: limits.body,
            inflate: extensions.deflate.then(|| Inflate::new(forgets)),
            message: None,
        }
    }

    /// Takes bytes up to the end of what they say first.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Said>, WireError> {
        while let Some(frame) = self.frames.next(input)? {
            let said = match frame.opcode {
                Opcode::Ping => Some(Said::Ping(frame.payload)),
                Opcode::Pong => Some(Said::Pong),
                Opcode::Close => Some(Said::Close(close(&frame.payload)?)),
                Opcode::Continuation | Opcode::Text | Opcode::Binary => self.fragment(frame)?,
            };
            if said.is_some() {
                return Ok(said);
            }
        }
        Ok(None)
    }

    fn fragment(&mut self, frame: Frame) -> Result<Option<Said>, WireError> {
        let Frame { last, compressed, opcode, payload } = frame;
        let mut message = match (self.message.take(), opcode) {
            (Some(_), _) if compressed => {
                return Err(malformed("a later fragment that says it is compressed"));
            }
            (Some(mut message), Opcode::Continuation) => {
                message.bytes.extend_from_slice(&payload);
                message
            }
            (None, Opcode::Continuation) => {
                return Err(malformed("a continuation of no message"));
            }
            (Some(_), _) => return Err(malformed("a message within another one")),
            (None, _) => {
                let is_text = opcode == Opcode::Text;
                Message { is_text, compressed, bytes: payload }
            }
        };
        if message.bytes.len() > self.limit {
            return Err(too_large("a message", self.limit));
        }
        if !last {
            self.message = Some(message);
            return Ok(None);
        }
        if message.compressed {
            let inflate = self.inflate.as_mut();
            let inflate =
                inflate.ok_or_else(|| malformed("a compressed message, not agreed to"))?;
            message.bytes = inflate.message(&message.bytes, self.limit)?;
        }
        if !message.is_text {
            return Ok(Some(Said::Binary(message.bytes)));
        }
        let text = String::from_utf8(message.bytes);
        text.map(|text| Some(Said::Text(text))).map_err(|_| malformed("a text that is not UTF-8"))
    }
}

/// What a close frame says (RFC 6455, section 5.5.1).
fn close(payload: &[u8]) -> Result<Option<(u16, String)>, WireError> {
    match payload {
        [] => Ok(None),
        [_] => Err(malformed("a close frame of one byte")),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(malformed(format!("a close frame with the code {code}")));
            }
            let reason = std::str::from_utf8(reason)
                .map_err(|_| malformed("a close frame whose reason is not UTF-8"))?;
            Ok(Some((code, reason.to_owned())))
        }
    }
}
