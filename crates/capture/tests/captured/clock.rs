//! The wall clock of real programs: C, Go without a C library, Python, Node, Java, and what they start.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rehearsal_capture::{Clock, Mode, Shown, Strategy};

use crate::rig::{Outcome, Rig, Rules, compile, everywhere, python, shared_folder};

/// 2020-01-01T00:00:00Z.
const YEAR_2020: i64 = 1_577_836_800;
/// A program may take so long until it looks at the clock.
const SLOW: i64 = 60;

fn nanoseconds(seconds: i64) -> i64 {
    seconds * 1_000_000_000
}

fn run(shown: Shown, command: Command) -> Outcome {
    let clock = Clock::new().unwrap();
    clock.show(shown);
    let (mode, strategy) = (Mode::Replay, Strategy::Auto);
    Rig::with_clock(mode, strategy, Rules::default(), Some(clock), command).finish()
}

/// Every number in the output is a second from 2020-01-01 on.
#[track_caller]
fn in_2020(outcome: &Outcome, count: usize) {
    let words = outcome.succeeded().output.split_whitespace();
    let seconds: Vec<i64> = words.filter_map(|word| word.parse().ok()).collect();
    assert_eq!(seconds.len(), count, "{outcome:#?}");
    let good = |second: &i64| (YEAR_2020..YEAR_2020 + SLOW).contains(second);
    assert!(seconds.iter().all(good), "{outcome:#?}");
}

fn running() -> Shown {
    Shown::Running(nanoseconds(YEAR_2020))
}

#[test]
fn every_way_to_ask_and_to_wait_agrees() {
    everywhere("clock::every_way_to_ask_and_to_wait_agrees", |strategy| {
        if strategy != Strategy::PidfdGetfd {
            return;
        }
        let folder = shared_folder();
        let static_program = compile(include_str!("programs/clock.c"), folder.path());
        let dynamic = folder.path().join("dynamic");
        let source = folder.path().join("program.c");
        let built = Command::new("cc").arg("-o").args([&dynamic, &source]).arg("-pthread").status();
        assert!(built.unwrap().success());
        for program in [static_program, dynamic] {
            for year in [2020, 2035] {
                let second = YEAR_2020 + (year - 2020) * 365 * 86_400;
                let outcome = run(Shown::Running(nanoseconds(second)), Command::new(&program));
                check_c(&outcome, second);
            }
        }
    });
}

#[track_caller]
fn check_c(outcome: &Outcome, second: i64) {
    let output = &outcome.succeeded().output;
    let line = |word: &str| {
        let line = output.lines().find_map(|line| line.strip_prefix(word));
        line.unwrap_or_else(|| panic!("no {word}: {outcome:#?}")).trim().to_owned()
    };
    for way in [
        "gettime",
        "coarse",
        "timeofday",
        "time",
        "raw gettime",
        "raw timeofday",
        "raw time",
        "thread",
    ] {
        let said: i64 = line(&format!("{way} ")).parse().unwrap();
        assert!((second - 1..second + SLOW).contains(&said), "{way}: {outcome:#?}");
    }
    assert_eq!(line("bad "), format!("-1 {}", libc::EFAULT));
    assert_eq!(line("boot "), "real");
    for wait in ["condition", "semaphore", "sleep", "timer"] {
        assert_eq!(line(&format!("{wait} ")), "waited", "{outcome:#?}");
    }
}

#[test]
fn a_program_and_what_it_starts_agree() {
    let mut date = Command::new("date");
    date.arg("+%s");
    in_2020(&run(running(), date), 1);
    let script = "import subprocess, time; print(int(time.time())); \
                  subprocess.run(['sh', '-c', 'date +%s; exec date +%s'], check=True)";
    let mut command = python(script);
    // What was not written yet is not lost when the shell writes first.
    command.env("PYTHONUNBUFFERED", "1");
    in_2020(&run(running(), command), 3);
}

