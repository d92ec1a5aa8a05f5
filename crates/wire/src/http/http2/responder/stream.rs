//! A stream of a connection to a mock, and how far it is.

use super::talk::Talk;
use crate::http::head::Method;
use crate::http::http2::converse::Conversing;
use crate::http::http2::half::Half;
use crate::http::http2::intake::Intake;
use crate::http::upgrade::Offer;
use crate::websocket::Player;
use rehearsal_model::{Map, Moment};

/// A stream that is not answered.
pub(super) struct Stream {
    pub(super) started: Moment,
    pub(super) method: Method,
    pub(super) progress: Progress,
    pub(super) talk: Option<Talk>,
    pub(super) intake: Intake,
    /// Of a request that asks for a WebSocket.
    pub(super) opening: Option<Box<Opening>>,
}

/// A request for a WebSocket.
#[derive(Default)]
pub(super) struct Opening {
    pub(super) offer: Offer,
    pub(super) request: Map,
    /// What the client says before it is answered.
    pub(super) early: Vec<u8>,
}

/// How far a request is.
pub(super) enum Progress {
    /// It is being read.
    Coming(Half),
    /// Its answer was asked for.
    Asked,
    /// The client waited in vain when this was recorded, so that it does again.
    Silent,
    /// It has become a WebSocket.
    Conversing(Box<Player>),
}

impl Stream {
    pub(super) fn new(started: Moment) -> Self {
        Stream {
            started,
            method: Method::Other,
            progress: Progress::Coming(Half::new()),
            talk: None,
            intake: Intake::default(),
            opening: None,
        }
    }

    /// The request, while it is being read.
    pub(super) fn coming(&mut self) -> Option<&mut Half> {
        match &mut self.progress {
            Progress::Coming(half) => Some(half),
            Progress::Asked | Progress::Silent | Progress::Conversing(_) => None,
        }
    }

    /// What the client has said on a stream that may yet become a WebSocket.
    pub(super) fn early(&mut self) -> Option<&mut Vec<u8>> {
        self.opening.as_mut().map(|opening| &mut opening.early)
    }

    pub(super) fn is_coming(&self) -> bool {
        matches!(self.progress, Progress::Coming(_))
    }

    /// Whether nothing more is to be said on it when its client says no more.
    pub(super) fn is_silent(&self) -> bool {
        match &self.progress {
            Progress::Coming(half) => !half.last,
            Progress::Asked => false,
            Progress::Silent | Progress::Conversing(_) => true,
        }
    }
}

impl Conversing for Stream {
    fn player(&mut self) -> Option<&mut Player> {
        match &mut self.progress {
            Progress::Conversing(player) => Some(player),
            Progress::Coming(_) | Progress::Asked | Progress::Silent => None,
        }
    }
}
