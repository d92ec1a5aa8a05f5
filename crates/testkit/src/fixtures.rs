//! The sample shop in five languages and the services it calls: built once, started on free ports.
//! What they answer is described in `fixtures/README.md`.

use crate::process::Process;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// The built fixtures.
pub struct Fixtures {
    folder: PathBuf,
}

/// The fixtures, built at the first call into `fixtures` of the target folder in which the tested
/// program is.
///
/// # Panics
///
/// When a part cannot be built; the message names the tool that is missing.
pub fn fixtures(program: &Path) -> &'static Fixtures {
    static BUILT: OnceLock<Fixtures> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = program.parent().and_then(Path::parent).expect("a program in a target folder");
        let folder = target.join("fixtures");
        std::fs::create_dir_all(&folder).expect("no folder for the fixtures");
        // Two test programs at once build one after the other.
        let lock = File::create(folder.join(".lock")).expect("no lock file");
        lock.lock().expect("no lock");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/build.sh");
        let mut command = Command::new("bash");
        command.arg(script).arg("--target").arg(&folder);
        let built = Process::start(command).wait(Duration::from_secs(900));
        assert!(built.code == 0, "the fixtures cannot be built:\n{}", built.stderr);
        Fixtures { folder }
    })
}

impl Fixtures {
    /// The languages in which the shop exists.
    pub const SHOPS: [&str; 5] = ["go", "node", "python", "java", "rust"];

    /// The command that starts a shop.
    ///
    /// # Panics
    ///
    /// For a language in which there is none.
    #[must_use]
    pub fn shop(&self, language: &str) -> Vec<String> {
        let path = |name: &str| self.folder.join(name).display().to_string();
        match language {
            "go" => vec![path("shop-go")],
            "node" => vec!["node".to_owned(), path("shop.mjs")],
            "python" => vec!["python3".to_owned(), path("shop.py")],
            // The small heap and the simple compiler start fastest.
            "java" => ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"]
                .map(str::to_owned)
                .into_iter()
                .chain([path("java"), "Shop".to_owned()])
                .collect(),
            "rust" => vec![path("shop-rust")],
            other => panic!("there is no shop in {other:?}"),
        }
    }

    /// Starts the services that the shop calls on these ports of 127.0.0.1, and waits until they listen.
    #[must_use]
    pub fn services(&self, inventory: u16, payments: u16) -> Services {
        let mut command = Command::new(self.folder.join("services"));
        command.arg("--inventory").arg(format!("127.0.0.1:{inventory}"));
        command.arg("--payments").arg(format!("127.0.0.1:{payments}"));
        let process = Process::start(command);
        let ports = process.until("the services' ports", Duration::from_secs(30), || {
            let line = process.stdout();
            let ports: serde_json::Value = serde_json::from_str(line.strip_suffix('\n')?).ok()?;
            let port =
                |name: &str| ports.get(name)?.as_u64().and_then(|port| u16::try_from(port).ok());
            Some((port("inventory")?, port("payments")?))
        });
        Services { inventory: ports.0, payments: ports.1, _process: process }
    }
}

/// The running services; gone when dropped.
pub struct Services {
    /// The port of the inventory.
    pub inventory: u16,
    /// The port of the payment provider.
    pub payments: u16,
    _process: Process,
}
