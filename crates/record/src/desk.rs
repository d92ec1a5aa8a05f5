//! The recorder's desk: whoever has something to tell waits for its turn and does the work itself.
//!
//! There is no queue and no thread behind it. What was told is in the journal, where a kill does not
//! reach it, when [`Desk::tell`] returns. A connection calls [`Desk::note`] instead, and nothing
//! further of it is passed on before [`Desk::settle`] was called: by itself, or by its thread, which
//! does so for all its connections before it waits. So a kill costs a connection no more than the
//! exchanges it was about to tell, however busy the machine is, one write serves many of them, and
//! nothing grows when the traffic is faster than the recorder.

use crate::recorder::{Harvest, Recorder};
use crate::{RecordError, sink::Message};
use rehearsal_model::Moment;
use std::sync::{Mutex, PoisonError};

/// See the module.
pub(crate) struct Desk(Mutex<Option<Recorder>>);

impl Desk {
    pub(crate) fn new(recorder: Recorder) -> Self {
        Desk(Mutex::new(Some(recorder)))
    }

    /// Has something recorded and kept; nothing after [`Desk::close`].
    pub(crate) fn tell(&self, message: Message) {
        self.with(|recorder| {
            recorder.tell(message);
            recorder.settle();
        });
    }

    /// Has something recorded, which is kept at the next [`Desk::settle`].
    pub(crate) fn note(&self, message: Message) {
        self.with(|recorder| recorder.tell(message));
    }

    /// Keeps what was noted.
    pub(crate) fn settle(&self) {
        self.with(Recorder::settle);
    }

    fn with(&self, work: impl FnOnce(&mut Recorder)) {
        // A recorder that panicked is of no more use; `close` says so.
        if let Ok(mut desk) = self.0.lock()
            && let Some(recorder) = &mut *desk
        {
            work(recorder);
        }
    }

    /// Ends the recorder and takes what it has.
    pub(crate) fn close(&self, now: Moment) -> Result<Harvest, RecordError> {
        let panicked = self.0.is_poisoned();
        let recorder = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match recorder.filter(|_| !panicked) {
            Some(recorder) => Ok(recorder.harvest(now)?),
            None => Err(RecordError::Internal("the recorder panicked".to_owned())),
        }
    }
}
