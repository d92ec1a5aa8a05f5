//! TLS between the app and its dependencies while it is recorded.

use rehearsal_capture::Endpoint;
use rehearsal_model::Certificate;
use rehearsal_proxy::{BoxFuture, Joined, NoTls, Stream, Tls, dial};
use rehearsal_supervise::Program;
use rehearsal_tls::{Authority, Between, Ends, Laid, Roots, TlsError, Trust, Unlaid};
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long a server may take to take a connection once more.
const REDIAL_LIMIT: Duration = Duration::from_secs(30);

/// Tells a program to trust our authority, and makes what stands between it and its dependencies.
///
/// # Errors
/// When there is no authority, or nobody to trust; the program is as it was then.
pub(crate) fn prepare(program: &mut Program) -> Result<Arc<Between>, TlsError> {
    let variable = |name: &str| variable(program, name);
    let authority = Arc::new(Authority::of_user(variable)?);
    let between = Between::new(Arc::clone(&authority), Roots::of_app(variable)?)?;
    let trust = Trust::prepare(&authority, variable)?;
    program.env.extend(trust.variables);
    program.remove.push(trust.folder);
    Ok(Arc::new(between))
}

/// A variable as the program would have it.
fn variable(program: &Program, name: &str) -> Option<OsString> {
    let set = program.env.iter().rev().find(|(known, _)| known == name);
    set.map(|(_, value)| value.clone()).or_else(|| std::env::var_os(name))
}

/// Whom the app called.
pub(crate) struct Called {
    /// Its host, by name where that is known, else by address.
    host: String,
    /// Where it was dialled.
    target: String,
}

impl Called {
    pub(crate) fn new(to: &Endpoint, name: Option<&str>) -> Self {
        let host = match (name.and_then(|name| name.rsplit_once(':')), to) {
            (Some((host, _)), _) => host.trim_matches(['[', ']']).to_owned(),
            (None, Endpoint::Tcp(tcp)) => tcp.ip().to_canonical().to_string(),
            (None, Endpoint::Unix(_)) => "localhost".to_owned(),
        };
        Called { host, target: name.map_or_else(|| to.to_string(), str::to_owned) }
    }
}

/// TLS over the two sides of one connection.
pub(crate) struct LaidBetween {
    between: Arc<Between>,
    party: String,
    host: String,
    target: String,
    seen: Option<Certificate>,
}

impl LaidBetween {
    /// With a party, whom the app calls by that name or address, at an endpoint.
    pub(crate) fn new(between: Arc<Between>, party: String, called: Called) -> Self {
        let Called { host, target } = called;
        LaidBetween { between, party, host, target, seen: None }
    }
}

impl Tls for LaidBetween {
    /// What was said before would have to be read with TLS in mind, such as an offer to log in by
    /// means that are bound to the server's certificate.
    fn midway(&self) -> bool {
        false
    }

    /// One side alone cannot be given the other's certificate.
    fn accept(&mut self, plain: Stream, unread: bytes::Bytes) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(async move { NoTls.accept(plain, unread).await })
    }

    fn connect(
        &mut self,
        plain: Stream,
        unread: bytes::Bytes,
    ) -> BoxFuture<'_, io::Result<Stream>> {
        self.accept(plain, unread)
    }

    fn between(
        &mut self,
        client: Stream,
        unread: bytes::Bytes,
        server: Stream,
    ) -> BoxFuture<'_, io::Result<Joined>> {
        Box::pin(async move {
            let (party, host) = (self.party.as_str(), self.host.as_str());
            let ends = Ends { party, host, client, unread, server };
            let over = |laid| Stream::over(laid, Laid::into_below);
            match self.between.lay(ends, &mut self.seen).await {
                Ok((client, server)) => {
                    Ok(Joined::Secured { client: over(client), server: over(server) })
                }
                Err(Unlaid { error, client: Some((client, first)) }) => {
                    // It has heard our hello, so it is called once more.
                    let server =
                        dial(&self.target, REDIAL_LIMIT).await.map_err(io::Error::other)?;
                    Ok(Joined::Unread { client, first, server, why: error.to_string() })
                }
                Err(Unlaid { error, client: None }) => Err(error),
            }
        })
    }

    fn certificate(&self) -> Option<Certificate> {
        self.seen
    }
}
