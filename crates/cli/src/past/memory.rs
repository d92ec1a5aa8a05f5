//! What the history knows of a kind of failure, asked when the first of a run comes.
//!
//! Tests go on meanwhile, so an answer is waited for only shortly: a history that does not give one in
//! time, or cannot be read, is asked no more and changes nothing. That the run is not in it is said when
//! it is over.

use rehearsal_history::{History, Place};
use rehearsal_model::Past;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// See the module.
pub(crate) struct Memory {
    place: Place,
    reader: Reader,
    known: HashMap<String, Past>,
}

/// Who reads, on a thread of its own.
enum Reader {
    Unasked,
    Asked(Sender<String>, Receiver<Past>),
    Unusable,
}

impl Memory {
    /// That of the history at this place, which is not looked at yet.
    pub(crate) fn of(place: Place) -> Self {
        Memory { place, reader: Reader::Unasked, known: HashMap::new() }
    }

    /// What was seen of failures with a fingerprint; none where no history says it.
    pub(crate) fn past(&mut self, fingerprint: &str) -> Option<Past> {
        if let Some(past) = self.known.get(fingerprint) {
            return Some(past.clone());
        }
        if let Reader::Unasked = self.reader {
            self.reader = read(self.place.clone());
        }
        let Reader::Asked(questions, answers) = &self.reader else { return None };
        let asked = questions.send(fingerprint.to_owned()).ok();
        let Some(past) = asked.and_then(|()| answers.recv_timeout(PATIENCE).ok()) else {
            self.reader = Reader::Unusable;
            return None;
        };
        self.known.insert(fingerprint.to_owned(), past.clone());
        Some(past)
    }
}

/// Begins to read a history; it ends with who asks, and where it fails.
fn read(place: Place) -> Reader {
    let (questions, asked) = channel::<String>();
    let (told, answers) = channel();
    std::thread::spawn(move || {
        let Ok(mut history) = History::read(&place) else { return };
        for fingerprint in asked {
            let Ok(past) = history.past(&fingerprint) else { return };
            if told.send(past).is_err() {
                return;
            }
        }
    });
    Reader::Asked(questions, answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_that_cannot_be_read_is_asked_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        let mut memory = Memory::of(Place::File(file.clone()));
        assert_eq!(memory.past("f1"), None);
        History::open(&Place::File(file.clone())).unwrap();
        assert_eq!(memory.past("f1"), None);
        assert_eq!(Memory::of(Place::File(file)).past("f1"), Some(Past::default()));
    }
}
