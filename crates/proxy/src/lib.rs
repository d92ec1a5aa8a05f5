//! The only socket driver: it runs the sessions of `wire` over connections.
//!
//! Three loops, one per way of using a protocol: [`observe`] carries a connection between two peers
//! and listens in, [`respond`] plays a server, [`Requester`] plays a client. [`dial`] connects.
//! Nothing here knows a protocol by name, a recording, or how a mock is picked: exchanges go to a
//! [`Sink`], questions to an [`Oracle`].

mod account;
mod clock;
mod dial;
mod error;
mod gate;
mod name_server;
mod observe;
mod options;
mod outbox;
mod play;
mod request;
mod respond;
mod scratch;
mod side;
mod stream;
mod timers;
mod tls;
mod treatment;
mod watch;

pub use clock::Clock;
pub use dial::dial;
pub use error::{DialError, RequestError, errno};
pub use gate::{Gate, OneAtATime, Pass};
pub use name_server::ask_name_server;
pub use observe::{Datagrams, Observe, observe, observe_datagram};
pub use options::ConnectionOptions;
pub use request::Requester;
pub use respond::{Oracle, Question, Reached, Reply, Respond, respond, respond_datagram};
pub use stream::{Layer, Stream};
pub use tls::{Joined, NoTls, Tls};
pub use watch::{ConnectionId, ConnectionReport, Ended, Sink, Watch};

/// A future on the heap, for traits whose implementations are chosen at run time.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
