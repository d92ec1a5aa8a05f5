//! Small sessions of protocols that Rehearsal does not speak yet, played from transcripts.
//!
//! They show that the form of a session carries what the protocols to come need: many exchanges at
//! once on one connection, a server that speaks in the middle, TLS that begins in the middle, a
//! connection that changes its protocol. They read and write real bytes, but only as much of each
//! protocol as that takes.

mod h2;
mod postgres;
mod stage;
