//! The product, run as its users run it, in a project folder of its own with a small environment.

use crate::process::{Ended, Process};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long a command may take: far more than any needs on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// A project in a temporary folder, gone when dropped.
pub struct Project {
    folder: tempfile::TempDir,
    program: PathBuf,
    /// What every command and so every app finds in its environment, beside `PATH`.
    pub env: BTreeMap<String, String>,
    user: Option<u32>,
}

impl Project {
    /// An empty project, for which `program` is run.
    ///
    /// # Panics
    ///
    /// When there is no room for a temporary folder.
    #[must_use]
    pub fn new(program: &Path) -> Project {
        let folder = tempfile::tempdir().expect("no folder for a project");
        for part in ["project", "home", "tmp"] {
            fs::create_dir(folder.path().join(part)).expect("no folder for a project");
        }
        Project { folder, program: program.to_owned(), env: BTreeMap::new(), user: None }
    }

    /// The project's folder.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// The folder that commands are told to use for temporary files.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// The folder that holds all of the others.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Makes the project another user's: from here on commands run as this user and group, by a copy
    /// of the program that they may read.
    ///
    /// # Panics
    ///
    /// When we may not do that.
    pub fn hand_to(&mut self, user: u32, program: PathBuf) {
        let folders = ["", "project", "home", "tmp"];
        for folder in folders.map(|folder| self.folder.path().join(folder)) {
            std::os::unix::fs::chown(folder, Some(user), Some(user))
                .expect("handing a folder over");
        }
        (self.user, self.program) = (Some(user), program);
    }

    /// Starts a command of the product in the project's folder.
    #[must_use]
    pub fn start<I, S>(&self, words: I, env: &BTreeMap<String, String>) -> Process
    where
        I: IntoIterator<Item = S>,
        S: AsRef<std::ffi::OsStr>,
    {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(self.folder()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path().join("home")).env("TMPDIR", self.temporary());
        command.envs(&self.env).envs(env);
        if let Some(user) = self.user {
            use std::os::unix::process::CommandExt;
            command.uid(user).gid(user);
        }
        Process::start(command)
    }

    /// Runs a command of the product to its end.
    #[must_use]
    pub fn run<I, S>(&self, words: I, env: &BTreeMap<String, String>) -> Ended
    where
        I: IntoIterator<Item = S>,
        S: AsRef<std::ffi::OsStr>,
    {
        self.start(words, env).wait(LIMIT)
    }

    /// Ends a recording as Ctrl-C does, and waits for it.
    #[must_use]
    pub fn interrupt(&self, process: Process) -> Ended {
        process.signal(libc::SIGINT);
        process.wait(LIMIT)
    }
}
