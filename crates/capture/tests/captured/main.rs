//! Real programs under capture: one file per kind of call.
#![cfg(target_os = "linux")]

mod auto;
#[cfg(target_arch = "x86_64")]
mod clock;
mod connect;
mod datagram;
mod golang;
#[cfg(target_arch = "x86_64")]
mod languages;
mod listen;
mod rig;
mod unix;
