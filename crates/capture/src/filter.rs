//! The seccomp program that sends the socket calls of the app to the
//! supervisor. It is a constant, because it is installed between fork and exec
//! where nothing may be allocated. It decides nothing: that is `supervisor`.
//!
//! A filter cannot look into the message header of `sendmsg` and `sendmmsg`. In
//! replay every one of them is trapped, because nothing may leave; that costs a
//! program that writes its streams by `sendmsg` (gRPC in C++, Python's asyncio)
//! one round trip to the supervisor for each write. While recording, they are
//! left alone for the same reason, and a datagram sent by them is not noticed.
//! `recvmsg` is never trapped: an answer of a name server that is read by it
//! names our resolver as its source.

use libc::{c_long, sock_filter};

use crate::contract::{Mode, Options};

const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
#[cfg(target_arch = "x86_64")]
const AT_LEAST: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
#[cfg(target_arch = "x86_64")]
const HAS_BIT: u16 = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN: u16 = 0x06; // BPF_RET | BPF_K

const ALLOW: u32 = 0x7fff_0000;
const NOTIFY: u32 = 0x7fc0_0000;
const ERRNO: u32 = 0x0005_0000;

// Offsets in `struct seccomp_data` of <linux/seccomp.h>.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

/// By these flags a child sends us its listener under a filter that traps
/// `sendmsg` while nobody answers yet. They contradict one another, so that no
/// program uses them together; Unix sockets ignore all of them.
pub(crate) const HANDING_OVER: i32 =
    libc::MSG_NOSIGNAL | libc::MSG_EOR | libc::MSG_MORE | libc::MSG_CONFIRM;

/// `AUDIT_ARCH_*` of the only architecture whose calls are understood.
#[cfg(target_arch = "x86_64")]
pub(crate) const NATIVE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
pub(crate) const NATIVE: u32 = 0xC000_00B7;

/// Calls of the x32 ABI carry this bit and would slip past the numbers below.
#[cfg(target_arch = "x86_64")]
pub(crate) const X32_BIT: u32 = 0x4000_0000;

const CAPACITY: usize = 128;

/// A finished program; `length` instructions of `code` count.
pub(crate) struct Program {
    pub(crate) code: [sock_filter; CAPACITY],
    pub(crate) length: usize,
}

/// The program for recording.
static OPEN: Program = build().finish();
/// The program for replay, under which nothing leaves.
static SEALED: Program = build().notify_paths().notify_messages().finish();
/// Both with the calls that are about time.
static OPEN_TIMED: Program = build().notify_time().finish();
static SEALED_TIMED: Program = build().notify_time().notify_paths().notify_messages().finish();
/// All of them with the opening of files.
static OPEN_READING: Program = build().notify_files().finish();
static SEALED_READING: Program = build().notify_files().notify_paths().notify_messages().finish();
static OPEN_TIMED_READING: Program = build().notify_files().notify_time().finish();
static SEALED_TIMED_READING: Program =
    build().notify_files().notify_time().notify_paths().notify_messages().finish();

/// Which program a process tree gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kind {
    mode: Mode,
    timed: bool,
    /// Whether the opening of files is looked at.
    reading: bool,
}

impl Kind {
    pub(crate) fn of(options: &Options, reading: bool) -> Self {
        Kind { mode: options.mode, timed: options.clock.is_some(), reading }
    }

    /// Its name for the child, which is told nothing else.
    pub(crate) fn byte(self) -> u8 {
        let mode = match self.mode {
            Mode::Record => 1,
            Mode::Replay => 2,
        };
        mode + if self.timed { 2 } else { 0 } + if self.reading { 4 } else { 0 }
    }

    pub(crate) fn named(byte: u8) -> Self {
        let bits = byte.wrapping_sub(1);
        let mode = if bits & 1 == 0 { Mode::Record } else { Mode::Replay };
        Kind { mode, timed: bits & 2 != 0, reading: bits & 4 != 0 }
    }
}

/// The program to install in a process tree.
pub(crate) fn program(kind: Kind) -> &'static Program {
    match (kind.mode, kind.timed, kind.reading) {
        (Mode::Record, false, false) => &OPEN,
        (Mode::Replay, false, false) => &SEALED,
        (Mode::Record, true, false) => &OPEN_TIMED,
        (Mode::Replay, true, false) => &SEALED_TIMED,
        (Mode::Record, false, true) => &OPEN_READING,
        (Mode::Replay, false, true) => &SEALED_READING,
        (Mode::Record, true, true) => &OPEN_TIMED_READING,
        (Mode::Replay, true, true) => &SEALED_TIMED_READING,
    }
}

