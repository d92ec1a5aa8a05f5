//! How connections of the app reach us. On Linux a seccomp filter sends the
//! socket calls of a whole process tree to a supervisor, without privileges; see
//! [`prepare`] and [`enter`]. Elsewhere, explicit ports: see [`portable`].
//! Understands no protocol and moves no payload.

mod begin;
mod caller;
mod checks;
mod clock;
mod contract;
mod endpoint;
pub mod portable;

#[cfg(target_os = "linux")]
mod app_socket;
#[cfg(target_os = "linux")]
mod bind;
#[cfg(target_os = "linux")]
mod call;
#[cfg(target_os = "linux")]
mod connect;
#[cfg(target_os = "linux")]
mod datagram;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod enter;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod fronts;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(target_os = "linux")]
mod listener;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod message;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod paths;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod resolver;
#[cfg(target_os = "linux")]
mod socket;
#[cfg(target_os = "linux")]
mod supervisor;
#[cfg(target_os = "linux")]
mod turn;

pub use begin::{Birth, Held, Way, begin};
pub use caller::{Caller, TEST_VARIABLE, TESTS_VARIABLE};
pub use checks::{Check, State, checks};
pub use clock::{Clock, ClockError, Shown};
pub use contract::{
    BoxFuture, CaptureError, Captured, InPlace, Mode, Notice, Options, Policy, Strategy, Ticket,
    Verdict,
};
#[cfg(not(target_os = "linux"))]
pub use elsewhere::enter;
pub use endpoint::{Endpoint, EndpointError};
#[cfg(target_os = "linux")]
pub use enter::enter;
#[cfg(target_os = "linux")]
pub use supervisor::{ChildEnd, Pending, Running, prepare};

/// Locks even after a panic elsewhere: the tables hold no half-made state, and
/// the app must be answered in any case.
#[cfg(target_os = "linux")]
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
