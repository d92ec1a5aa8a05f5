//! Programs that a measurement starts, and the certainty that they end with it.
//!
//! Each is stopped by its own id when its handle is dropped, also after an error
//! and after Ctrl-C, which sets a flag instead of ending this process at once.

use anyhow::{Context as _, bail};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a program may take to listen or to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn interrupted(_signal: libc::c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// From here on, Ctrl-C and SIGTERM make [`check`] fail, so that everything started is stopped.
pub(crate) fn catch_interrupts() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let handler = interrupted as extern "C" fn(libc::c_int) as libc::sighandler_t;
        // SAFETY: the handler only stores to an atomic, which is allowed in a signal handler.
        unsafe { libc::signal(signal, handler) };
    }
}

/// # Errors
/// When somebody asked this process to end.
pub(crate) fn check() -> anyhow::Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}

/// Lets a moment pass before another program is asked again: it cannot tell us when it is ready.
pub(crate) fn moment(length: Duration) {
    std::thread::park_timeout(length);
}

/// A port that is free now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Started {
    child: Child,
    name: String,
    log: PathBuf,
    ended: bool,
}

/// How a program ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// From the request to end (or, without one, from the call) to the end.
    pub(crate) took: Duration,
    /// The highest resident memory that was seen, in bytes.
    pub(crate) peak_memory: u64,
}

impl Started {
    /// Starts a program; what it writes goes to `<folder>/<name>.log`.
    pub(crate) fn new(folder: &Path, name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = std::fs::File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // In a group of its own, so that Ctrl-C reaches it through us, in order.
        command.process_group(0);
        // SAFETY: between fork and exec, prctl is a plain system call.
        unsafe {
            command.pre_exec(|| {
                // When this process is killed, so is what it started.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
                Ok(())
            });
        }
        let child = command.spawn().with_context(|| format!("failed to start {name}"))?;
        Ok(Started { child, name: name.to_owned(), log, ended: false })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it accepts connections on a port.
    pub(crate) fn listening(&mut self, port: u16) -> anyhow::Result<()> {
        self.listening_asked_every(port, Duration::from_millis(5))
    }

    pub(crate) fn listening_asked_every(
        &mut self,
        port: u16,
        pause: Duration,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        while TcpStream::connect(loopback(port)).is_err() {
            check()?;
            if let Some(status) = self.child.try_wait()? {
                self.ended = true;
                bail!("{} ended before it listened: {status}\n{}", self.name, self.said());
            }
            if began.elapsed() > PATIENCE {
                bail!("{} does not listen on port {port}\n{}", self.name, self.said());
            }
            moment(pause);
        }
        Ok(())
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> io::Result<bool> {
        self.ended = self.ended || self.child.try_wait()?.is_some();
        Ok(!self.ended)
    }

    /// What it wrote, the last part of it.
    pub(crate) fn said(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let from = text.len().saturating_sub(4000);
        String::from_utf8_lossy(&text[from..]).into_owned()
    }

    /// The highest resident memory so far, in bytes.
    pub(crate) fn peak_memory(&self) -> io::Result<u64> {
        peak_memory(self.id())
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn end(mut self, signal: libc::c_int) -> anyhow::Result<Ended> {
        self.ask_to_end(signal);
        self.wait()
    }

    pub(crate) fn wait(&mut self) -> anyhow::Result<Ended> {
        let began = Instant::now();
        let mut peak_memory = 0;
        loop {
            // One that has ended has no memory any more, but still the status to be waited for.
            peak_memory = peak_memory.max(self.peak_memory().unwrap_or(0));
            if let Some(status) = self.child.try_wait()? {
                self.ended = true;
                return Ok(Ended { status, took: began.elapsed(), peak_memory });
            }
            check()?;
            if began.elapsed() > 2 * PATIENCE {
                bail!("{} does not end\n{}", self.name, self.said());
            }
            moment(Duration::from_millis(1));
        }
    }

    fn ask_to_end(&self, signal: libc::c_int) {
        let id = libc::pid_t::try_from(self.child.id()).unwrap_or(0);
        if id > 0 {
            // SAFETY: the child has not been waited for, so the id is still its own.
            unsafe { libc::kill(id, signal) };
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.ask_to_end(libc::SIGTERM);
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            match self.child.try_wait() {
                Ok(None) => moment(Duration::from_millis(5)),
                _ => return,
            }
        }
        // It does not end by itself; a failure means that it just did.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The highest resident memory of a process so far, in bytes (`VmHWM` of proc(5)).
pub(crate) fn peak_memory(id: u32) -> io::Result<u64> {
    memory(id, "VmHWM")
}

/// The resident memory of a process at present, in bytes (`VmRSS` of proc(5)).
pub(crate) fn resident_memory(id: u32) -> io::Result<u64> {
    memory(id, "VmRSS")
}

fn memory(id: u32, name: &str) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes
        .map(|kibibytes| kibibytes * 1024)
        .ok_or_else(|| io::Error::other(format!("process {id} has no {name}")))
}

/// The processor time that a process has taken so far, its children's not counted (proc(5), `stat`).
pub(crate) fn processor_time(id: u32) -> io::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The second field, the program's name, is in parentheses and may have spaces.
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    let ticks =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    let ticks: u64 = ticks.sum();
    // SAFETY: it only asks for a constant of the system.
    let second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    Ok(Duration::from_secs_f64(ticks as f64 / second as f64))
}

/// The processes below one that run the same program.
pub(crate) fn same_program_below(id: u32) -> Vec<u32> {
    let program = std::fs::read_link(format!("/proc/{id}/exe")).ok();
    let list = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    let children = list.unwrap_or_default();
    let ids = children.split_whitespace().filter_map(|id| id.parse().ok());
    ids.filter(|id: &u32| std::fs::read_link(format!("/proc/{id}/exe")).ok() == program).collect()
}
