//! The loops over real sockets on loopback, with a small line protocol.

mod carrying;
mod dialing;
mod gating;
mod protocol;
mod requesting;
mod responding;
mod rig;
mod securing;
