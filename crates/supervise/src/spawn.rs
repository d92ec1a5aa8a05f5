//! Starting the app below a guard.

use crate::app::App;
use crate::message::News;
use crate::{GUARD_WORD, Output, SpawnError, Tail};
use crate::{limit, platform};
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::Receiver;

/// What to start, and how.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The program and its arguments.
    pub words: Vec<OsString>,
    /// Variables added to our own environment.
    pub env: Vec<(OsString, OsString)>,
    /// The folder to start it in; ours if absent.
    pub folder: Option<PathBuf>,
    /// Where its output goes.
    pub output: Output,
    /// Folders that are removed when all is over, also when we are killed.
    pub remove: Vec<PathBuf>,
    /// The executable that calls [`crate::guard`]; ours if absent.
    pub guard: Option<PathBuf>,
}

/// Starts the app. `hook` is a descriptor for the guard's [`crate::Hook`].
///
/// # Errors
/// When the program cannot be executed, or the guard not be started.
pub async fn spawn(program: &Program, hook: Option<RawFd>) -> Result<App, SpawnError> {
    let name = program.words.first().cloned().unwrap_or_default();
    if let Some(folder) = &program.folder {
        std::fs::metadata(folder)
            .map_err(|source| SpawnError::Folder { folder: folder.clone(), source })?;
    }
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(SpawnError::Guard)?;
    ours.set_nonblocking(true).map_err(SpawnError::Guard)?;
    let guard = command(program, theirs.as_raw_fd(), hook).and_then(|mut command| command.spawn());
    let mut guard = guard.map_err(SpawnError::Guard)?;
    drop(theirs);
    let tail = Tail::default();
    for pipe in [guard.stdout.take().map(Into::into), guard.stderr.take().map(Into::into)] {
        let Some(pipe): Option<std::os::fd::OwnedFd> = pipe else { continue };
        let pipe = Receiver::from_owned_fd(pipe).map_err(SpawnError::Guard)?;
        tokio::spawn(tail.clone().follow(pipe));
    }
    let line = UnixStream::from_std(ours).map_err(SpawnError::Guard)?;
    let (heard, told) = line.into_split();
    let mut heard = BufReader::new(heard).lines();
    let first = heard.next_line().await.map_err(SpawnError::Guard)?;
    match first.as_deref().and_then(News::parse) {
        Some(News::Started(pid)) => Ok(App::new(pid, guard, heard, told, tail)),
        Some(News::Failed(errno)) => {
            // It has nothing more to do and ends at once.
            let _ = guard.wait();
            Err(refused(name, io::Error::from_raw_os_error(errno)))
        }
        _ => {
            let _ = guard.wait();
            Err(SpawnError::Guard(io::Error::other("it ended before the app was started")))
        }
    }
}

fn refused(program: OsString, source: io::Error) -> SpawnError {
    match source.kind() {
        io::ErrorKind::NotFound => SpawnError::NotFound(program),
        io::ErrorKind::PermissionDenied => SpawnError::Denied(program),
        _ => SpawnError::Refused { program, source },
    }
}

fn command(program: &Program, line: RawFd, hook: Option<RawFd>) -> io::Result<Command> {
    let executable = match &program.guard {
        Some(guard) => guard.clone(),
        None => platform::executable()?,
    };
    let mut command = Command::new(executable);
    command.arg0("rehearsal-guard").arg(GUARD_WORD).arg(line.to_string());
    command.arg(hook.map_or_else(|| "-".to_owned(), |fd| fd.to_string()));
    // It is told of the folders before it has anything to remove: we may be killed at any moment.
    command.arg(program.remove.len().to_string()).args(&program.remove);
    command.args(&program.words);
    command.envs(program.env.iter().map(|(name, value)| (name, value)));
    if let Some(folder) = &program.folder {
        command.current_dir(folder);
    }
    // A process group in the background that reads from the terminal would be stopped.
    command.stdin(Stdio::null());
    if program.output == Output::Keep {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    let given = limit::take_all();
    let before_exec = move || {
        if let Some(given) = given {
            limit::set(given)?;
        }
        for fd in [Some(line), hook].into_iter().flatten() {
            // SAFETY: clears a flag of a descriptor of this process, a copy of ours.
            if unsafe { libc::fcntl(fd, libc::F_SETFD, 0) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: the closure makes async-signal-safe calls only.
    unsafe { command.pre_exec(before_exec) };
    Ok(command)
}
