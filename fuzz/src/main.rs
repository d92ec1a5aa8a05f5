//! The fuzzer: one executable, and the environment says which target it runs.
//!
//! One executable because every one of them would be linked from the same crates: a cold build on
//! two cores is then one link. `run.sh` builds and starts it; nothing here knows about corpora.

#![no_main]

mod cut;
mod memory;
mod targets;

use std::process::exit;
use std::sync::OnceLock;
use targets::{TARGETS, Target};

/// The variable that names the target; `list` prints each with how many inputs a run tries.
const VARIABLE: &str = "REHEARSAL_FUZZ_TARGET";

static CHOSEN: OnceLock<Target> = OnceLock::new();

fn choose() {
    let name = std::env::var(VARIABLE).unwrap_or_default();
    if name == "list" {
        TARGETS.iter().for_each(|(name, runs, _)| println!("{name} {runs}"));
        exit(0);
    }
    match TARGETS.iter().find(|(known, ..)| *known == name) {
        Some((.., target)) => CHOSEN.get_or_init(|| *target),
        None => {
            eprintln!("{VARIABLE}={name}: there is no such target; `list` prints all");
            exit(2);
        }
    };
}

libfuzzer_sys::fuzz_target!(init: choose(), |data: &[u8]| {
    if let Some(target) = CHOSEN.get() {
        target(data);
    }
});
