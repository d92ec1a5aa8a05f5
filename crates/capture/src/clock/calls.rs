//! The calls of an app that are about time.

use super::deadlines;
use super::wall::{Clock, real};
use crate::call::Waiting;
use crate::memory;

/// Answers a call that is about time, or lets it run.
pub(crate) fn answer(clock: &Clock, call: Waiting) {
    match i64::from(call.number()) {
        libc::SYS_brk | libc::SYS_arch_prctl => begin(clock, call),
        libc::SYS_clock_gettime | libc::SYS_gettimeofday | libc::SYS_time => read(clock, call),
        libc::SYS_futex => deadlines::move_at(clock, call, 3, 0),
        libc::SYS_clock_nanosleep if is_wall(call.arg(0)) => {
            deadlines::move_at(clock, call, 2, 0);
        }
        libc::SYS_timerfd_settime if is_timer_of_wall(&call) => {
            // The value is the second half of what the argument leads to.
            deadlines::move_at(clock, call, 2, 16);
        }
        _ => call.resume(),
    }
}

/// Whether a clock's number is that of a wall clock.
fn is_wall(clock: u64) -> bool {
    let wall = [libc::CLOCK_REALTIME, libc::CLOCK_REALTIME_COARSE, libc::CLOCK_TAI];
    wall.contains(&(clock as libc::clockid_t))
}

fn is_timer_of_wall(call: &Waiting) -> bool {
    let path = format!("/proc/{}/fdinfo/{}", call.tid(), call.fd());
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let clock = text.lines().find_map(|line| line.strip_prefix("clockid:"));
    matches!(clock.map(str::trim), Some("0" | "8"))
}

/// One of the first calls of a program image: nothing in it has read the clock yet.
fn begin(clock: &Clock, call: Waiting) {
    if let Err(error) = clock.enter(call.tid()) {
        call.trouble(&format!("sees the real time: failed to set its clock: {error}"));
    }
    call.resume();
}

/// A program that asks the kernel itself.
fn read(clock: &Clock, call: Waiting) {
    // The time functions ask in this way too where they cannot tell the time themselves; what
    // they are told is moved by the hook.
    if clock.is_inside(call.tid(), call.instruction()) {
        return call.resume();
    }
    let shown = clock.shown(real());
    let (seconds, rest) = (shown.div_euclid(1_000_000_000), shown.rem_euclid(1_000_000_000));
    let (to, bytes, result) = match i64::from(call.number()) {
        libc::SYS_time => (call.arg(0), seconds.to_le_bytes().to_vec(), seconds),
        libc::SYS_gettimeofday => {
            (call.arg(0), [seconds.to_le_bytes(), (rest / 1000).to_le_bytes()].concat(), 0)
        }
        _ => (call.arg(1), [seconds.to_le_bytes(), rest.to_le_bytes()].concat(), 0),
    };
    if to == 0 && i64::from(call.number()) != libc::SYS_time {
        return call.resume();
    }
    if to != 0 && memory::write(call.tid(), to, &bytes).is_err() {
        return call.finish(Err(libc::EFAULT));
    }
    call.finish(Ok(result));
}
