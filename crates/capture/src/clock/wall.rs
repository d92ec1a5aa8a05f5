//! The wall clock of the processes of one app: what it shows, and how each process is told.

use super::hook::Setting;
use super::image::Plan;
use super::told::Told;
use super::{ClockError, Shown};
use crate::memory;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Type of the entry that says where the time functions are (getauxval(3)).
const AT_SYSINFO_EHDR: u64 = 33;
/// Processes that are looked at when the clock is set.
const MAX_PROCESSES: usize = 10_000;

/// Numbers the clocks of this process, so that one does not set the apps of another.
static OWNERS: AtomicU64 = AtomicU64::new(1);

/// The wall clock of an app, of all its processes, those that come included.
#[derive(Debug)]
pub struct Clock {
    plan: Plan,
    owner: u64,
    setting: Mutex<Setting>,
    /// Taken after `setting`.
    told: Mutex<Told>,
    pub(super) deadlines: Mutex<HashMap<(i32, u64), [i64; 2]>>,
}

impl Clock {
    /// A clock that shows the real time until it is set.
    ///
    /// # Errors
    /// When the kernel's time functions are not of the form that is known, may not be written to, or
    /// its tables of processes are not there.
    pub fn new() -> Result<Arc<Self>, ClockError> {
        let because = |what| move |source| ClockError::Io { what, source };
        children(own()).map_err(because("list processes"))?;
        let plan = Plan::new()?;
        try_out(&plan).map_err(because("write to the time functions"))?;
        Ok(Arc::new(Clock {
            plan,
            owner: OWNERS.fetch_add(1, Ordering::Relaxed) ^ (u64::from(std::process::id()) << 32),
            setting: Mutex::new(Setting { mask: -1, offset: 0 }),
            told: Mutex::new(Told::new()),
            deadlines: Mutex::default(),
        }))
    }

    /// Sets the clock of every process of the app. One that waits until a time of day goes on
    /// waiting as long as it was going to.
    pub fn show(&self, shown: Shown) {
        let mut setting = crate::lock(&self.setting);
        *setting = match shown {
            Shown::Real => Setting { mask: -1, offset: 0 },
            Shown::Running(time) => Setting { mask: -1, offset: time - real() },
            Shown::Standing(time) => Setting { mask: 0, offset: time },
        };
        // A process is told before its children are looked for: one that it makes in between has
        // what it was told.
        let mut told = crate::lock(&self.told);
        if told.tell_all(*setting) {
            return;
        }
        let newest = told.newest();
        let mut all = true;
        let mut processes = vec![own()];
        let mut next = 0;
        while let Some(process) = processes.get(next).copied() {
            next += 1;
            if process != own() && !told.knows(process) {
                all &= self.tell(process, *setting, &mut told);
            }
            if processes.len() < MAX_PROCESSES {
                processes.extend(children(process).unwrap_or_default());
            }
        }
        told.complete_at(newest.filter(|_| all && processes.len() < MAX_PROCESSES));
    }

    /// What the clock shows at a real time.
    pub(super) fn shown(&self, real: i64) -> i64 {
        let setting = *crate::lock(&self.setting);
        (real & setting.mask).saturating_add(setting.offset)
    }

    /// Gives a fresh program image the clock, unless it has it.
    pub(super) fn enter(&self, tid: i32) -> io::Result<()> {
        let Some(base) = base(tid)? else { return Ok(()) };
        let setting = crate::lock(&self.setting);
        let (place, original, hook) = self.plan.symbols[0];
        match memory::read(tid, base + place, 8)? {
            value if value == hook.to_le_bytes() => return Ok(()),
            value if value == original.to_le_bytes() => {}
            _ => return Err(io::Error::other("its time functions are unlike ours")),
        }
        let memory = writable(tid)?;
        memory.write_all_at(&self.plan.code(base, *setting, self.owner), base + self.plan.at)?;
        for (place, _, hook) in &self.plan.symbols {
            memory.write_all_at(&hook.to_le_bytes(), base + place)?;
        }
        crate::lock(&self.told).begins(tid);
        Ok(())
    }

    /// Whether an address is in the time functions of a process: the call comes from there.
    pub(super) fn is_inside(&self, tid: i32, address: u64) -> bool {
        let base = base(tid).ok().flatten();
        base.is_some_and(|base| (base..base + self.plan.size).contains(&address))
    }

    /// Sets the clock of a process, if it has it from us, and remembers it. What cannot be told is gone,
    /// or was not reached in the first place, which has been said. False when it has to be looked for
    /// the next time.
    fn tell(&self, process: i32, setting: Setting, told: &mut Told) -> bool {
        let Ok(Some(base)) = base(process) else { return true };
        let (symbol, at) = (base + self.plan.symbols[0].0, base + self.plan.setting());
        let hook = self.plan.symbols[0].2.to_le_bytes();
        let has_hook = memory::read(process, symbol, 8).is_ok_and(|value| value == hook);
        let owner = || memory::read(process, at + 16, 8);
        if !has_hook || owner().is_ok_and(|owner| owner != self.owner.to_le_bytes()) {
            return true;
        }
        writable(process).map_or(true, |memory| told.tell(process, (memory, at), setting))
    }
}

/// Writes to our own time functions what is there already: some kernels forbid it.
fn try_out(plan: &Plan) -> io::Result<()> {
    let base = base(own())?.ok_or(io::ErrorKind::NotFound)?;
    writable(own())?.write_all_at(&[0; 8], base + plan.at)
}

/// The real time in nanoseconds since 1970.
pub(super) fn real() -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer leads to a live local; the clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

fn own() -> i32 {
    std::process::id() as i32
}

/// The memory of a process, with the right to write where it may not.
pub(super) fn writable(tid: i32) -> io::Result<File> {
    File::options().write(true).open(format!("/proc/{tid}/mem"))
}

/// Where the time functions of a process are; some have none.
pub(super) fn base(tid: i32) -> io::Result<Option<u64>> {
    // It is said in one piece.
    let mut entries = [0; 4096];
    let length = File::open(format!("/proc/{tid}/auxv"))?.read(&mut entries)?;
    let word = |bytes: &[u8]| bytes.first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
    let mut pairs = entries[..length].chunks_exact(16).map(|pair| (word(pair), word(&pair[8..])));
    Ok(pairs.find(|(kind, _)| *kind == AT_SYSINFO_EHDR).map(|(_, base)| base))
}

/// The processes that the threads of a process have started (proc_pid_task(5)). A thread may end
/// meanwhile; what it had started belongs to another one then.
fn children(process: i32) -> io::Result<Vec<i32>> {
    let mut out = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let thread = thread?.path();
        let list = match std::fs::read_to_string(thread.join("children")) {
            Err(_) if process != own() || !thread.exists() => continue,
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => continue,
            list => list?,
        };
        out.extend(list.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    Ok(out)
}
