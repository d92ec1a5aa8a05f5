//! The wall clock as each language reads it: in its own threads and in what it starts, for an ordinary user too.
//!
//! How the ways to ask and to wait agree is in `clock`.

use std::path::{Path, PathBuf};
use std::process::Command;

use rehearsal_capture::{Clock, Mode, Shown, Strategy};

use crate::rig::{Outcome, Rig, Rules, compile, everywhere_with, python, shared_folder};

/// 2020-01-01T00:00:00Z.
const YEAR_2020: i64 = 1_577_836_800;
/// A program may take so long until it looks at the clock.
const SLOW: i64 = 120;

fn run(shown: Shown, command: Command) -> Outcome {
    let clock = Clock::new().unwrap();
    clock.show(shown);
    let (mode, strategy) = (Mode::Replay, Strategy::Auto);
    Rig::with_clock(mode, strategy, Rules::default(), Some(clock), command).finish()
}

fn in_2020(command: Command) -> Outcome {
    run(Shown::Running(YEAR_2020 * 1_000_000_000), command)
}

/// The program prints so many seconds, all from 2020-01-01 on.
#[track_caller]
fn says(what: &str, command: Command, count: usize) {
    let outcome = in_2020(command);
    let words = outcome.succeeded().output.split_whitespace();
    let seconds: Vec<i64> = words.filter_map(|word| word.parse().ok()).collect();
    assert_eq!(seconds.len(), count, "{what}: {outcome:#?}");
    let good = |second: &i64| (YEAR_2020..YEAR_2020 + SLOW).contains(second);
    assert!(seconds.iter().all(good), "{what}: {outcome:#?}");
}

/// The programs that are compiled, by whoever may use the compilers.
fn build(folder: &Path) {
    let go = "package main\nimport (\"fmt\"; \"os\"; \"os/exec\"; \"runtime\"; \"time\")\n\
        func main() { fmt.Println(time.Now().Unix()); done := make(chan bool)\n\
        go func() { runtime.LockOSThread(); fmt.Println(time.Now().Unix()); done <- true }(); <-done\n\
        date := exec.Command(\"date\", \"+%s\"); date.Stdout = os.Stdout\n\
        if err := date.Run(); err != nil { panic(err) } }\n";
    std::fs::write(folder.join("main.go"), go).unwrap();
    let cache = std::env::temp_dir().join("capture-test-go-cache");
    let mut build = Command::new("go");
    build.args(["build", "-o", "go", "main.go"]).current_dir(folder).env("CGO_ENABLED", "0");
    assert!(build.env("GOCACHE", cache).status().unwrap().success());
    let rust = "use std::time::{SystemTime, UNIX_EPOCH};\n\
        fn now() -> u64 { SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() }\n\
        fn main() { println!(\"{}\", now());\n\
        std::thread::spawn(|| println!(\"{}\", now())).join().unwrap();\n\
        assert!(std::process::Command::new(\"date\").arg(\"+%s\").status().unwrap().success()); }\n";
    std::fs::write(folder.join("main.rs"), rust).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut build = Command::new(rustc);
    build.args(["-o", "rust", "main.rs"]).current_dir(folder);
    assert!(build.status().unwrap().success());
    let java = "public class Clock { public static void main(String[] a) throws Exception {\n\
        Runnable say = () -> System.out.println(System.currentTimeMillis() / 1000);\n\
        say.run(); Thread thread = new Thread(say); thread.start(); thread.join();\n\
        System.exit(new ProcessBuilder(\"date\", \"+%s\").inheritIO().start().waitFor()); } }\n";
    std::fs::write(folder.join("Clock.java"), java).unwrap();
    let mut build = Command::new("javac");
    build.arg("Clock.java").current_dir(folder);
    assert!(build.status().unwrap().success());
}

fn command(program: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words);
    command
}

#[test]
fn every_language_agrees_in_threads_and_in_what_it_starts() {
    let folder = shared_folder();
    let name = "languages::every_language_agrees_in_threads_and_in_what_it_starts";
    everywhere_with(name, folder.path(), build, |strategy, folder: &PathBuf| {
        if strategy != Strategy::PidfdGetfd {
            return;
        }
        says("date", command("date", &["+%s"]), 1);
        let script = "import os, subprocess, threading, time\n\
            def say(): print(int(time.time()), flush=True)\n\
            say(); thread = threading.Thread(target=say); thread.start(); thread.join()\n\
            subprocess.run(['date', '+%s'], check=True)\n\
            child = os.fork()\n\
            if child: os.waitpid(child, 0)\n\
            else: say()";
        says("python", python(script), 4);
        let script = "const say = 'console.log(Math.floor(Date.now() / 1000))'; eval(say);\
            const { Worker } = require('worker_threads'); new Worker(say, { eval: true });\
            process.stdout.write(require('child_process').execFileSync('date', ['+%s']));";
        says("node", command("node", &["-e", script]), 3);
        // Its threads are not in what Debian ships.
        let script = "echo time(), \"\\n\", (new DateTime())->getTimestamp(), \"\\n\";\
            passthru('date +%s', $code); exit($code);";
        says("php", command("php", &["-n", "-r", script]), 3);
        let script = "$stdout.sync = true; say = -> { puts Time.now.to_i }; say.call;\
            Thread.new(&say).join; system('date', '+%s', exception: true);\
            Process.wait(fork(&say)); puts Process.clock_gettime(Process::CLOCK_REALTIME).to_i";
        says("ruby", command("ruby", &["-e", script]), 5);
        says("go", Command::new(folder.join("go")), 3);
        says("rust", Command::new(folder.join("rust")), 3);
        let mut java = command("java", &["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp"]);
        java.arg(folder).arg("Clock");
        says("java", java, 3);
    });
}

#[test]
fn a_thousand_children_agree() {
    let program = "#include <stdio.h>\n#include <stdlib.h>\n#include <sys/wait.h>\n#include <time.h>\n#include <unistd.h>\n\
        int main(void) { int good = 0; for (int i = 0; i < 1000; i++) { pid_t child = fork();\n\
        if (child == 0) _exit(time(NULL) / 31000000 == 50 ? 0 : 1);\n\
        if (child < 0) return 2;\n\
        int status; if (waitpid(child, &status, 0) == child && status == 0) good++; }\n\
        printf(\"%d\\n\", good); return 0; }\n";
    let folder = shared_folder();
    let outcome = in_2020(Command::new(compile(program, folder.path())));
    assert_eq!(outcome.succeeded().output, "1000\n", "{outcome:#?}");
}

#[test]
fn a_program_that_reads_its_own_time_functions_finds_them_whole() {
    let folder = shared_folder();
    let outcome = in_2020(Command::new(compile(include_str!("programs/vdso.c"), folder.path())));
    let said = &outcome.succeeded().output;
    assert!(said.starts_with("whole\n"), "{outcome:#?}");
    let second: i64 = said.lines().nth(1).unwrap().parse().unwrap();
    assert!((YEAR_2020..YEAR_2020 + SLOW).contains(&second), "{outcome:#?}");
}

#[test]
fn an_app_cannot_set_the_clock_of_the_machine() {
    let script = "import time\n\
        before = time.time()\n\
        try: time.clock_settime(time.CLOCK_REALTIME, 1000000000)\n\
        except PermissionError: print('refused')\n\
        print(0 <= time.time() - before < 60)";
    let outcome = in_2020(python(script));
    assert_eq!(outcome.succeeded().output, "refused\nTrue\n", "{outcome:#?}");
    let date = command("date", &["-s", "2001-09-09"]);
    assert!(!in_2020(date).status.success());
}
