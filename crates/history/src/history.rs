//! A history: opened, begun, brought to the format of this release, and left alone where it is newer.

use crate::store::{FORMAT, Fault, Purpose, STEPS, State, Store};
use crate::{HistoryError, Place};

/// An open history. What it does blocks, so it is no work for a thread that drives connections.
pub struct History {
    pub(crate) store: Store,
    pub(crate) place: Place,
}

impl History {
    /// Opens a history to write to it, begins one where there is none, and brings an older one to the
    /// format of this release.
    ///
    /// # Errors
    /// When it is not a history, is damaged, is of a newer release, or cannot be opened.
    pub fn open(place: &Place) -> Result<Self, HistoryError> {
        Self::open_by(place, STEPS)
    }

    /// Opens it as a release does that knows these steps.
    pub(crate) fn open_by(place: &Place, steps: &[&str]) -> Result<Self, HistoryError> {
        let refused = |fault: Fault| fault.tell("open", place);
        let mut store = Store::open(place, Purpose::Write).map_err(refused)?;
        // Two that begin it at once: the second waits, and finds it begun.
        let state = store.within(Purpose::Write, |store| advance(store, steps)).map_err(refused)?;
        check(state, place)?;
        Ok(History { store, place: place.clone() })
    }

    /// Opens a history to read it. One of an older release is brought to the format of this one.
    ///
    /// # Errors
    /// As [`History::open`], and when there is none.
    pub fn read(place: &Place) -> Result<Self, HistoryError> {
        let absent = || HistoryError::Absent { at: place.to_string() };
        if matches!(place, Place::File(file) if !file.exists()) {
            return Err(absent());
        }
        let refused = |fault: Fault| fault.tell("open", place);
        let mut store = Store::open(place, Purpose::Read).map_err(refused)?;
        match store.within(Purpose::Read, Store::state).map_err(refused)? {
            State::Empty => Err(absent()),
            State::Ours(format) if (1..FORMAT).contains(&format) => Self::open(place),
            state => {
                check(state, place)?;
                Ok(History { store, place: place.clone() })
            }
        }
    }
}

/// Takes the steps that are missing; what is there afterwards comes back.
fn advance(store: &mut Store, steps: &[&str]) -> Result<State, Fault> {
    let state = store.state()?;
    let known = match state {
        State::Empty => 0,
        State::Ours(format) if format > 0 => usize::try_from(format).unwrap_or(usize::MAX),
        State::Ours(_) | State::Foreign => return Ok(state),
    };
    for (step, format) in steps.iter().zip(1..).skip(known) {
        store.step(step, format)?;
    }
    store.state()
}

fn check(state: State, place: &Place) -> Result<(), HistoryError> {
    let at = place.to_string();
    match state {
        State::Ours(format) if (1..=FORMAT).contains(&format) => Ok(()),
        State::Ours(found) if found > FORMAT => {
            Err(HistoryError::Newer { at, found, known: FORMAT })
        }
        State::Ours(_) | State::Empty | State::Foreign => {
            let problem = match place {
                Place::File(_) => "it is a database of another program",
                Place::Server(_) => "the schema has tables of another program",
            };
            Err(HistoryError::Damaged { at, problem: problem.to_owned() })
        }
    }
}
