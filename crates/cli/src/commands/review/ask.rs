//! Asks for each cause what is to become of it, by single keys.

use super::decisions::Verb;
use super::desk::{Desk, tests};
use super::draw::{Paint, rest, whole};
use super::keys::{Key, Keys};
use crate::error::CliError;
use rehearsal_compare::changes::Cause;
use rehearsal_report::{Look, visible};
use std::collections::HashSet;
use std::io::{self, Write};

const HELP: &str = "\
  a  accept: the tests expect it from now on, all those named
  i  ignore: the values at these paths may differ from now on
  r  reject: it is a mistake of the app, nothing is changed
  s  skip: ask again next time
  o  one test at a time
  t  list the tests
  u  undo the last decision
  q  quit; what was decided stays
";

/// Walks through the causes until each has an answer, or the user leaves.
pub(super) fn ask(desk: &mut Desk<'_>, look: Look) -> Result<(), CliError> {
    let paint = Paint(look.color);
    if desk.open_causes().is_empty() {
        let mut text = rest(desk);
        if text.is_empty() {
            "Nothing is left to review in this run.\n".clone_into(&mut text);
        }
        return say(&text);
    }
    let keys = Keys::open().map_err(CliError::io("read keys from the terminal"))?;
    let mut skipped: HashSet<(String, usize)> = HashSet::new();
    let mut single: HashSet<String> = HashSet::new();
    loop {
        let mut open = desk.open_causes();
        for cause in &mut open {
            cause.places.retain(|place| !skipped.contains(&(cause.key.clone(), place.test)));
            if single.contains(&cause.key) {
                cause.places.truncate(1);
            }
        }
        open.retain(|cause| !cause.places.is_empty());
        let Some(cause) = open.first() else { break };
        say(&format!("\n{} ", paint.put("2", &format!("{} left ·", open.len()))))?;
        say(&whole(desk, cause, paint, true))?;
        match answer(desk, cause, &keys, paint)? {
            Answer::Decide(verb) => {
                for problem in desk.decide(cause, verb)? {
                    say(&format!("  {} {}\n", paint.put("33", "!"), visible(&problem)))?;
                    let places = cause.places.iter().map(|it| (cause.key.clone(), it.test));
                    skipped.extend(places);
                }
                say(&format!("  {} in {}\n", verb.done(), tests(cause.tests())))?;
            }
            Answer::Skip => {
                skipped.extend(cause.places.iter().map(|it| (cause.key.clone(), it.test)));
            }
            Answer::Single => _ = single.insert(cause.key.clone()),
            Answer::Undo => match desk.undo() {
                Ok(what) => say(&format!("  undone: {}\n", visible(&what)))?,
                Err(error) => say(&format!("  failed to {error}\n"))?,
            },
            Answer::Quit => break,
        }
    }
    drop(keys);
    say(&format!("\n{}", rest(desk)))?;
    let open = desk.open_causes().len();
    let files = crate::live::count(desk.files() as u64, "file");
    say(&format!(
        "{files} changed, {} left. `rehearsal test` shows whether all is well; `rehearsal review --undo` \
         takes the last decision back.\n",
        crate::live::count(open as u64, "change"),
    ))
}

enum Answer {
    Decide(Verb),
    Skip,
    Single,
    Undo,
    Quit,
}

fn answer(desk: &Desk<'_>, cause: &Cause, keys: &Keys, paint: Paint) -> Result<Answer, CliError> {
    loop {
        let all = if cause.places.len() > 1 { " all" } else { "" };
        say(&paint.put(
            "36",
            &format!(
                "[a]ccept{all} [i]gnore [r]eject [s]kip [o]ne by one [t]ests [u]ndo [q]uit [?] "
            ),
        ))?;
        let key = keys.next();
        say("\n")?;
        return Ok(match key {
            Key::Letter('a') => Answer::Decide(Verb::Accept),
            Key::Letter('i') => Answer::Decide(Verb::Ignore),
            Key::Letter('r') => Answer::Decide(Verb::Reject),
            Key::Letter('s' | 'n' | ' ') => Answer::Skip,
            Key::Letter('o') => Answer::Single,
            Key::Letter('u') => Answer::Undo,
            Key::Letter('q') | Key::End => Answer::Quit,
            Key::Letter('t') => {
                for place in &cause.places {
                    let verdict = desk.verdict(place.test);
                    let file = visible(&verdict.file).into_owned();
                    say(&format!("  {} · {file}\n", visible(&verdict.name)))?;
                }
                continue;
            }
            Key::Letter(_) | Key::Other => {
                say(HELP)?;
                continue;
            }
        });
    }
}

fn say(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let said = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    said.map_err(CliError::io("write to the terminal"))
}
