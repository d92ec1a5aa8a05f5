//! Real programs under capture: one file per kind of call.
#![cfg(target_os = "linux")]

mod auto;
mod connect;
mod datagram;
mod golang;
mod listen;
mod rig;
