//! The causes of a run and what became of them: decides, writes and undoes.
//!
//! A file is always made anew of what it was when the run saw it and of all that was decided, so places
//! do not shift, and undoing gives back the same bytes. What it was is kept before it is first changed.

use super::decisions::{self, Decision, Verb};
use super::run::Kept;
use crate::error::CliError;
use rehearsal_compare::changes::{Cause, Review, causes};
use rehearsal_model::{Edit, Verdict};
use rehearsal_store::Project;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// See the module.
pub(super) struct Desk<'a> {
    project: &'a Project,
    pub(super) run: Kept,
    pub(super) review: Review,
    decisions: Vec<Decision>,
    /// Texts that were made, by test and by what was decided of it.
    made: RefCell<HashMap<Plan, String>>,
}

/// A test, and what is to become of it: causes by their place, accepted or not.
type Plan = (usize, Vec<(usize, bool)>);

/// A file that is to be replaced, by its recording.
type Replaced = BTreeMap<String, Vec<(PathBuf, Vec<u8>)>>;

impl<'a> Desk<'a> {
    /// Reads what was decided, and finishes what a kill may have left undone.
    pub(super) fn open(project: &'a Project, run: Kept) -> Result<Self, CliError> {
        let desk = Desk::look(project, run)?;
        let touched = desk.touched(&desk.decisions);
        desk.write(&touched, &desk.decisions)?;
        Ok(desk)
    }

    /// Reads what was decided, and writes nothing.
    pub(super) fn look(project: &'a Project, run: Kept) -> Result<Self, CliError> {
        let decisions = decisions::read(&run.folder)?;
        let review = causes(&run.verdicts);
        Ok(Desk { project, run, review, decisions, made: RefCell::default() })
    }

    /// How many decisions were made.
    pub(super) fn decisions_made(&self) -> usize {
        self.decisions.len()
    }

    pub(super) fn verdict(&self, test: usize) -> &Verdict {
        &self.run.verdicts[test]
    }

    /// What was decided of a cause in all its tests.
    pub(super) fn decided(&self, cause: &Cause) -> Option<Verb> {
        let mut left: BTreeSet<usize> = cause.places.iter().map(|place| place.test).collect();
        let mut verb = None;
        for decision in self.decisions.iter().filter(|it| it.cause == cause.key) {
            decision.tests.iter().for_each(|test| {
                left.remove(test);
            });
            verb = Some(decision.verb);
        }
        verb.filter(|_| left.is_empty())
    }

    /// The causes that wait for a decision, without the tests in which they have one.
    pub(super) fn open_causes(&self) -> Vec<Cause> {
        let undecided = |cause: &Cause| {
            let decided = self.decisions.iter().filter(|it| it.cause == cause.key);
            let decided: BTreeSet<usize> = decided.flat_map(|it| it.tests.clone()).collect();
            let mut cause = cause.clone();
            cause.places.retain(|place| !decided.contains(&place.test));
            Some(cause).filter(|cause| !cause.places.is_empty())
        };
        self.review.causes.iter().filter_map(undecided).collect()
    }

    /// Whether nothing is left that keeps a test from passing.
    pub(super) fn is_done(&self) -> bool {
        let rejected = self.decisions.iter().any(|decision| decision.verb == Verb::Reject);
        self.open_causes().is_empty()
            && !rejected
            && self.review.others.is_empty()
            && self.review.held.is_empty()
    }

    /// How many files were changed.
    pub(super) fn files(&self) -> usize {
        self.touched(&self.decisions).len()
    }

    /// Decides of a cause. What cannot be done in some tests is told, and left.
    pub(super) fn decide(&mut self, cause: &Cause, verb: Verb) -> Result<Vec<String>, CliError> {
        if let (Some(why), Verb::Accept) = (&cause.obstacle, verb) {
            return Ok(vec![format!("{}: {why}", cause.title)]);
        }
        let mut decision = Decision { verb, cause: cause.key.clone(), tests: Vec::new() };
        let mut problems = Vec::new();
        let mut all = self.decisions.clone();
        all.push(decision.clone());
        for place in &cause.places {
            let last = all.len() - 1;
            all[last].tests = vec![place.test];
            let nothing = place.edits.is_empty() && verb == Verb::Accept
                || place.differences.is_empty() && verb == Verb::Ignore;
            let tried = match verb {
                Verb::Reject => Ok(()),
                _ if nothing => Err("there is nothing in it that could be written".to_owned()),
                _ => self.target(place.test, &all).map(drop).map_err(|error| error.to_string()),
            };
            match tried {
                Ok(()) => decision.tests.push(place.test),
                Err(problem) => problems.push(problem),
            }
        }
        if decision.tests.is_empty() {
            return Ok(problems);
        }
        let tests = decision.tests.clone();
        let mut decisions = self.decisions.clone();
        decisions.push(decision);
        if verb != Verb::Reject {
            self.keep_originals(&tests)?;
        }
        decisions::write(&self.run.folder, &decisions)?;
        let written = self.write(&tests, &decisions);
        self.decisions = decisions;
        written.map(|()| problems)
    }

    /// Undoes the last decision; what it was.
    pub(super) fn undo(&mut self) -> Result<String, CliError> {
        let Some(last) = self.decisions.last().cloned() else {
            return Err(CliError::Wrong("undo anything: nothing was decided of this run".into()));
        };
        let left = self.decisions[..self.decisions.len() - 1].to_vec();
        // What is to be undone must be there: the files are checked before anything is written.
        let changed = if last.verb == Verb::Reject { Vec::new() } else { last.tests.clone() };
        self.replacements(&changed, &left)?;
        decisions::write(&self.run.folder, &left)?;
        self.write(&changed, &left)?;
        self.decisions = left;
        Ok(format!("{} {} ({})", last.verb.done(), last.cause, tests(last.tests.len())))
    }

