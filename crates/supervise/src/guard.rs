//! The process between us and the app: the parent of the whole tree, which outlives neither.
//!
//! It is our executable started again, single-threaded, and does nothing but start the app, reap,
//! pass on orders and, when the line to us breaks, end everything.

use crate::message::{News, Order};
use crate::platform::{self, Deaths};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// The first argument by which our executable knows that it shall be a guard.
pub const GUARD_WORD: &str = "__guard";

/// What the app's process does between its birth and its program, with the descriptor given to
/// [`crate::spawn`]. It must be async-signal-safe.
pub type Hook = fn(RawFd) -> io::Result<()>;

/// How long the guard waits for processes that it has killed before it looks for more, in
/// milliseconds.
const KILL_ROUND: i32 = 20;

/// The main function of a guard. `arguments` are those after [`GUARD_WORD`]: the descriptor of the
/// line to us, that for the hook or `-`, the number of folders to remove when all is over, these, and
/// the app's command.
#[must_use]
pub fn guard(arguments: Vec<OsString>, hook: Hook) -> ExitCode {
    match Guard::begin(arguments, hook) {
        Some(mut guard) => {
            guard.watch();
            guard.end();
            ExitCode::SUCCESS
        }
        None => ExitCode::FAILURE,
    }
}

struct Guard {
    line: UnixStream,
    deaths: Deaths,
    app: i32,
    app_ended: bool,
    childless: bool,
    gone: bool,
    heard: Vec<u8>,
    remove: Vec<PathBuf>,
}

impl Guard {
    fn begin(arguments: Vec<OsString>, hook: Hook) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let line: RawFd = arguments.next()?.to_str()?.parse().ok()?;
        let hook_fd: Option<RawFd> = arguments.next()?.to_str()?.parse().ok();
        let folders: usize = arguments.next()?.to_str()?.parse().ok()?;
        let remove: Vec<PathBuf> = arguments.by_ref().take(folders).map(PathBuf::from).collect();
        let program = arguments.next()?;
        // SAFETY: the descriptor was made for us by `spawn` and nobody else here knows it.
        let mut line = unsafe { UnixStream::from_raw_fd(line) };
        platform::adopt_orphans();
        // SAFETY: changes an attribute of this process only.
        unsafe { libc::setpgid(0, 0) };
        let deaths = Deaths::watch().ok()?;
        close_on_exec(line.as_raw_fd());
        match start(program, arguments.collect(), hook_fd, hook) {
            Ok(app) => {
                let (app_ended, childless, gone) = (false, false, false);
                let heard = Vec::new();
                let mut guard =
                    Guard { line, deaths, app, app_ended, childless, gone, heard, remove };
                guard.tell(News::Started(app));
                Some(guard)
            }
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                let _ = line.write_all(News::Failed(errno).to_line().as_bytes());
                remove_all(&remove);
                None
            }
        }
    }

    /// Until the line to us breaks.
    fn watch(&mut self) {
        loop {
            let (heard, died) = self.poll(self.patience());
            if died || self.awaits_strays() {
                self.reap();
            }
            if heard && !self.hear() {
                return;
            }
        }
    }

    /// Whether only such processes are left whose end is not heard of.
    fn awaits_strays(&self) -> bool {
        self.childless && !self.gone
    }

    /// How long to wait before looking again, in milliseconds; negative is for ever.
    fn patience(&self) -> i32 {
        if self.awaits_strays() { platform::LOOK_EVERY } else { -1 }
    }

    /// Waits for the line or a dead child; says which.
    fn poll(&self, timeout: i32) -> (bool, bool) {
        let wanted = |fd: RawFd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut polled = [wanted(self.line.as_raw_fd()), wanted(self.deaths.fd())];
        // SAFETY: the array has the two entries that the call is told of.
        unsafe { libc::poll(polled.as_mut_ptr(), 2, timeout) };
        (polled[0].revents != 0, polled[1].revents != 0)
    }

    /// Reads orders. False when the line is broken.
    fn hear(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.line.read(&mut buffer) {
            Ok(0) => return false,
            Ok(length) => self.heard.extend_from_slice(&buffer[..length]),
            Err(error) => return error.kind() == io::ErrorKind::Interrupted,
        }
        while let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.heard.drain(..=end).collect();
            match Order::parse(String::from_utf8_lossy(&line).trim_end()) {
                Some(Order::Terminate) => self.signal(libc::SIGTERM),
                Some(Order::Kill) => self.signal(libc::SIGKILL),
                None => {}
            }
        }
        true
    }

    fn signal(&self, signal: i32) {
        platform::signal(self.app, signal);
    }

    /// Takes the statuses of dead children, of adopted ones too.
    fn reap(&mut self) {
        drain(self.deaths.fd());
        loop {
            let mut status = 0;
            // SAFETY: `status` is valid for the call to write to.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
            match pid {
                0 => return,
                -1 => {
                    self.childless = true;
                    if !self.gone && !platform::has_strays(self.app) {
                        self.gone = true;
                        self.tell(News::Gone);
                    }
                    return;
                }
                pid if pid == self.app && !self.app_ended => {
                    self.app_ended = true;
                    self.tell(News::Ended(status));
                }
                _ => {}
            }
        }
    }

    fn tell(&mut self, news: News) {
        // When nobody hears it, the next read of the line says so.
        let _ = self.line.write_all(news.to_line().as_bytes());
    }

    /// Ends the tree and removes what was to be removed.
    fn end(&mut self) {
        self.reap();
        while !self.gone {
            self.signal(libc::SIGKILL);
            self.poll_children(KILL_ROUND);
            self.reap();
        }
        remove_all(&self.remove);
    }

    fn poll_children(&self, timeout: i32) {
        let mut polled = libc::pollfd { fd: self.deaths.fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry, as the call is told.
        unsafe { libc::poll(&raw mut polled, 1, timeout) };
    }
}

/// What cannot be removed has nobody left who could be told.
fn remove_all(folders: &[PathBuf]) {
    for folder in folders {
        let _ = std::fs::remove_dir_all(folder);
    }
}

fn drain(deaths: RawFd) {
    let mut buffer = [0u8; 1024];
    // SAFETY: the buffer is as long as the call is told; the descriptor does not block.
    while unsafe { libc::read(deaths, buffer.as_mut_ptr().cast(), buffer.len()) } > 0 {}
}

fn close_on_exec(fd: RawFd) {
    // SAFETY: sets a flag of a descriptor.
    unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
}

fn start(
    program: OsString,
    arguments: Vec<OsString>,
    hook_fd: Option<RawFd>,
    hook: Hook,
) -> io::Result<i32> {
    let mut command = Command::new(program);
    command.args(arguments);
    let before_exec = move || {
        // SAFETY: a plain system call on this process, allowed between fork and exec.
        unsafe { libc::setpgid(0, 0) };
        platform::die_with_parent();
        hook_fd.map_or(Ok(()), hook)
    };
    // SAFETY: the closure makes async-signal-safe calls only, as `Hook` asks of the hook too.
    unsafe { command.pre_exec(before_exec) };
    let child = command.spawn();
    if let Some(fd) = hook_fd {
        // SAFETY: it was made for the app, which has it; nobody else here knows it.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
    Ok(child?.id().cast_signed())
}
