//! Real processes that never outlive their test, not even when it panics or is killed. Output goes to
//! files, so that nothing waits for a pipe that a stray grandchild holds.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running process with its process group. Dropping it kills the whole group.
pub struct Process {
    child: Child,
    pidfd: OwnedFd,
    folder: tempfile::TempDir,
    name: String,
}

/// How a process ended and all that it wrote.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The exit code; 128 plus the number of the signal that ended it.
    pub code: i32,
    /// What it wrote to standard output. Bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Process {
    /// Starts a command in a process group of its own.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn start(mut command: Command) -> Process {
        let name = format!("{command:?}");
        let folder = tempfile::tempdir().expect("no folder for the output of a process");
        let file = |name: &str| File::create(folder.path().join(name)).expect("no output file");
        command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr"));
        command.process_group(0);
        // SAFETY: prctl is async-signal-safe and takes no memory of ours.
        unsafe {
            command.pre_exec(|| {
                // When the test is killed, so is what it started.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let child = command.spawn().unwrap_or_else(|error| panic!("starting {name}: {error}"));
        // SAFETY: the child has not been waited for, so its id is its own; the call returns a new
        // descriptor or -1.
        let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id() as libc::pid_t, 0) };
        assert!(pidfd >= 0, "pidfd_open: {}", io::Error::last_os_error());
        // SAFETY: the descriptor is new and nobody else knows it.
        let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as i32) };
        Process { child, pidfd, folder, name }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the process alone.
    pub fn signal(&self, signal: i32) {
        // SAFETY: the child has not been waited for, so its id is its own.
        unsafe { libc::kill(self.child.id() as libc::pid_t, signal) };
    }

    /// Whether it ends within this time.
    #[must_use]
    pub fn ends_within(&self, limit: Duration) -> bool {
        let mut poll =
            libc::pollfd { fd: self.pidfd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: `poll` is one valid entry for the length of the call.
        unsafe { libc::poll(&raw mut poll, 1, limit.as_millis() as i32) > 0 }
    }

    /// Waits for something about this process: asks again and again until there is an answer.
    ///
    /// # Panics
    ///
    /// When the process ends first or the time is over, with all that it wrote.
    pub fn until<T>(&self, what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            let ended = self.ends_within(Duration::from_millis(2));
            assert!(
                !ended && began.elapsed() < limit,
                "{} {} while waiting for {what}\n{}",
                self.name,
                if ended { "ended" } else { "took too long" },
                self.written(),
            );
        }
    }

    /// What it wrote to standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.read("stdout")
    }

    /// What it wrote to standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.read("stderr")
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When it takes longer than this, with all that it wrote.
    #[must_use]
    pub fn wait(mut self, limit: Duration) -> Ended {
        assert!(
            self.ends_within(limit),
            "{} did not end within {limit:?}\n{}",
            self.name,
            self.written()
        );
        let status = self.child.wait().expect("waiting for a child");
        Ended { code: code(status), stdout: self.stdout(), stderr: self.stderr() }
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn written(&self) -> String {
        format!("--- stdout\n{}--- stderr\n{}", self.stdout(), self.stderr())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // SAFETY: the leader has not been waited for, so the group is still its own.
            unsafe { libc::kill(-(self.child.id() as libc::pid_t), libc::SIGKILL) };
            let _ = self.child.wait();
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Whether a process of this id exists and has not ended.
#[must_use]
pub fn alive(id: u32) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| {
        // The state is the first word after the name, which is in parentheses.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    })
}

/// The ids of living processes whose environment or command line holds this text.
#[must_use]
pub fn processes_mentioning(text: &str) -> Vec<u32> {
    let holds = |path: PathBuf| {
        fs::read(path)
            .is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    let entries = fs::read_dir("/proc").expect("no /proc");
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|&id| id != std::process::id() && alive(id))
        .filter(|id| {
            let folder = PathBuf::from(format!("/proc/{id}"));
            holds(folder.join("cmdline")) || holds(folder.join("environ"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        Process::start(command)
    }

    #[test]
    fn the_end_of_a_process_comes_with_its_output() {
        let ended = shell("echo out; echo err >&2; exit 7").wait(Duration::from_secs(10));
        assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (7, "out\n", "err\n"));
        let process = shell("kill -9 $$");
        assert_eq!(process.wait(Duration::from_secs(10)).code, 137);
    }

    #[test]
    fn nothing_is_left_when_a_process_is_dropped() {
        let process = shell("sleep 600 & echo $!; wait");
        let child: u32 = process.until("the id of a grandchild", Duration::from_secs(10), || {
            process.stdout().trim().parse().ok()
        });
        let parent = process.id();
        assert!(alive(parent) && alive(child));
        drop(process);
        assert!(!alive(parent));
        let began = Instant::now();
        while alive(child) {
            assert!(began.elapsed() < Duration::from_secs(10), "the grandchild lives on");
            std::thread::yield_now();
        }
    }
}
