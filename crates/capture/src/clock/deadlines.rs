//! Waits until a time of day: the app means its own clock, the kernel the real one.
//!
//! The deadline is moved in the app's memory, since a call can be let run only as it is. A call that
//! a signal interrupts comes again with the moved deadline, so what was moved is remembered. What
//! waits already when the clock is set is left alone; so are the timers of `timer_settime`.

use super::wall::{Clock, real, writable};
use crate::call::Waiting;
use crate::{memory, process};
use std::os::unix::fs::FileExt;

/// Deadlines that are remembered.
const MAX_REMEMBERED: usize = 4096;
const SECOND: i64 = 1_000_000_000;

/// Moves the deadline that an argument leads to, and lets the call run.
pub(super) fn move_at(clock: &Clock, call: Waiting, argument: usize, beyond: u64) {
    let at = call.arg(argument);
    if at != 0 {
        // What cannot be read or written is the kernel's to report.
        let _ = moved(clock, &call, at + beyond);
    }
    call.resume();
}

fn moved(clock: &Clock, call: &Waiting, at: u64) -> std::io::Result<()> {
    let bytes = memory::read(call.tid(), at, 16)?;
    let word = |at: usize| bytes[at..].first_chunk().map_or(0, |word| i64::from_le_bytes(*word));
    let deadline = [word(0), word(8)];
    let key = (process::thread_group(call.tid()), at);
    let mut remembered = crate::lock(&clock.deadlines);
    // A timer that is stopped has no deadline; the kernel refuses what is no time.
    let is_time = deadline != [0, 0] && deadline[0] >= 0 && (0..SECOND).contains(&deadline[1]);
    if !is_time || remembered.get(&key) == Some(&deadline) {
        return Ok(());
    }
    let now = real();
    let wanted = deadline[0].saturating_mul(SECOND).saturating_add(deadline[1]);
    // As long from the real time as the app's is from its own. A time before 1970 is refused.
    let real = wanted.saturating_sub(clock.shown(now)).saturating_add(now).max(1);
    let real = [real.div_euclid(SECOND), real.rem_euclid(SECOND)];
    let bytes = [real[0].to_le_bytes(), real[1].to_le_bytes()].concat();
    writable(call.tid())?.write_all_at(&bytes, at)?;
    if remembered.len() >= MAX_REMEMBERED {
        remembered.clear();
    }
    remembered.insert(key, real);
    Ok(())
}
