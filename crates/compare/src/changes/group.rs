//! The same change in many tests as one cause.

use super::atoms::{Atom, atoms};
use super::words::{as_noise, short};
use rehearsal_model::{Change, Difference, Edit, Outcome, Verdict};
use std::collections::HashMap;

/// Pairs of values that are shown where they are many.
const SAMPLES: usize = 3;

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A field has another name.
    Renamed,
    /// A field is elsewhere.
    Moved,
    /// A field is new.
    Added,
    /// A field is gone.
    Removed,
    /// A value is of another kind.
    Retyped,
    /// A value is another one.
    Changed,
    /// What a call asks for has another path.
    CallPath,
    /// A call is not made any more.
    CallMissing,
    /// A call is new.
    CallUnexpected,
    /// A call is made more often.
    CallRepeated,
    /// Calls come in another order.
    CallOrder,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Renamed => "renamed field",
            Kind::Moved => "moved field",
            Kind::Added => "new field",
            Kind::Removed => "removed field",
            Kind::Retyped => "other type",
            Kind::Changed => "other value",
            Kind::CallPath => "changed path",
            Kind::CallMissing => "missing call",
            Kind::CallUnexpected => "new call",
            Kind::CallRepeated => "repeated call",
            Kind::CallOrder => "other order",
        }
    }

    /// Whether it is a change of structure rather than of a value.
    #[must_use]
    pub fn is_structure(self) -> bool {
        !matches!(self, Kind::Changed | Kind::CallUnexpected | Kind::CallRepeated)
    }
}

/// One change of the app, in however many tests.
#[derive(Clone, Debug)]
pub struct Cause {
    /// What names it in this run and in others.
    pub key: String,
    /// What kind of change it is.
    pub kind: Kind,
    /// It in words.
    pub title: String,
    /// What came for what, where values differ: some of the pairs.
    pub samples: Vec<String>,
    /// Why it cannot be accepted, when it cannot.
    pub obstacle: Option<String>,
    /// Where it is.
    pub places: Vec<Place>,
}

/// A change in one test.
#[derive(Clone, Debug)]
pub struct Place {
    /// Which of the verdicts.
    pub test: usize,
    /// What accepting it does to the test.
    pub edits: Vec<Edit>,
    /// Where it shows.
    pub differences: Vec<Difference>,
}

impl Place {
    /// The paths that name it as noise.
    pub fn noise(&self) -> impl Iterator<Item = String> {
        self.differences.iter().map(|difference| as_noise(&difference.path))
    }
}

/// All that a run shows.
#[derive(Clone, Debug, Default)]
pub struct Review {
    /// The causes: changes of structure first, then by how many tests show them.
    pub causes: Vec<Cause>,
    /// Tests in which differences are held back, since they may only follow from a refused call.
    pub held: Vec<usize>,
    /// Failed tests with nothing that could be accepted.
    pub others: Vec<usize>,
}

/// The causes of what differs in a run.
#[must_use]
pub fn causes(verdicts: &[Verdict]) -> Review {
    let mut review = Review::default();
    let mut all: Vec<(usize, Atom)> = Vec::new();
    for (test, verdict) in verdicts.iter().enumerate() {
        if verdict.outcome != Outcome::Failed {
            continue;
        }
        let (atoms, held) = atoms(verdict);
        if held {
            review.held.push(test);
        } else if atoms.is_empty() {
            review.others.push(test);
        }
        all.extend(atoms.into_iter().map(|atom| (test, atom)));
    }
    by_value(&mut all);
    let mut places: HashMap<(Kind, String), usize> = HashMap::new();
    for (test, atom) in all {
        let key = (atom.kind, atom.key.clone());
        let at = *places.entry(key).or_insert_with(|| {
            review.causes.push(Cause {
                key: format!("{}: {}", atom.kind.as_str(), atom.key),
                kind: atom.kind,
                title: atom.title.clone(),
                samples: Vec::new(),
                obstacle: atom.obstacle.clone(),
                places: Vec::new(),
            });
            review.causes.len() - 1
        });
        review.causes[at].add(test, atom);
    }
    review
        .causes
        .sort_by_key(|cause| (!cause.kind.is_structure(), std::cmp::Reverse(cause.tests())));
    review
}

/// Tells apart changes of one value: the pair that most tests show is a cause of its own.
fn by_value(all: &mut [(usize, Atom)]) {
    let mut pairs: HashMap<String, HashMap<String, usize>> = HashMap::new();
    for (_, atom) in all.iter().filter(|(_, atom)| atom.kind == Kind::Changed) {
        *pairs.entry(atom.key.clone()).or_default().entry(pair(atom)).or_default() += 1;
    }
    for (_, atom) in all.iter_mut().filter(|(_, atom)| atom.kind == Kind::Changed) {
        let known = &pairs[&atom.key];
        let (count, own) = (known.values().sum::<usize>(), pair(atom));
        if known[&own] * 5 >= count * 4 {
            atom.title = format!("{}: {own}", atom.title);
            atom.key = atom.title.clone();
        } else {
            atom.title = format!("{}: {} different values", atom.title, known.len());
        }
    }
}

fn pair(atom: &Atom) -> String {
    atom.differences.first().map_or_else(String::new, |difference| told(&difference.change))
}

fn told(change: &Change) -> String {
    match (change.expected(), change.actual()) {
        (Some(from), Some(to)) => format!("{} is now {}", short(from), short(to)),
        (Some(from), None) => short(from),
        (None, Some(to)) => short(to),
        (None, None) => String::new(),
    }
}

impl Cause {
    /// In how many tests it is.
    #[must_use]
    pub fn tests(&self) -> usize {
        let mut tests: Vec<usize> = self.places.iter().map(|place| place.test).collect();
        tests.dedup();
        tests.len()
    }

    fn add(&mut self, test: usize, atom: Atom) {
        let sample = atom.differences.iter().map(|it| told(&it.change)).collect::<Vec<_>>();
        let sample = match atom.kind {
            Kind::Renamed | Kind::Moved => sample.first().cloned().unwrap_or_default(),
            Kind::CallPath => String::new(),
            _ => sample.join(", "),
        };
        let told = sample.is_empty() || self.title.ends_with(&sample);
        if !told && self.samples.len() < SAMPLES && !self.samples.contains(&sample) {
            self.samples.push(sample);
        }
        let Atom { edits, differences, .. } = atom;
        match self.places.last_mut().filter(|last| last.test == test) {
            Some(last) => {
                last.edits.extend(edits);
                last.differences.extend(differences);
            }
            None => self.places.push(Place { test, edits, differences }),
        }
    }
}