#[test]
fn a_fork_without_exec_agrees_and_is_set_too() {
    let script = "import os, sys, time\n\
                  child = os.fork()\n\
                  if child: os.wait(); sys.exit()\n\
                  print('ready', flush=True)\n\
                  deadline = time.monotonic() + 20\n\
                  while time.time() < 1700000000 and time.monotonic() < deadline: pass\n\
                  print(time.time() > 1700000000)";
    let folder = shared_folder();
    let clock = Clock::new().unwrap();
    clock.show(running());
    let mut command =
        python("import socket, os, sys, time\ns = socket.socket()\nexec(sys.argv[1])");
    let listening =
        script.replace("print('ready', flush=True)", "s.bind(('127.0.0.1', 0)); s.listen()");
    command.arg(listening).current_dir(folder.path());
    let given = Some(Arc::clone(&clock));
    let mut rig = Rig::with_clock(Mode::Replay, Strategy::Auto, Rules::default(), given, command);
    rig.wait_for("listening");
    clock.show(Shown::Running(nanoseconds(1_800_000_000)));
    let outcome = rig.finish();
    assert_eq!(outcome.succeeded().output, "True\n", "{outcome:#?}");
}

#[test]
fn a_standing_clock_stands() {
    let script = "import time\na = time.time()\nb = time.monotonic()\ntime.sleep(0.05)\n\
                  print(int(a), a == time.time(), time.monotonic() > b)";
    let outcome = run(Shown::Standing(nanoseconds(YEAR_2020)), python(script));
    assert_eq!(outcome.succeeded().output, format!("{YEAR_2020} True True\n"));
}

#[test]
fn the_real_time_is_the_real_time() {
    let outcome = run(Shown::Real, python("import time; print(time.time() > 1700000000)"));
    assert_eq!(outcome.succeeded().output, "True\n");
}

#[test]
fn go_agrees_without_a_c_library() {
    let folder = shared_folder();
    let program = build_go(folder.path());
    let outcome = run(running(), Command::new(program));
    in_2020(&outcome, 1);
    assert!(outcome.output.ends_with("true\n"), "{outcome:#?}");
}

fn build_go(folder: &Path) -> std::path::PathBuf {
    std::fs::write(folder.join("main.go"), include_str!("programs/clock.go")).unwrap();
    let program = folder.join("clock");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg("main.go").current_dir(folder);
    go.env("CGO_ENABLED", "0").env("GOCACHE", std::env::temp_dir().join("capture-test-go-cache"));
    assert!(go.status().unwrap().success());
    program
}

#[test]
fn node_agrees_in_its_workers_too() {
    let script = "const { Worker } = require('worker_threads');\
                  const say = 'console.log(Math.floor(Date.now() / 1000))';\
                  eval(say); new Worker(say, { eval: true });";
    let mut node = Command::new("node");
    node.args(["-e", script]);
    in_2020(&run(running(), node), 2);
}

#[test]
fn java_agrees_and_waits_until() {
    let folder = shared_folder();
    let source = "import java.util.concurrent.locks.LockSupport;\n\
        public class Clock { public static void main(String[] a) {\n\
        System.out.println(System.currentTimeMillis() / 1000);\n\
        System.out.println(java.time.Instant.now().getEpochSecond());\n\
        long since = System.nanoTime();\n\
        while (System.nanoTime() - since < 190_000_000L) {\n\
            LockSupport.parkUntil(System.currentTimeMillis() + 200);\n\
            if (System.nanoTime() - since < 150_000_000L) { System.out.println(\"early\"); break; }\n\
        }\n\
        System.out.println(System.nanoTime() - since < 5_000_000_000L); } }\n";
    let file = folder.path().join("Clock.java");
    std::fs::write(&file, source).unwrap();
    let mut java = Command::new("java");
    java.args(["-Xshare:auto", "-XX:TieredStopAtLevel=1"]).arg(file);
    let outcome = run(running(), java);
    in_2020(&outcome, 2);
    assert!(
        outcome.output.ends_with("\ntrue\n") && !outcome.output.contains("early"),
        "{outcome:#?}"
    );
}
