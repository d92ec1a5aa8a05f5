//! A message of gRPC that is sent in turns with what the other side says.

use super::sender::{After, Sender};
use super::turns::Order;
use super::write::Outgoing;
use crate::grpc::lengths;
use crate::http::content::Payload;

/// What is still to be said on a stream.
#[derive(Debug)]
pub(super) struct Script {
    sections: Vec<Vec<u8>>,
    /// What each message is, in its frame.
    frames: Vec<Vec<u8>>,
    /// How much the other side has to say before each of them.
    after: Vec<usize>,
    /// The head need not wait for the first message.
    eager: bool,
    /// What was said already: the head, and so many messages.
    begun: bool,
    said: usize,
    /// The end is not said.
    open: bool,
    /// As in an [`Order`].
    cancelled: Option<Option<usize>>,
}

/// The messages of a content.
fn split(payload: Option<Payload>) -> Vec<Vec<u8>> {
    let Some(Payload::Bytes(bytes)) = payload else { return Vec::new() };
    let mut rest = bytes.as_slice();
    let take = |length| {
        let (frame, others) = rest.split_at(length);
        rest = others;
        frame.to_vec()
    };
    lengths(&bytes).into_iter().map(take).collect()
}

impl Script {
    /// A request that is sent in this order.
    pub(super) fn of_request(outgoing: Outgoing, order: Order) -> Self {
        let Outgoing { sections, payload, .. } = outgoing;
        let frames = split(payload);
        let Order { mut after, open, cancelled } = order;
        after.resize(frames.len(), after.last().copied().unwrap_or(0));
        Script { sections, frames, after, eager: true, begun: false, said: 0, open, cancelled }
    }

    /// A response of which each message waits for as much of the request as `after` says; `before` was
    /// said by another one. The head is sent at once if it is `eager`: some clients wait for it.
    pub(super) fn of_response(
        outgoing: Outgoing,
        eager: bool,
        mut after: Vec<usize>,
        before: Option<Script>,
    ) -> Self {
        let Outgoing { sections, payload, .. } = outgoing;
        let frames = split(payload);
        after.resize(frames.len(), usize::MAX);
        let (begun, said) = before.map_or((false, 0), |before| (before.begun, before.said));
        let (open, cancelled) = (true, None);
        Script { sections, frames, after, eager, begun, said, open, cancelled }
    }

    /// Says what is due when the other side has said so much.
    pub(super) fn go_on(&mut self, stream: u32, heard: usize, sender: &mut Sender) {
        let due = |script: &Script| script.after.get(script.said).is_some_and(|it| *it <= heard);
        if !self.begun && (self.eager || due(self)) {
            self.begun = true;
            sender.begin(stream, &std::mem::take(&mut self.sections));
        }
        while due(self) {
            sender.add(stream, &self.frames[self.said]);
            self.said += 1;
        }
        if self.said >= self.frames.len() && !self.open {
            self.open = true;
            sender.end(stream, None, After::End);
        }
    }

    /// How much the other side has to say before the next message is due.
    pub(super) fn next_due(&self) -> Option<usize> {
        self.after.get(self.said).copied()
    }

    /// Whether the call is given up when so many answers have come; `None` is before their head.
    pub(super) fn is_given_up(&self, came: Option<usize>) -> bool {
        self.said >= self.frames.len() && self.cancelled.is_some_and(|count| count <= came)
    }

    /// Says the rest of a message, of which this script has said the beginning.
    pub(super) fn finish(self, stream: u32, outgoing: Outgoing, after: After, sender: &mut Sender) {
        if !self.begun {
            sender.say(stream, outgoing, after);
            return;
        }
        let Outgoing { payload, trailers, .. } = outgoing;
        split(payload).iter().skip(self.said).for_each(|frame| sender.add(stream, frame));
        sender.end(stream, trailers, after);
    }
}
