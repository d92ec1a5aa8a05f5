//! The processes that have the app's clock, so that setting it is one write for each of them.
//!
//! Looking for processes takes a dozen calls for each of them and some more for each of their threads; most
//! apps have made none since the clock was set the last time. It does not look for them itself.

use super::hook::Setting;
use std::collections::HashMap;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

/// Processes that are remembered: each takes a descriptor.
const MOST: usize = 64;
/// The type of the file system whose files the kernel makes when they are read (statfs(2)): some containers
/// lay other files over them, which are behind the time.
const PROC_SUPER_MAGIC: u64 = 0x9fa0;

/// See the module.
#[derive(Debug)]
pub(super) struct Told {
    /// The memory of each, and where in it the setting is. What is open leads to the program that ran
    /// then: when that has ended or become another one, nothing can be written.
    processes: HashMap<i32, (File, u64)>,
    /// The newest number of a process when all of them were looked for.
    complete_at: Option<u64>,
    load: Option<File>,
}

impl Told {
    pub(super) fn new() -> Self {
        let load = File::open("/proc/loadavg").ok().filter(is_of_kernel);
        Told { processes: HashMap::new(), complete_at: None, load }
    }

    /// Sets the clock of all that are known. Says whether these are all there are.
    pub(super) fn tell_all(&mut self, setting: Setting) -> bool {
        let known = self.processes.len();
        self.processes.retain(|_, (memory, at)| write(memory, *at, setting));
        // Read after they were told: what they make from here on has the setting.
        let newest = self.newest();
        known == self.processes.len() && newest.is_some() && newest == self.complete_at
    }

    /// The newest number that a process or thread was given (proc_loadavg(5)): as long as it is the same,
    /// none was made.
    pub(super) fn newest(&self) -> Option<u64> {
        let mut text = [0; 128];
        let length = self.load.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(&text[..length]).ok()?;
        text.split_ascii_whitespace().nth(4)?.parse().ok().filter(|newest| *newest > 0)
    }

    pub(super) fn knows(&self, process: i32) -> bool {
        self.processes.contains_key(&process)
    }

    /// Sets the clock of a process, and remembers it if there is room.
    pub(super) fn tell(
        &mut self,
        process: i32,
        (memory, at): (File, u64),
        setting: Setting,
    ) -> bool {
        let room = self.processes.len() < MOST;
        if write(&memory, at, setting) && room {
            self.processes.insert(process, (memory, at));
        }
        room
    }

    /// Forgets a process that begins another program: what is known of it may be the memory of the process
    /// that made it, which they shared until then (vfork(2)).
    pub(super) fn begins(&mut self, process: i32) {
        self.processes.remove(&process);
        self.complete_at = None;
    }

    /// Notes that all were looked for when this was the newest number; none, when there may be others.
    pub(super) fn complete_at(&mut self, newest: Option<u64>) {
        self.complete_at = newest;
    }
}

fn write(memory: &File, at: u64, setting: Setting) -> bool {
    let words = [setting.mask.to_le_bytes(), setting.offset.to_le_bytes()].concat();
    memory.write_all_at(&words, at).is_ok()
}

fn is_of_kernel(file: &File) -> bool {
    // SAFETY: the structure is plain numbers, for which zero is a value.
    let mut about: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open and the pointer leads to a live local.
    let result = unsafe { libc::fstatfs(file.as_raw_fd(), &raw mut about) };
    result == 0 && about.f_type as u64 == PROC_SUPER_MAGIC
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::image::Plan;
    use crate::clock::wall;
    use std::time::{Duration, Instant};

    #[test]
    fn a_new_process_is_noticed() {
        let told = Told::new();
        let before = told.newest().unwrap();
        std::thread::spawn(|| ()).join().unwrap();
        assert_ne!(told.newest().unwrap(), before);
    }

    #[test]
    fn one_that_has_ended_is_forgotten() {
        let mut told = Told::new();
        // It ends when its input does, so also when the test fails.
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let process = i32::try_from(child.id()).unwrap();
        let setting = Setting { mask: -1, offset: 0 };
        // Who made it goes on a little before its program is in place.
        let deadline = Instant::now() + Duration::from_secs(60);
        let base = std::iter::repeat_with(|| wall::base(process).ok().flatten())
            .take_while(|_| Instant::now() < deadline)
            .inspect(|_| std::thread::yield_now())
            .find_map(|base| base);
        let at = base.unwrap() + Plan::new().unwrap().at;
        assert!(told.tell(process, (wall::writable(process).unwrap(), at), setting));
        told.tell_all(setting);
        assert!(told.knows(process));
        child.kill().unwrap();
        child.wait().unwrap();
        told.complete_at(told.newest());
        assert!(!told.tell_all(setting));
        assert!(!told.knows(process));
    }
}
