//! Servers that speak TLS, played: with certificates that the app was told to trust.

use crate::shelf::{Shelf, ShelfEdge};
use bytes::Bytes;
use rehearsal_capture::{Endpoint, InPlace};
use rehearsal_model::{Certificate, EdgeName, EdgeSettings, LedgerLine, Role, Timestamp};
use rehearsal_proxy::{BoxFuture, NoTls, Stream, Tls};
use rehearsal_supervise::Program;
use rehearsal_tls::{Authority, Caller, Identity, Laid, Played, TlsError, Trust};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Tells a program to trust our authority, and makes what plays servers with its certificates. `now` is
/// what its clock shows, when that is not the real time.
///
/// # Errors
/// When there is no authority; the program is as it was then.
pub(crate) fn prepare(
    program: &mut Program,
    now: Option<Timestamp>,
) -> Result<(Arc<Played>, Vec<InPlace>), TlsError> {
    let variable = |name: &str| variable(program, name);
    let authority = Arc::new(Authority::of_user(variable)?);
    let played = Played::new(Arc::clone(&authority), now)?;
    let trust = Trust::prepare(&authority, variable)?;
    program.env.extend(trust.variables);
    program.remove.push(trust.folder);
    let shown = |(of, shown)| InPlace { of, shown };
    Ok((Arc::new(played), trust.files.into_iter().map(shown).collect()))
}

/// What calls the app on the edges where it speaks TLS.
///
/// # Errors
/// When the settings name a certificate of the caller that cannot be read.
pub(crate) fn callers(
    shelf: &Shelf,
    settings: &[EdgeSettings],
) -> Result<HashMap<EdgeName, Caller>, TlsError> {
    let edges = shelf.edges.iter();
    let edges = edges.filter(|edge| edge.role == Role::Inbound && edge.tls.first.is_some());
    let caller = |edge: &ShelfEdge| {
        let set = settings.iter().find(|set| edge.name.is_with(&set.name));
        let named = set.and_then(|set| Some((set.client_certificate.as_ref()?, &set.client_key)));
        let identity = named.map(|(certificate, key)| {
            Identity::read(Path::new(certificate), key.as_ref().map(Path::new))
        });
        Ok((edge.name.clone(), Caller::new(identity.transpose()?)))
    };
    edges.map(caller).collect()
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

/// Lays TLS over a connection of the app: the host that it called and what it is shown. `silent` says
/// that nothing was ever said there, `spoken` what was, as TLS calls it.
pub(crate) async fn accept(
    played: Option<Arc<Played>>,
    shown: (&str, Certificate),
    silent: bool,
    spoken: &[&str],
    client: Stream,
) -> io::Result<Stream> {
    let Some(played) = played else {
        client.reset();
        return Err(io::Error::other("there is no certificate authority"));
    };
    let laid = played.accept(shown, silent, spoken, client).await?;
    Ok(Stream::over(laid, Laid::into_below))
}

/// Lays TLS over a connection whose protocol turns to it.
pub(crate) struct PlayedMidway {
    pub(crate) played: Arc<Played>,
    /// The host that the app called.
    pub(crate) called: String,
    /// What it is shown.
    pub(crate) how: Certificate,
}

impl Tls for PlayedMidway {
    fn accept(&mut self, plain: Stream, unread: Bytes) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(async move {
            let shown = (self.called.as_str(), self.how);
            let laid = self.played.accept_midway(shown, unread, plain).await?;
            Ok(Stream::over(laid, Laid::into_below))
        })
    }

    /// A played server calls nobody.
    fn connect(&mut self, plain: Stream, unread: Bytes) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(async move { NoTls.connect(plain, unread).await })
    }
}

/// What the ledger says of a connection that ended before anything was said.
pub(crate) fn refused(edge: &EdgeName, how: Certificate) -> LedgerLine {
    let why = match how {
        Certificate::Valid => "the app did not accept our certificate".to_owned(),
        flaw => format!("the app was shown a certificate that is {}", flaw.word()),
    };
    LedgerLine {
        party: edge.to_string(),
        treatment: "refused".to_owned(),
        why: Some(why),
        connections: 1,
        ..LedgerLine::default()
    }
}
