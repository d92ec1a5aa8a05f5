//! TLS in the middle: an authority of the user's own, the certificates that it signs, and whom the app
//! and we trust.
//!
//! Nothing is installed anywhere: only the app that we start is told of the authority, by its
//! environment. Which connection gets TLS is for others to know; no protocol is known here.

mod asking;
mod authority;
mod between;
mod calling;
mod error;
mod identity;
mod java;
mod keylog;
mod laid;
mod mint;
mod played;
mod roots;
mod trust;
mod verify;

pub use asking::{Proof, ask, client};
pub use authority::Authority;
pub use between::{Between, Ends, Seen, Unlaid};
pub use calling::Caller;
pub use error::TlsError;
pub use identity::Identity;
pub use keylog::KeyFile;
pub use laid::{Laid, Line};
pub use played::Played;
pub use roots::Roots;
pub use trust::Trust;