const fn step(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

impl Program {
    const fn add(mut self, instruction: sock_filter) -> Self {
        self.code[self.length] = instruction;
        self.length += 1;
        self
    }

    const fn notify(self, number: c_long) -> Self {
        self.add(step(EQUAL, 0, 1, number as u32)).add(step(RETURN, 0, 0, NOTIFY))
    }

    const fn refuse(self, number: c_long, errno: i32) -> Self {
        self.add(step(EQUAL, 0, 1, number as u32)).add(step(RETURN, 0, 0, ERRNO | errno as u32))
    }

    const fn notify_messages(self) -> Self {
        self.notify(libc::SYS_sendmmsg)
            .add(step(EQUAL, 0, 4, libc::SYS_sendmsg as u32))
            .add(step(LOAD, 0, 0, FIRST_ARGUMENT + 8 * 2))
            .add(step(EQUAL, 1, 0, HANDING_OVER as u32))
            .add(step(RETURN, 0, 0, NOTIFY))
            .add(step(RETURN, 0, 0, ALLOW))
    }

    /// What is done to the file of a Unix socket, which is not there in replay.
    const fn notify_paths(self) -> Self {
        let program =
            self.notify(libc::SYS_unlinkat).notify(libc::SYS_fchmodat).notify(libc::SYS_fchownat);
        #[cfg(target_arch = "x86_64")]
        let program = program
            .notify(libc::SYS_unlink)
            .notify(libc::SYS_chmod)
            .notify(libc::SYS_chown)
            .notify(libc::SYS_lchown);
        program
    }

    const fn notify_files(self) -> Self {
        let program = self.notify(libc::SYS_openat).notify(libc::SYS_openat2);
        #[cfg(target_arch = "x86_64")]
        let program = program.notify(libc::SYS_open);
        program
    }

    /// The first calls of a program image, those that ask for the time of day, and those that wait
    /// until one.
    #[cfg(target_arch = "x86_64")]
    const fn notify_time(self) -> Self {
        const SET_THREAD_AREA: u32 = 0x1002; // ARCH_SET_FS
        const CLOCK_REALTIME_FLAG: u32 = 256; // FUTEX_CLOCK_REALTIME
        const ABSOLUTE: u32 = 1; // TIMER_ABSTIME, TFD_TIMER_ABSTIME
        self.notify_if(libc::SYS_brk, FIRST_ARGUMENT, EQUAL, 0)
            .notify_if(libc::SYS_arch_prctl, FIRST_ARGUMENT, EQUAL, SET_THREAD_AREA)
            .notify_if(libc::SYS_futex, FIRST_ARGUMENT + 8, HAS_BIT, CLOCK_REALTIME_FLAG)
            .notify_if(libc::SYS_clock_nanosleep, FIRST_ARGUMENT + 8, HAS_BIT, ABSOLUTE)
            .notify_if(libc::SYS_timerfd_settime, FIRST_ARGUMENT + 8, HAS_BIT, ABSOLUTE)
            // Whoever sees another time and sets the clock by it would set that of the machine.
            .refuse(libc::SYS_settimeofday, libc::EPERM)
            .refuse(libc::SYS_clock_settime, libc::EPERM)
            .notify(libc::SYS_gettimeofday)
            .notify(libc::SYS_time)
            .add(step(EQUAL, 0, 6, libc::SYS_clock_gettime as u32))
            .add(step(LOAD, 0, 0, FIRST_ARGUMENT))
            .add(step(EQUAL, 2, 0, libc::CLOCK_REALTIME as u32))
            .add(step(EQUAL, 1, 0, libc::CLOCK_REALTIME_COARSE as u32))
            .add(step(EQUAL, 0, 1, libc::CLOCK_TAI as u32))
            .add(step(RETURN, 0, 0, NOTIFY))
            .add(step(RETURN, 0, 0, ALLOW))
    }

    /// The clock cannot be set here, so nothing asks for this program.
    #[cfg(not(target_arch = "x86_64"))]
    const fn notify_time(self) -> Self {
        self
    }

    /// Traps the call only when the low half of an argument passes a test.
    #[cfg(target_arch = "x86_64")]
    const fn notify_if(self, number: c_long, argument: u32, test: u16, k: u32) -> Self {
        self.add(step(EQUAL, 0, 4, number as u32))
            .add(step(LOAD, 0, 0, argument))
            .add(step(test, 0, 1, k))
            .add(step(RETURN, 0, 0, NOTIFY))
            .add(step(RETURN, 0, 0, ALLOW))
    }

    const fn finish(self) -> Self {
        self.add(step(RETURN, 0, 0, ALLOW))
    }

    /// Traps the call only when the pointer in `argument` is not null.
    const fn notify_with_pointer(self, number: c_long, argument: u32) -> Self {
        let low = FIRST_ARGUMENT + 8 * argument;
        self.add(step(EQUAL, 0, 6, number as u32))
            .add(step(LOAD, 0, 0, low))
            .add(step(EQUAL, 0, 2, 0))
            .add(step(LOAD, 0, 0, low + 4))
            .add(step(EQUAL, 1, 0, 0))
            .add(step(RETURN, 0, 0, NOTIFY))
            .add(step(RETURN, 0, 0, ALLOW))
    }
}

/// Foreign architectures are notified, not allowed: the supervisor answers
/// `ENOSYS` and says so, because their calls cannot be captured.
const fn build() -> Program {
    let program = Program { code: [step(RETURN, 0, 0, ALLOW); CAPACITY], length: 0 }
        .add(step(LOAD, 0, 0, ARCH))
        .add(step(EQUAL, 1, 0, NATIVE))
        .add(step(RETURN, 0, 0, NOTIFY))
        .add(step(LOAD, 0, 0, NUMBER));
    #[cfg(target_arch = "x86_64")]
    let program = program.add(step(AT_LEAST, 0, 1, X32_BIT)).add(step(RETURN, 0, 0, NOTIFY));
    program
        .notify(libc::SYS_connect)
        .notify(libc::SYS_bind)
        .notify(libc::SYS_listen)
        .notify(libc::SYS_getsockname)
        .notify(libc::SYS_getpeername)
        .notify_with_pointer(libc::SYS_sendto, 4)
        .notify_with_pointer(libc::SYS_recvfrom, 4)
        .refuse(libc::SYS_io_uring_setup, libc::ENOSYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEALED_KIND: Kind = Kind { mode: Mode::Replay, timed: false, reading: false };

    /// Runs the program by hand: the few instructions that it uses.
    fn run(arch: u32, number: u32, arguments: [u64; 6]) -> u32 {
        run_in(Kind { mode: Mode::Record, timed: false, reading: false }, arch, number, arguments)
    }

    fn run_in(kind: Kind, arch: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend(number.to_ne_bytes());
        data.extend(arch.to_ne_bytes());
        data.extend(0u64.to_ne_bytes());
        for argument in arguments {
            // The program reads the low half first, as on little-endian machines.
            data.extend(argument.to_le_bytes());
        }
        let (mut at, mut accumulator) = (0usize, 0u32);
        loop {
            let instruction = program(kind).code[at];
            at += 1;
            let jump = |taken: bool| if taken { instruction.jt } else { instruction.jf } as usize;
            match instruction.code {
                LOAD => {
                    let from = instruction.k as usize;
                    accumulator = u32::from_ne_bytes(data[from..from + 4].try_into().unwrap());
                }
                EQUAL => at += jump(accumulator == instruction.k),
                HAS_BIT => at += jump(accumulator & instruction.k != 0),
                RETURN => return instruction.k,
                _ => at += jump(accumulator >= instruction.k),
            }
        }
    }

    #[test]
    fn traps_socket_calls_and_nothing_else() {
        let none = [0; 6];
        assert_eq!(run(NATIVE, libc::SYS_connect as u32, none), NOTIFY);
        assert_eq!(run(NATIVE, libc::SYS_getpeername as u32, none), NOTIFY);
        assert_eq!(run(NATIVE, libc::SYS_read as u32, none), ALLOW);
        assert_eq!(run(NATIVE, libc::SYS_sendmsg as u32, none), ALLOW);
        let denied = ERRNO | libc::ENOSYS as u32;
        assert_eq!(run(NATIVE, libc::SYS_io_uring_setup as u32, none), denied);
    }

    #[test]
    fn traps_datagram_calls_only_with_an_address() {
        let number = libc::SYS_sendto as u32;
        assert_eq!(run(NATIVE, number, [0; 6]), ALLOW);
        assert_eq!(run(NATIVE, number, [0, 0, 0, 0, 0x10, 0]), NOTIFY);
        assert_eq!(run(NATIVE, number, [0, 0, 0, 0, 1 << 40, 0]), NOTIFY);
        assert_eq!(run(NATIVE, libc::SYS_recvfrom as u32, [0, 0, 0, 0, 1 << 40, 0]), NOTIFY);
        assert_eq!(run(NATIVE, libc::SYS_recvfrom as u32, [9, 9, 9, 9, 0, 9]), ALLOW);
    }

    #[test]
    fn replay_traps_messages_but_not_the_handing_over() {
        let message = libc::SYS_sendmsg as u32;
        assert_eq!(run_in(SEALED_KIND, NATIVE, message, [0; 6]), NOTIFY);
        assert_eq!(run_in(SEALED_KIND, NATIVE, libc::SYS_sendmmsg as u32, [0; 6]), NOTIFY);
        let handing_over = [0, 0, HANDING_OVER as u64, 0, 0, 0];
        assert_eq!(run_in(SEALED_KIND, NATIVE, message, handing_over), ALLOW);
        assert_eq!(run_in(SEALED_KIND, NATIVE, libc::SYS_recvmsg as u32, [0; 6]), ALLOW);
        assert_eq!(run_in(SEALED_KIND, NATIVE, libc::SYS_connect as u32, [0; 6]), NOTIFY);
        assert_eq!(run_in(SEALED_KIND, NATIVE, libc::SYS_unlinkat as u32, [0; 6]), NOTIFY);
        assert_eq!(run(NATIVE, libc::SYS_unlinkat as u32, [0; 6]), ALLOW);
    }

    #[test]
    fn foreign_architectures_do_not_slip_through() {
        assert_eq!(run(0x4000_0003, 1, [0; 6]), NOTIFY);
        #[cfg(target_arch = "x86_64")]
        assert_eq!(run(NATIVE, X32_BIT | 42, [0; 6]), NOTIFY);
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_clock_traps_what_is_about_the_time_of_day() {
        for mode in [Mode::Record, Mode::Replay] {
            let timed = |number: libc::c_long, first: u64, second: u64| {
                let kind = Kind { mode, timed: true, reading: false };
                run_in(kind, NATIVE, number as u32, [first, second, 0, 0, 0, 0])
            };
            assert_eq!(timed(libc::SYS_brk, 0, 0), NOTIFY);
            assert_eq!(timed(libc::SYS_brk, 0x5000, 0), ALLOW);
            assert_eq!(timed(libc::SYS_arch_prctl, 0x1002, 0), NOTIFY);
            assert_eq!(timed(libc::SYS_arch_prctl, 0x1003, 0), ALLOW);
            assert_eq!(timed(libc::SYS_futex, 0, 128 | 9 | 256), NOTIFY);
            assert_eq!(timed(libc::SYS_futex, 0, 128 | 9), ALLOW);
            assert_eq!(timed(libc::SYS_clock_nanosleep, 0, 1), NOTIFY);
            assert_eq!(timed(libc::SYS_clock_nanosleep, 1, 0), ALLOW);
            assert_eq!(timed(libc::SYS_timerfd_settime, 3, 1), NOTIFY);
            assert_eq!(timed(libc::SYS_time, 0, 0), NOTIFY);
            for (clock, expected) in
                [(0, NOTIFY), (5, NOTIFY), (11, NOTIFY), (1, ALLOW), (6, ALLOW)]
            {
                assert_eq!(timed(libc::SYS_clock_gettime, clock, 0), expected);
            }
            assert_eq!(timed(libc::SYS_connect, 0, 0), NOTIFY);
            assert_eq!(timed(libc::SYS_read, 0, 0), ALLOW);
        }
        assert_eq!(run(NATIVE, libc::SYS_clock_gettime as u32, [0; 6]), ALLOW);
    }

    #[test]
    fn a_program_is_known_by_a_byte() {
        for mode in [Mode::Record, Mode::Replay] {
            for (timed, reading) in [(false, false), (true, false), (false, true), (true, true)] {
                let kind = Kind { mode, timed, reading };
                assert_eq!(Kind::named(kind.byte()), kind);
                let opens = run_in(kind, NATIVE, libc::SYS_openat as u32, [0; 6]);
                assert_eq!(opens, if reading { NOTIFY } else { ALLOW });
            }
        }
        assert_eq!(Kind::named(SEALED_KIND.byte()), SEALED_KIND);
    }
}
