//! What is said of each failure on its way to the reports: its cause, whose it is, and whether a
//! quarantine excuses it.

use crate::owners::Owners;
use crate::past::Memory;
use rehearsal_history::Place;
use rehearsal_model::{
    Outcome, Quarantine, QuarantineSettings, RunEvent, Settings, TestId, Triage,
};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// What is known of failures.
pub(crate) struct Desk {
    owners: Owners,
    quarantine: Vec<QuarantineSettings>,
    /// Such as `2026-12-31`, in UTC.
    today: String,
    memory: Memory,
}

impl Desk {
    /// What a project says, and its history.
    pub(crate) fn new(root: &Path, settings: &Settings, history: Place) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_millis()).unwrap_or_default();
        Desk {
            owners: Owners::new(root, settings),
            quarantine: settings.quarantine.clone(),
            today: rehearsal_store::format_instant(now).chars().take(10).collect(),
            memory: Memory::of(history),
        }
    }

    /// Adds to the event of a failed test what is known of it.
    pub(crate) fn add(&mut self, event: &mut RunEvent) {
        let RunEvent::TestFinished {
            recording,
            number,
            name,
            file,
            outcome: Outcome::Failed,
            findings,
            triage,
            ..
        } = event
        else {
            return;
        };
        let cause = rehearsal_compare::cause(name, findings);
        let ownership = self.owners.of(&cause, name, file);
        let quarantine = self.quarantine(recording, *number, name, file);
        let past = self.memory.past(&cause.fingerprint);
        *triage = Some(Box::new(Triage { cause, ownership, quarantine, past }));
    }

    fn quarantine(
        &self,
        recording: &str,
        number: TestId,
        name: &str,
        file: &str,
    ) -> Option<Quarantine> {
        let key = format!("{recording}/{}", number.0);
        let is_it = |one: &&QuarantineSettings| [key.as_str(), name, file].contains(&&*one.test);
        let of = |one: &QuarantineSettings| Quarantine {
            owner: one.owner.clone(),
            until: one.until.clone(),
            reason: one.reason.clone(),
            expired: one.until < self.today,
        };
        // Of several the one that holds longest counts.
        self.quarantine.iter().filter(is_it).max_by_key(|one| &one.until).map(of)
    }
}
