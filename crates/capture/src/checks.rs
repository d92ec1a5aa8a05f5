//! What `doctor` wants to know: whether capture works on this machine, and if
//! not, what stands in its way. Everything that can be tried is tried; versions
//! and settings only explain a failure. Changes nothing on the machine.

/// How a check went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing to do.
    Good,
    /// Capture works, with a limit.
    Limited,
    /// Capture does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it went.
    pub state: State,
    /// What was found.
    pub detail: String,
    /// What the user can do about it; empty if nothing has to be done.
    pub advice: &'static str,
}

const PROXY: &str = "use `--capture proxy` with explicit ports";

/// Looks at this machine. Takes some milliseconds; starts two short-lived child
/// processes on Linux.
#[cfg(target_os = "linux")]
pub fn checks() -> Vec<Check> {
    use crate::contract::Strategy;

    let by_duplicate = trial::run(Strategy::PidfdGetfd);
    let by_replacement = trial::run(Strategy::AddFd);
    let works = by_duplicate.is_ok() || by_replacement.is_ok();
    let mut checks = vec![
        kernel_version(works),
        Check {
            name: "capture",
            state: if works { State::Good } else { State::Bad },
            detail: match (&by_duplicate, &by_replacement) {
                (Ok(()), _) => "a connection of a child process was captured".to_owned(),
                (_, Ok(())) => "captured, by replacing the sockets of the child".to_owned(),
                (Err(error), Err(_)) => error.clone(),
            },
            advice: if works { "" } else { PROXY },
        },
        Check {
            name: "pidfd_getfd",
            state: if by_duplicate.is_ok() { State::Good } else { State::Limited },
            detail: match by_duplicate {
                Ok(()) => "allowed".to_owned(),
                // The child saw our own refusal of what is out of reach.
                Err(_) if works => "refused, as in a container without SYS_PTRACE".to_owned(),
                Err(error) => error,
            },
            advice: "",
        },
        Check {
            name: "socket replacement",
            state: if by_replacement.is_ok() { State::Good } else { State::Limited },
            detail: by_replacement.err().unwrap_or_else(|| "allowed".to_owned()),
            advice: "",
        },
    ];
    if checks[2].state == State::Limited && works {
        checks[2].advice = "socket options that the app sets before connecting are lost; in a \
                            container, add `--cap-add SYS_PTRACE` to keep them";
    }
    checks.push(clock());
    checks.push(ptrace_scope());
    checks.push(filters());
    checks.push(user());
    checks.push(container());
    checks
}

/// Looks at this machine.
#[cfg(not(target_os = "linux"))]
pub fn checks() -> Vec<Check> {
    vec![Check {
        name: "capture",
        state: State::Limited,
        detail: "capturing without configuration needs Linux".to_owned(),
        advice: PROXY,
    }]
}

#[cfg(target_os = "linux")]
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// `(major, minor)` of a release such as `6.1.0-13-amd64`.
#[cfg(target_os = "linux")]
fn release(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(target_os = "linux")]
fn kernel_version(works: bool) -> Check {
    let text = read("/proc/sys/kernel/osrelease");
    let (state, advice) = match release(&text) {
        Some(version) if version < (5, 9) && !works => {
            (State::Bad, "Linux 5.9 or newer is needed; use `--capture proxy` on this one")
        }
        Some(version) if version < (5, 19) => {
            (State::Limited, "from Linux 5.19 on, signals cannot interrupt a captured call")
        }
        _ => (State::Good, ""),
    };
    Check { name: "kernel", state, detail: format!("Linux {text}"), advice }
}

/// Whether the app can be shown the time at which a test was recorded.
#[cfg(target_os = "linux")]
fn clock() -> Check {
    let (state, detail, advice) = match crate::Clock::new() {
        Ok(_) => (State::Good, "can be set".to_owned(), ""),
        Err(error) => {
            let advice = "the app sees the real time while it is tested; `clock: real` says so";
            (State::Limited, format!("cannot be set: failed to {error}"), advice)
        }
    };
    Check { name: "clock", state, detail, advice }
}

#[cfg(target_os = "linux")]
fn ptrace_scope() -> Check {
    let scope = read("/proc/sys/kernel/yama/ptrace_scope");
    let (state, advice) = match scope.as_str() {
        "" | "0" => (State::Good, ""),
        "1" => (State::Good, "a daemon that detaches itself from the app may be out of reach"),
        _ => (State::Bad, "set kernel.yama.ptrace_scope to 1 or less, or use `--capture proxy`"),
    };
    let detail =
        if scope.is_empty() { "not restricted".to_owned() } else { format!("Yama {scope}") };
    Check { name: "ptrace scope", state, detail, advice }
}

