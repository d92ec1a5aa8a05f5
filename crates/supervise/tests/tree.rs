//! Real process trees: endings, daemons, orders, and what is left when we are killed.
//!
//! Its own main function, because the guard is this executable started again.

use rehearsal_supervise::{Ending, GUARD_WORD, Output, Program, SpawnError, guard, spawn};
use std::ffi::OsString;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::Pin;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The word by which this executable spawns an app and then waits to be killed.
const VICTIM_WORD: &str = "__victim";

type Test = fn() -> Pin<Box<dyn Future<Output = ()>>>;

static TESTS: &[(&str, Test)] = &[
    // The first: what we are given is what we have when the first app is spawned.
    ("the_app_keeps_its_limit_of_files", || Box::pin(the_app_keeps_its_limit_of_files())),
    ("an_ending_is_told", || Box::pin(an_ending_is_told())),
    ("a_missing_program_is_named", || Box::pin(a_missing_program_is_named())),
    ("output_is_kept", || Box::pin(output_is_kept())),
    #[cfg(target_os = "linux")]
    ("work_and_rest_are_told_apart", || Box::pin(work_and_rest_are_told_apart())),
    #[cfg(target_os = "linux")]
    ("a_daemon_is_the_app", || Box::pin(a_daemon_is_the_app())),
    ("a_stubborn_tree_is_killed", || Box::pin(a_stubborn_tree_is_killed())),
    ("stopping_lets_the_app_end_well", || Box::pin(stopping_lets_the_app_end_well())),
    ("nothing_is_left_when_we_are_killed", || Box::pin(nothing_is_left_when_we_are_killed())),
    ("nothing_is_left_when_we_are_killed_at_once", || Box::pin(nothing_is_left_at_once())),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(word) if word == GUARD_WORD => return guard(arguments.collect(), |_| Ok(())),
        Some(word) if word == VICTIM_WORD => return victim(arguments.collect()),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut out = std::io::stdout().lock();
    for (name, test) in TESTS {
        let began = Instant::now();
        runtime.block_on(async { test().await });
        writeln!(out, "test {name} ... ok ({:?})", began.elapsed()).unwrap();
    }
    writeln!(out, "test result: ok. {} passed; 0 failed", TESTS.len()).unwrap();
    ExitCode::SUCCESS
}

fn shell(line: &str) -> Program {
    let words = ["sh", "-c", line].map(OsString::from).to_vec();
    Program { words, output: Output::Keep, ..Program::default() }
}

/// The soft and the hard limit of open files.
fn limit_of_files() -> libc::rlimit {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live `rlimit`.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    limit
}

async fn the_app_keeps_its_limit_of_files() {
    let lower = libc::rlimit { rlim_cur: 123, ..limit_of_files() };
    // SAFETY: the pointer is to a live `rlimit`.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const lower) }, 0);
    for _ in 0..2 {
        let app = spawn(&shell("test $(ulimit -Sn) = 123"), None).await.unwrap();
        assert_eq!(app.ended().await, Ending::Code(0));
        assert_eq!(limit_of_files().rlim_cur, lower.rlim_max);
    }
}

async fn an_ending_is_told() {
    let ending = spawn(&shell("exit 42"), None).await.unwrap().ended().await;
    assert_eq!(ending, Ending::Code(42));
    let ending = spawn(&shell("kill -9 $$"), None).await.unwrap().ended().await;
    assert_eq!(ending.to_string(), "signal 9 (SIGKILL)");
}

async fn a_missing_program_is_named() {
    let program = Program { words: vec!["no-such-program".into()], ..Program::default() };
    let error = spawn(&program, None).await.unwrap_err();
    assert!(matches!(error, SpawnError::NotFound(_)), "{error}");
    let program = Program { words: vec!["/etc/passwd".into()], ..Program::default() };
    let error = spawn(&program, None).await.unwrap_err();
    assert!(matches!(error, SpawnError::Denied(_)), "{error}");
}

async fn output_is_kept() {
    let app = spawn(&shell("echo one; echo two >&2; exit 1"), None).await.unwrap();
    let tail = app.tail();
    app.ended().await;
    within("both lines are kept", || {
        let mut lines = tail.lines();
        lines.sort();
        lines == ["one", "two"]
    })
    .await;
}

