//! Which test of another test runner a process of its tree works for.
//!
//! There are two ways in which a runner can tell: a variable in the environment that a process was
//! given when its program was started, for those that start a process for each test; and a file named
//! after the process, into which its tests write their names, for those that run many in one. What a
//! request itself says is for the protocols to know.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The variable that names a process's test.
pub const TEST_VARIABLE: &str = "REHEARSAL_TEST";
/// The variable that tells the runner the folder of the files.
pub const TESTS_VARIABLE: &str = "REHEARSAL_TESTS";
/// Bytes of a name that are read.
const LONGEST: u64 = 1024;
/// Parents that are asked: none has more.
const MOST_PARENTS: usize = 64;

/// A process that connects somewhere.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// Its own file.
    own: PathBuf,
    /// What its environment says.
    given: Option<String>,
    /// The files of its parents, the nearest first.
    parents: Vec<PathBuf>,
}

impl Caller {
    /// The process of a thread, as long as that waits. `tests` is the folder of the files.
    #[must_use]
    pub fn of(thread: i32, tests: &Path) -> Self {
        let (process, mut parent) = lineage(thread);
        let own = tests.join(process.to_string());
        let mut parents = Vec::new();
        while parent > 1 && parents.len() < MOST_PARENTS {
            parents.push(tests.join(parent.to_string()));
            parent = lineage(parent).1;
        }
        Caller { own, given: variable(thread), parents }
    }

    /// The test for which it works at this moment: what its file says counts before its environment,
    /// and that before the files of its parents. An empty file says that it works for none.
    #[must_use]
    pub fn test(&self) -> Option<String> {
        let of_parents = || self.parents.iter().find_map(|file| first_line(file));
        let name = first_line(&self.own).or_else(|| self.given.clone()).or_else(of_parents);
        name.filter(|name| !name.is_empty())
    }
}

/// The process of a thread and that one's parent; 0 for what is not there.
fn lineage(thread: i32) -> (i32, i32) {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    let number = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|line| line.trim().parse().ok()).unwrap_or(0)
    };
    (number("Tgid:"), number("PPid:"))
}

fn variable(thread: i32) -> Option<String> {
    let all = std::fs::read(format!("/proc/{thread}/environ")).ok()?;
    let mut each = all.split(|byte| *byte == 0);
    let key = TEST_VARIABLE.as_bytes();
    let value = each.find_map(|it| it.strip_prefix(key)?.strip_prefix(b"="))?;
    cleaned(value)
}

/// What a file says, if it is there.
fn first_line(path: &Path) -> Option<String> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(LONGEST).read_to_end(&mut text).ok()?;
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Some(cleaned(line).unwrap_or_default())
}

fn cleaned(name: &[u8]) -> Option<String> {
    let name = &name[..name.len().min(LONGEST as usize)];
    let name = String::from_utf8_lossy(name).trim().to_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    fn own() -> i32 {
        std::process::id().cast_signed()
    }

    #[test]
    fn a_file_names_the_test_of_its_process_and_of_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let mine = Caller::of(own(), folder.path());
        let theirs = Caller::of(child.id().cast_signed(), folder.path());
        assert_eq!((mine.test(), theirs.test()), (None, None));
        let say = |process: u32, name: &str| {
            std::fs::write(folder.path().join(process.to_string()), name).unwrap();
        };
        say(std::process::id(), "tests/a.py::test_x\n");
        assert_eq!(mine.test().as_deref(), Some("tests/a.py::test_x"));
        assert_eq!(theirs.test(), mine.test());
        say(child.id(), " its own ");
        assert_eq!(theirs.test().as_deref(), Some("its own"));
        say(std::process::id(), "");
        assert_eq!(mine.test(), None);
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn a_variable_names_the_test_of_a_process_until_a_file_does() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("cat");
        command.env(TEST_VARIABLE, "test_y").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A process has no variables yet when it is told that its program begins.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let caller = Caller::of(child.id().cast_signed(), folder.path());
        assert_eq!(caller.test().as_deref(), Some("test_y"));
        std::fs::write(folder.path().join(child.id().to_string()), "").unwrap();
        assert_eq!(caller.test(), None);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(Caller::of(0, folder.path()).test(), None);
    }
}