/// Filters that we run under ourselves; the strictest answer wins over ours.
#[cfg(target_os = "linux")]
fn filters() -> Check {
    let status = read("/proc/self/status");
    let value = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.trim().to_owned())
    };
    let count = value("Seccomp_filters:").or_else(|| value("Seccomp:")).unwrap_or_default();
    let detail = match count.as_str() {
        "" => "this kernel has no system call filters".to_owned(),
        "0" => "none".to_owned(),
        count => format!("{count} on rehearsal itself, as in a container"),
    };
    Check { name: "system call filters", state: State::Good, detail, advice: "" }
}

#[cfg(target_os = "linux")]
fn user() -> Check {
    // SAFETY: the call takes nothing and cannot fail.
    let id = unsafe { libc::geteuid() };
    let detail = format!("user id {id}");
    let advice = "set-user-id programs such as sudo lose their rights under capture";
    Check { name: "user", state: State::Good, detail, advice }
}

#[cfg(target_os = "linux")]
fn container() -> Check {
    let hints = [("/.dockerenv", "Docker"), ("/run/.containerenv", "Podman")];
    let found = hints.iter().find(|(path, _)| std::path::Path::new(path).exists());
    let detail = match (found, std::env::var_os("KUBERNETES_SERVICE_HOST")) {
        (_, Some(_)) => "Kubernetes".to_owned(),
        (Some((_, name)), None) => (*name).to_owned(),
        (None, None) => "no sign of one".to_owned(),
    };
    Check { name: "container", state: State::Good, detail, advice: "" }
}

#[cfg(target_os = "linux")]
mod trial {
    //! Captures one connection of a forked child.

    use std::net::SocketAddr;
    use std::sync::Arc;

    use crate::contract::{BoxFuture, Mode, Options, Policy, Strategy, Verdict};
    use crate::endpoint::Endpoint;
    use crate::enter::enter;
    use crate::socket::Address;
    use crate::supervisor::prepare;

    struct TakeAll;

    impl Policy for TakeAll {
        fn connect(&self, _to: &Endpoint) -> BoxFuture<'_, Verdict> {
            Box::pin(async { Verdict::Redirect(Box::new(())) })
        }

        fn resolve(&self, _server: SocketAddr, _query: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>> {
            Box::pin(async { None })
        }

        fn datagram(&self, _to: SocketAddr) -> Result<(), i32> {
            Err(libc::EACCES)
        }
    }

    pub(super) fn run(strategy: Strategy) -> Result<(), String> {
        // A thread of its own, so that the caller may be inside a runtime.
        let trial = std::thread::spawn(move || try_one(strategy));
        trial.join().unwrap_or_else(|_| Err("the trial broke off".to_owned()))
    }

    fn try_one(strategy: Strategy) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let options = Options {
            mode: Mode::Replay,
            strategy,
            clock: None,
            runtime: runtime.handle().clone(),
        };
        // The notices are of no interest, but their receiver has to live.
        let (notices, _receiver) = tokio::sync::mpsc::unbounded_channel();
        let (pending, child_end) =
            prepare(options, Arc::new(TakeAll), notices).map_err(|error| error.to_string())?;
        // TEST-NET-1 of RFC 5737: nothing is there, so only capture can answer.
        let nowhere = Address::Inet(SocketAddr::from(([192, 0, 2, 1], 9))).to_bytes();
        // SAFETY: the child calls only what is allowed after a fork of a
        // process with threads, and ends without running destructors.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let errno = connect_in_child(child_end.fd(), &nowhere);
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(errno) }
        }
        drop(child_end);
        if child < 0 {
            return Err(format!("fork: {}", std::io::Error::last_os_error()));
        }
        let running = pending.start();
        let mut status = 0;
        // SAFETY: the child is ours and `status` is live.
        unsafe { libc::waitpid(child, &raw mut status, 0) };
        running.map_err(|error| error.to_string())?;
        match libc::WEXITSTATUS(status) {
            0 if libc::WIFEXITED(status) => Ok(()),
            errno => Err(std::io::Error::from_raw_os_error(errno).to_string()),
        }
    }

    /// Allocates nothing. Gives an error number that fits into an exit status.
    fn connect_in_child(fd: i32, to: &[u8]) -> i32 {
        let errno = |error: std::io::Error| error.raw_os_error().unwrap_or(libc::EIO) & 0xff;
        if let Err(error) = enter(fd) {
            return errno(error);
        }
        // SAFETY: the address is as long as we say; both calls are
        // async-signal-safe.
        let result = unsafe {
            let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
            libc::connect(socket, to.as_ptr().cast(), to.len() as libc::socklen_t)
        };
        if result == 0 { 0 } else { errno(std::io::Error::last_os_error()) }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn capture_works_where_the_tests_run() {
        let checks = checks();
        let bad: Vec<_> = checks.iter().filter(|check| check.state != State::Good).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        assert_eq!(checks[1].detail, "a connection of a child process was captured");
    }

    #[test]
    fn releases_are_read() {
        assert_eq!(release("6.1.0-13-amd64"), Some((6, 1)));
        assert_eq!(release("5.19"), Some((5, 19)));
        assert_eq!(release("x"), None);
    }
}
