//! Reads the messages of one direction, one after the other.
//!
//! It knows heads and bodies, and nothing of the other direction: whoever uses it says how the body
//! that follows a head is framed.

use super::body::{BodyReader, Bytes};
use super::framing::Framing;
use super::head::{Field, Head};
use super::lines::Lines;
use crate::{Limits, WireError};
use rehearsal_model::Value;

/// A message as far as it came.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) head: Head,
    pub(super) body: Bytes,
    pub(super) trailers: Vec<Field>,
    pub(super) framing: Framing,
}

impl Message {
    /// About how many bytes it holds.
    pub(super) fn size(&self) -> usize {
        let length = |value: &Value| value.as_bytes().map_or(0, <[u8]>::len);
        let fields = self.head.fields.iter().chain(&self.trailers);
        let fields: usize = fields.map(|(name, value)| name.len() + length(value)).sum();
        let body = match &self.body {
            Bytes::Kept(bytes) => bytes.len(),
            Bytes::Omitted { .. } => 0,
        };
        fields + body
    }
}

/// What came of the bytes given.
#[derive(Debug)]
pub(super) enum Step {
    /// More bytes must come.
    More,
    /// A head is complete; [`Reader::head`] has it. The body may go on in the same bytes.
    Head,
    /// A message is complete.
    Message(Box<Message>),
}

/// The state of one direction.
#[derive(Debug)]
pub(super) struct Reader {
    limits: Limits,
    lines: Lines,
    message: Option<(Head, Framing, BodyReader)>,
}

impl Reader {
    pub(super) fn new(limits: Limits) -> Self {
        Reader { limits, lines: Lines::default(), message: None }
    }

    /// Whether nothing of a message has come.
    pub(super) fn is_idle(&self) -> bool {
        self.lines.is_empty() && self.message.is_none()
    }

    /// The head of the message that is being read, once it is complete.
    pub(super) fn head(&self) -> Option<&Head> {
        self.message.as_ref().map(|(head, _, _)| head)
    }

    /// Keeps so many bytes of the body that is being read.
    pub(super) fn shorten(&mut self, length: usize) {
        if let Some((_, _, body)) = &mut self.message {
            body.shorten(length);
        }
    }

    /// The body as far as it came.
    pub(super) fn so_far(&self) -> &[u8] {
        self.message.as_ref().map_or(&[], |(_, _, body)| body.so_far())
    }

    /// Takes the bytes of a head, or else those of its body. `parse` reads a complete head and
    /// says how the body after it is framed.
    pub(super) fn step(
        &mut self,
        input: &mut &[u8],
        parse: impl FnOnce(&[u8]) -> Result<(Head, Framing), WireError>,
    ) -> Result<Step, WireError> {
        if let Some((_, _, body)) = &mut self.message {
            return if body.read(input)? { Ok(self.complete()) } else { Ok(Step::More) };
        }
        match self.lines.take(input, self.limits.head, parse)? {
            Some((head, framing)) => {
                self.message = Some((head, framing, BodyReader::new(framing, self.limits)));
                Ok(Step::Head)
            }
            None => Ok(Step::More),
        }
    }

    /// The direction has ended: the message, when its end was to be told by that.
    pub(super) fn close(&mut self) -> Option<Box<Message>> {
        let ends = self.message.as_ref().is_some_and(|(_, _, body)| body.ends_by_close());
        if ends { self.partial() } else { None }
    }

    /// The message as far as it came, when its head is complete.
    pub(super) fn partial(&mut self) -> Option<Box<Message>> {
        let (head, framing, body) = self.message.take()?;
        let (body, trailers) = body.finish();
        Some(Box::new(Message { head, body, trailers, framing }))
    }

    fn complete(&mut self) -> Step {
        self.partial().map_or(Step::More, Step::Message)
    }
}