/// Elsewhere nobody says what a process does.
#[cfg(target_os = "linux")]
async fn work_and_rest_are_told_apart() {
    let rests = spawn(&shell("sleep 1000 & wait"), None).await.unwrap();
    let works = shell("(setsid sh -c 'while :; do :; done' &) ; sleep 1000");
    let works = spawn(&works, None).await.unwrap();
    within("one rests and one works", || works.pulse().is_at_work() && !rests.pulse().is_at_work())
        .await;
    works.stop(Duration::from_secs(10)).await;
    rests.stop(Duration::from_secs(10)).await;
}

/// Elsewhere a process that leaves the app's group is lost.
#[cfg(target_os = "linux")]
async fn a_daemon_is_the_app() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let line = format!(
        "(setsid sh -c 'echo $$ > {}; while :; do sleep 1; done' &) ; exit 0",
        pid_file.display()
    );
    let app = spawn(&shell(&line), None).await.unwrap();
    within("the daemon wrote its number", || read_pid(&pid_file).is_some()).await;
    let daemon = read_pid(&pid_file).unwrap();
    assert_eq!(app.has_ended(), None, "the daemon still runs");
    app.stop(Duration::from_secs(10)).await;
    assert!(!alive(daemon));
}

async fn a_stubborn_tree_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let line = format!(
        "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $! > {}; wait; wait",
        pid_file.display()
    );
    let app = spawn(&shell(&line), None).await.unwrap();
    within("the child wrote its number", || read_pid(&pid_file).is_some()).await;
    let child = read_pid(&pid_file).unwrap();
    let ending = app.stop(Duration::from_millis(100)).await;
    assert_eq!(ending, Ending::Signal(9));
    assert!(!alive(child));
}

async fn stopping_lets_the_app_end_well() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let line =
        format!("trap 'exit 7' TERM; touch {}; while :; do sleep 0.05; done", ready.display());
    let app = spawn(&shell(&line), None).await.unwrap();
    within("the trap is set", || ready.exists()).await;
    assert_eq!(app.stop(Duration::from_secs(10)).await, Ending::Code(7));
}

/// Spawns an app with a grandchild and a folder to remove, says so, and waits to be killed.
fn victim(arguments: Vec<OsString>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let program = Program { remove: vec![arguments[1].clone().into()], ..shell("") };
        let line = arguments[0].to_str().unwrap();
        let program = Program { words: shell(line).words, ..program };
        let app = spawn(&program, None).await.unwrap();
        app.ended().await;
    });
    ExitCode::SUCCESS
}

async fn nothing_is_left_when_we_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let doomed = folder.path().join("doomed");
    std::fs::create_dir(&doomed).unwrap();
    let pid_file = folder.path().join("pid");
    let leave = if cfg!(target_os = "linux") { "setsid" } else { "" };
    let line = format!(
        "{leave} sh -c 'while :; do sleep 1; done' & echo $! > {}; wait",
        pid_file.display()
    );
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([OsString::from(VICTIM_WORD), line.into(), doomed.clone().into()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    within("the grandchild wrote its number", || read_pid(&pid_file).is_some()).await;
    let grandchild = read_pid(&pid_file).unwrap();
    assert!(alive(grandchild));
    victim.kill().unwrap();
    victim.wait().unwrap();
    within("the grandchild is gone", || !alive(grandchild)).await;
    within("the folder is gone", || !doomed.exists()).await;
}

/// Who started the guard is gone before it can say that the app runs.
async fn nothing_is_left_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let doomed = folder.path().join("doomed");
    std::fs::create_dir(&doomed).unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    // SAFETY: makes a copy of a descriptor, which the guard is given and nobody else knows.
    let line = unsafe { libc::dup(theirs.as_raw_fd()) };
    assert!(line >= 0);
    let words = [GUARD_WORD, &line.to_string(), "-", "1"].map(OsString::from);
    let mut guard = Command::new(std::env::current_exe().unwrap())
        .args(words)
        .args([doomed.as_os_str(), "sh".as_ref(), "-c".as_ref(), "sleep 1000 & wait".as_ref()])
        .spawn()
        .unwrap();
    // SAFETY: the copy is ours to close; the guard has its own.
    unsafe { libc::close(line) };
    let ended = tokio::task::spawn_blocking(move || guard.wait());
    let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
    assert!(ended.expect("within 20 s").unwrap().unwrap().success());
    assert!(!doomed.exists());
}

fn read_pid(path: &Path) -> Option<i32> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Waits for something that other processes do, which nothing else tells us of.
async fn within(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    while !holds() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        ticks.tick().await;
    }
}
