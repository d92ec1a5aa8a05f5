//! What is appended to the kernel's time functions (vDSO) of a process: each calls the original and
//! adds an offset to what it says of the wall clock.
//!
//! The code runs in processes of others, at any address, on any stack that calls the kernel's
//! functions, without relocation: it knows nothing but the slots behind it. It changes only
//! registers that a called function may change (System V ABI, AMD64, section 3.2.1).

use std::arch::global_asm;

global_asm!(
    r#"
    .balign 16
    .globl rehearsal_clock_begin, rehearsal_clock_gettime, rehearsal_clock_timeofday
    .globl rehearsal_clock_time, rehearsal_clock_slots, rehearsal_clock_end
    .hidden rehearsal_clock_begin, rehearsal_clock_gettime, rehearsal_clock_timeofday
    .hidden rehearsal_clock_time, rehearsal_clock_slots, rehearsal_clock_end
rehearsal_clock_begin:
rehearsal_clock_gettime:
    endbr64
    push rdi
    push rsi
    sub rsp, 8
    call [rip + rehearsal_clock_original_gettime]
    add rsp, 8
    pop rsi
    pop rdi
    test eax, eax
    jnz 2f
    test edi, edi           # CLOCK_REALTIME
    je 1f
    cmp edi, 5              # CLOCK_REALTIME_COARSE
    je 1f
    cmp edi, 11             # CLOCK_TAI
    jne 2f
1:  imul rax, [rsi], 1000000000
    add rax, [rsi + 8]
    and rax, [rip + rehearsal_clock_mask]
    add rax, [rip + rehearsal_clock_offset]
    xor edx, edx
    mov ecx, 1000000000
    div rcx
    mov [rsi], rax
    mov [rsi + 8], rdx
    xor eax, eax
2:  ret
rehearsal_clock_timeofday:
    endbr64
    push rdi
    push rsi
    sub rsp, 8
    call [rip + rehearsal_clock_original_timeofday]
    add rsp, 8
    pop rsi
    pop rdi
    test eax, eax
    jnz 2f
    test rdi, rdi
    jz 2f
    imul rax, [rdi], 1000000000
    imul rcx, [rdi + 8], 1000
    add rax, rcx
    and rax, [rip + rehearsal_clock_mask]
    add rax, [rip + rehearsal_clock_offset]
    xor edx, edx
    mov ecx, 1000000000
    div rcx
    mov [rdi], rax
    mov rax, rdx
    xor edx, edx
    mov ecx, 1000
    div rcx
    mov [rdi + 8], rax
    xor eax, eax
2:  ret
rehearsal_clock_time:
    endbr64
    push rdi
    sub rsp, 16
    xor edi, edi
    mov rsi, rsp
    call rehearsal_clock_gettime
    mov rax, [rsp]
    add rsp, 16
    pop rdi
    test rdi, rdi
    jz 2f
    mov [rdi], rax
2:  ret
    .balign 8
rehearsal_clock_slots:
rehearsal_clock_original_gettime: .quad 0
rehearsal_clock_original_timeofday: .quad 0
rehearsal_clock_mask: .quad 0
rehearsal_clock_offset: .quad 0
rehearsal_clock_owner: .quad 0
rehearsal_clock_end:
"#
);

unsafe extern "C" {
    safe static rehearsal_clock_begin: u8;
    safe static rehearsal_clock_gettime: u8;
    safe static rehearsal_clock_timeofday: u8;
    safe static rehearsal_clock_time: u8;
    safe static rehearsal_clock_slots: u8;
    safe static rehearsal_clock_end: u8;
}

/// Where things are in the code, in bytes from its beginning.
pub(super) struct Places {
    pub(super) gettime: u64,
    pub(super) timeofday: u64,
    pub(super) time: u64,
    /// The addresses of the two originals, then mask, offset and owner, eight bytes each.
    pub(super) slots: u64,
}

/// What is added to the real time in nanoseconds after it was masked: with a mask of ones the clock
/// runs, with one of zeros it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) mask: i64,
    pub(super) offset: i64,
}

/// From the slots to the mask; offset and owner follow it.
pub(super) const MASK: u64 = 16;
/// How many bytes the slots have.
pub(super) const SLOTS: usize = 40;

fn distance(place: &u8) -> u64 {
    (&raw const *place as u64) - (&raw const rehearsal_clock_begin as u64)
}

pub(super) fn places() -> Places {
    Places {
        gettime: distance(&rehearsal_clock_gettime),
        timeofday: distance(&rehearsal_clock_timeofday),
        time: distance(&rehearsal_clock_time),
        slots: distance(&rehearsal_clock_slots),
    }
}

/// The code with empty slots.
pub(super) fn code() -> Vec<u8> {
    let length = usize::try_from(distance(&rehearsal_clock_end)).unwrap_or(0);
    // SAFETY: the code lies between the two symbols, in our own text, which nobody writes to.
    unsafe { std::slice::from_raw_parts(&raw const rehearsal_clock_begin, length).to_vec() }
}

/// The slots, as they are written behind the code.
pub(super) fn slots(originals: [u64; 2], setting: Setting, owner: u64) -> [u8; SLOTS] {
    let mut out = [0; SLOTS];
    let words = [originals[0], originals[1], setting.mask as u64, setting.offset as u64, owner];
    for (place, word) in out.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    out
}
