//! Plays the end-to-end cases of `tests/cases`: each folder is a case, its `case.json` says what is done
//! with a real app and the real product, and what must come of it. `tests/cases/README.md` describes
//! the format. What cannot be said as data is in the other files beside this folder.

mod case;
mod http;
mod play;
mod recording;
mod replay;
mod spread;
mod words;

use case::Case;
use std::collections::VecDeque;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// How many cases play at once: they mostly wait for programs to start.
const AT_ONCE: usize = 3;

/// Where cases are: those of what apps call by themselves.
fn folders() -> [PathBuf; 2] {
    ["cases", "deps"]
        .map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests").join(name))
}

/// Every case with its folder, by name.
fn cases() -> Vec<(String, PathBuf)> {
    let entries = folders().map(|folder| std::fs::read_dir(folder).expect("no folder of cases"));
    let mut cases: Vec<(String, PathBuf)> = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("reading the folder of cases").path())
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path))
        .collect();
    cases.sort();
    cases
}

fn read(folder: &Path) -> Result<Case, String> {
    let path = folder.join("case.json");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

#[test]
fn every_folder_is_a_case_and_says_what_it_expects() {
    let cases = cases();
    assert!(!cases.is_empty(), "there are no cases in {:?}", folders());
    for (name, folder) in cases {
        let case = read(&folder).unwrap_or_else(|error| panic!("{error}"));
        assert!(!case.what.is_empty(), "{name} does not say what it is for");
        assert!(!case.steps.is_empty(), "{name} does nothing");
        for shop in &case.shops {
            assert!(rehearsal_testkit::Fixtures::SHOPS.contains(&shop.as_str()), "{name}: {shop}");
        }
    }
}

#[test]
fn a_key_that_nobody_knows_is_an_error() {
    let check = |text: &str, known: bool| {
        assert_eq!(serde_json::from_str::<Case>(text).is_ok(), known, "{text}");
    };
    check(r#"{"what": "x", "steps": [{"test": {"expect": {"exit": 0}}}]}"#, true);
    check(r#"{"what": "x", "steps": [], "app": "go"}"#, false);
    check(r#"{"what": "x", "steps": [{"test": {"expect": {"exits": 0}}}]}"#, false);
    check(r#"{"what": "x", "steps": [{"record": {"traffic": [{"sent": "GET /"}]}}]}"#, false);
    check(r#"{"what": "x", "steps": [{"try": {}}]}"#, false);
}

/// Plays all cases, or those whose name holds the text of `CASE`.
#[test]
fn every_case_comes_out_as_it_says() {
    let wanted = std::env::var("CASE").unwrap_or_default();
    let mut jobs = VecDeque::new();
    for (name, folder) in cases() {
        let case = read(&folder).unwrap_or_else(|error| panic!("{error}"));
        let shops =
            if case.shops.is_empty() { vec![None] } else { case.shops.iter().map(Some).collect() };
        for shop in shops {
            let title = shop.map_or_else(|| name.clone(), |shop| format!("{name} ({shop})"));
            if title.contains(&wanted) {
                jobs.push_back((title, folder.clone(), case.clone(), shop.cloned()));
            }
        }
    }
    assert!(!jobs.is_empty(), "no case holds {wanted:?} in its name");
    let count = jobs.len();
    let (jobs, failed) = (Mutex::new(jobs), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let job = jobs.lock().expect("the list of cases").pop_front();
                    let Some((title, folder, case, shop)) = job else { break };
                    let began = Instant::now();
                    let played = catch_unwind(AssertUnwindSafe(|| {
                        play::play(&case, &folder, shop.as_deref())
                    }));
                    let verdict = if played.is_ok() { "ok" } else { "FAILED" };
                    let took = began.elapsed().as_secs_f64();
                    let _ = writeln!(std::io::stdout(), "{title} … {verdict} in {took:.1} s");
                    if let Err(panic) = played {
                        failed
                            .lock()
                            .expect("the failures")
                            .push(format!("{title}: {}", said(&*panic)));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("the failures");
    assert!(
        failed.is_empty(),
        "{} of {count} cases failed\n\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words")
}
