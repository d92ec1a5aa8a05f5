//! A sample shop with its services and a project of its own, for tests that are no data.

use rehearsal_testkit::{Client, Process, Project, Services, fixtures, free_port};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::time::Duration;

/// The user who may do nothing.
const NOBODY: u32 = 65_534;

pub(crate) struct Shop {
    pub(crate) project: Project,
    pub(crate) port: u16,
    command: Vec<String>,
    services: (u16, u16),
}

impl Shop {
    /// A shop in one language, not yet running.
    pub(crate) fn new(language: &str) -> Shop {
        let program = Path::new(env!("CARGO_BIN_EXE_rehearsal"));
        Shop::of(fixtures(program).shop(language))
    }

    /// Any app that listens on `PORT`.
    pub(crate) fn of(command: Vec<String>) -> Shop {
        let program = Path::new(env!("CARGO_BIN_EXE_rehearsal"));
        let mut project = Project::new(program);
        let (port, services) = (free_port(), (free_port(), free_port()));
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        project.env.insert("PORT".to_owned(), port.to_string());
        project.env.insert("INVENTORY_URL".to_owned(), url(services.0));
        project.env.insert("PAYMENTS_URL".to_owned(), url(services.1));
        Shop { project, port, command, services }
    }

    pub(crate) fn services(&self) -> Services {
        let program = Path::new(env!("CARGO_BIN_EXE_rehearsal"));
        fixtures(program).services(self.services.0, self.services.1)
    }

    /// Text in the environment of every process that belongs to this shop, and of no other.
    pub(crate) fn mark(&self) -> String {
        self.project.temporary().display().to_string()
    }

    /// Starts a recording and waits until the shop answers.
    pub(crate) fn record(&self, options: &[&str]) -> Process {
        let process = self.start_record(options);
        let listens = || Client::connect(self.port);
        process.until("the shop to listen", Duration::from_secs(60), listens);
        process
    }

    /// Starts a recording.
    pub(crate) fn start_record(&self, options: &[&str]) -> Process {
        let words =
            ["record", "--name", "shop", "--no-verify"].iter().chain(options).chain(&["--"]);
        let words = words.map(|word| (*word).to_owned()).chain(self.command.iter().cloned());
        self.project.start(words, &BTreeMap::new())
    }

    /// Runs everything as a user without privileges from here on. When we are one already, that is
    /// as we are. Programs are copied to where that user may read them.
    pub(crate) fn become_nobody(&mut self) {
        // SAFETY: asks for a number and touches nothing.
        if unsafe { libc::geteuid() } != 0 {
            return;
        }
        let root = self.project.root().to_owned();
        let copy = |from: &Path, name: &str| {
            let to = root.join(name);
            fs::copy(from, &to).expect("copying a program");
            fs::set_permissions(&to, Permissions::from_mode(0o755)).expect("making it executable");
            to
        };
        self.command[0] = copy(Path::new(&self.command[0]), "app").display().to_string();
        let program = copy(Path::new(env!("CARGO_BIN_EXE_rehearsal")), "rehearsal");
        self.project.hand_to(NOBODY, program);
        chown(&root, Some(NOBODY), Some(NOBODY)).expect("handing a folder over");
    }
}
