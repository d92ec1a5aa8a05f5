//! TLS between the app and its dependencies while it is recorded.

use rehearsal_capture::Endpoint;
use rehearsal_model::Certificate;
use rehearsal_proxy::{BoxFuture, NoTls, Stream, Tls};
use rehearsal_supervise::Program;
use rehearsal_tls::{Authority, Between, Ends, Laid, Roots, TlsError, Trust};
use std::ffi::OsString;
use std::io;
use std::sync::Arc;

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

/// The host that the app called: by name where that is known, else by address.
pub(crate) fn host(to: &Endpoint, name: Option<&str>) -> String {
    match (name.and_then(|name| name.rsplit_once(':')), to) {
        (Some((host, _)), _) => host.trim_matches(['[', ']']).to_owned(),
        (None, Endpoint::Tcp(tcp)) => tcp.ip().to_canonical().to_string(),
        (None, Endpoint::Unix(_)) => "localhost".to_owned(),
    }
}

/// TLS over the two sides of one connection.
pub(crate) struct LaidBetween {
    between: Arc<Between>,
    party: String,
    host: String,
    seen: Option<Certificate>,
}

impl LaidBetween {
    pub(crate) fn new(between: Arc<Between>, party: String, host: String) -> Self {
        LaidBetween { between, party, host, seen: None }
    }
}

impl Tls for LaidBetween {
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
    ) -> BoxFuture<'_, io::Result<[Stream; 2]>> {
        Box::pin(async move {
            let (party, host) = (self.party.as_str(), self.host.as_str());
            let ends = Ends { party, host, client, unread, server };
            let (client, server) = self.between.lay(ends, &mut self.seen).await?;
            Ok([client, server].map(|laid| Stream::over(laid, Laid::into_below)))
        })
    }

    fn certificate(&self) -> Option<Certificate> {
        self.seen
    }
}