    /// The tests whose files decisions change.
    fn touched(&self, decisions: &[Decision]) -> Vec<usize> {
        let changing = decisions.iter().filter(|decision| decision.verb != Verb::Reject);
        let tests: BTreeSet<usize> = changing.flat_map(|it| it.tests.clone()).collect();
        tests.into_iter().filter(|test| *test < self.run.verdicts.len()).collect()
    }

    /// A test's file.
    fn path(&self, test: usize) -> Result<PathBuf, CliError> {
        let Verdict { recording, file, .. } = self.verdict(test);
        let name = file.rsplit('/').next().unwrap_or_default();
        Ok(self.project.recording_folder(recording)?.join("tests").join(name))
    }

    fn kept_original(&self, test: usize) -> PathBuf {
        let Verdict { recording, file, .. } = self.verdict(test);
        let name = file.rsplit('/').next().unwrap_or_default();
        self.run.folder.join("originals").join(recording).join(name)
    }

    /// What a test's file was when the run saw it.
    pub(super) fn original(&self, test: usize) -> Result<String, CliError> {
        let kept = self.kept_original(test);
        read(&if kept.exists() { kept } else { self.path(test)? })
    }

    fn keep_originals(&self, tests: &[usize]) -> Result<(), CliError> {
        let mut originals = Vec::new();
        let mut folders = BTreeSet::new();
        for test in tests {
            let kept = self.kept_original(*test);
            if !kept.exists() {
                folders.extend(kept.parent().map(Path::to_owned));
                originals.push((kept, self.original(*test)?.into_bytes()));
            }
        }
        for folder in folders {
            let doing = format!("create {}", folder.display());
            fs::create_dir_all(&folder).map_err(CliError::io(doing))?;
        }
        Ok(rehearsal_store::replace(&originals)?)
    }

    /// The text of a test's file after decisions.
    pub(super) fn target(&self, test: usize, decisions: &[Decision]) -> Result<String, CliError> {
        let causes = &self.review.causes;
        let about = decisions.iter().filter(|decision| decision.tests.contains(&test));
        let about = about.filter(|decision| decision.verb != Verb::Reject);
        let plan: Vec<(usize, bool)> = about
            .filter_map(|decision| {
                let cause = causes.iter().position(|cause| cause.key == decision.cause)?;
                Some((cause, decision.verb == Verb::Accept))
            })
            .collect();
        if plan.is_empty() {
            return self.original(test);
        }
        let plan = (test, plan);
        if let Some(made) = self.made.borrow().get(&plan) {
            return Ok(made.clone());
        }
        let text = self.make(test, &plan.1)?;
        self.made.borrow_mut().insert(plan, text.clone());
        Ok(text)
    }

    fn make(&self, test: usize, plan: &[(usize, bool)]) -> Result<String, CliError> {
        let (mut edits, mut noise): (Vec<Edit>, Vec<String>) = (Vec::new(), Vec::new());
        for (cause, accepted) in plan {
            let places = self.review.causes[*cause].places.iter();
            for place in places.filter(|place| place.test == test) {
                match accepted {
                    true => edits.extend(place.edits.iter().cloned()),
                    false => noise.extend(place.noise()),
                }
            }
        }
        let (original, path) = (self.original(test)?, self.path(test)?);
        let Verdict { recording, number, .. } = self.verdict(test);
        Ok(self.project.amended((recording, *number, &path), &original, &edits, &noise)?)
    }

    /// What a cause would do to a file: before and after.
    pub(super) fn preview(&self, cause: &Cause, test: usize) -> Option<(String, String)> {
        let before = self.target(test, &self.decisions).ok()?;
        let mut decisions = self.decisions.clone();
        let (verb, cause) = (Verb::Accept, cause.key.clone());
        decisions.push(Decision { verb, cause, tests: vec![test] });
        Some((before, self.target(test, &decisions).ok()?))
    }

    /// The files that are not yet as decisions want them. One that is neither as it was nor as any
    /// earlier decision left it was changed by somebody else.
    fn replacements(&self, tests: &[usize], decisions: &[Decision]) -> Result<Replaced, CliError> {
        let mut replaced = Replaced::new();
        for test in tests {
            let path = self.path(*test)?;
            let target = self.target(*test, decisions)?;
            let current = read(&path)?;
            if current == target {
                continue;
            }
            let longest =
                if decisions.len() > self.decisions.len() { decisions } else { &self.decisions };
            let ours = (0..=longest.len())
                .rev()
                .any(|count| self.target(*test, &longest[..count]).is_ok_and(|it| it == current));
            if !ours {
                return Err(CliError::Wrong(format!(
                    "change {}: it was changed since the run; run `rehearsal test` again",
                    path.display()
                )));
            }
            let recording = self.verdict(*test).recording.clone();
            replaced.entry(recording).or_default().push((path, target.into_bytes()));
        }
        Ok(replaced)
    }

    fn write(&self, tests: &[usize], decisions: &[Decision]) -> Result<(), CliError> {
        for (recording, files) in self.replacements(tests, decisions)? {
            self.project.replace_files(&recording, &files)?;
        }
        Ok(())
    }
}

/// A test's file; one that is gone was removed since the run.
fn read(path: &Path) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => CliError::Wrong(format!(
            "change {}: it was removed since the run; run `rehearsal test` again",
            path.display()
        )),
        _ => CliError::io(format!("read {}", path.display()))(error),
    })
}

/// `1 test`, `2 tests`.
pub(super) fn tests(count: usize) -> String {
    crate::live::count(count as u64, "test")
}
