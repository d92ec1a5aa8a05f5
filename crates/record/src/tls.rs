//! TLS between the app and those on either side of it, while it is recorded.

use crate::desk::Desk;
use crate::edges::{Parties, PartyId};
use crate::sink::Message;
use rehearsal_capture::{Endpoint, InPlace};
use rehearsal_model::{Certificate, EdgeSettings, Role};
use rehearsal_proxy::{BoxFuture, Joined, NoTls, Stream, Tls, dial};
use rehearsal_supervise::Program;
use rehearsal_tls::{
    Authority, Between, Ends, Identity, Laid, Roots, Seen, TlsError, Trust, Unlaid,
};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a server may take to take a connection once more.
const REDIAL_LIMIT: Duration = Duration::from_secs(30);

/// Tells a program to trust our authority, and makes what stands between it and its dependencies, and the
/// files that it may be shown.
///
/// # Errors
/// When there is no authority, or nobody to trust; the program is as it was then.
pub(crate) fn prepare(
    program: &mut Program,
    identities: BTreeMap<String, Identity>,
) -> Result<(Between, Vec<InPlace>), TlsError> {
    let variable = |name: &str| variable(program, name);
    let authority = Arc::new(Authority::of_user(variable)?);
    let between = Between::new(Arc::clone(&authority), Roots::of_app(variable)?)?;
    let between = between.with_identities(identities);
    let trust = Trust::prepare(&authority, variable)?;
    program.env.extend(trust.variables);
    program.remove.push(trust.folder);
    let shown = |(of, shown)| InPlace { of, shown };
    Ok((between, trust.files.into_iter().map(shown).collect()))
}

/// A variable as the program would have it.
fn variable(program: &Program, name: &str) -> Option<OsString> {
    let set = program.env.iter().rev().find(|(known, _)| known == name);
    set.map(|(_, value)| value.clone()).or_else(|| std::env::var_os(name))
}

/// The certificates that the settings name, by edge.
///
/// # Errors
/// When one of them cannot be read.
pub(crate) fn identities(edges: &[EdgeSettings]) -> Result<BTreeMap<String, Identity>, TlsError> {
    let named = edges.iter().filter_map(|edge| Some((edge, edge.client_certificate.as_ref()?)));
    let read = named.map(|(edge, certificate)| {
        let key = edge.client_key.as_ref().map(Path::new);
        Ok((edge.name.clone(), Identity::read(Path::new(certificate), key)?))
    });
    read.collect()
}

/// Whom the client called.
pub(crate) struct Called {
    role: Role,
    /// Its host, by name where that is known, else by address.
    host: String,
    /// Where it was dialled; none when somebody else did that.
    target: Option<String>,
}

impl Called {
    /// The app was called, at an address of that host, and listens at `hidden`.
    pub(crate) fn app(host: String, hidden: &Endpoint) -> Self {
        Called { role: Role::Inbound, host, target: Some(hidden.to_string()) }
    }

    /// The app called.
    pub(crate) fn new(to: &Endpoint, name: Option<&str>) -> Self {
        let host = match (name.and_then(|name| name.rsplit_once(':')), to) {
            (Some((host, _)), _) => host.trim_matches(['[', ']']).to_owned(),
            (None, Endpoint::Tcp(tcp)) => tcp.ip().to_canonical().to_string(),
            (None, Endpoint::Unix(_)) => "localhost".to_owned(),
        };
        let target = name.map_or_else(|| to.to_string(), str::to_owned);
        Called { role: Role::Outbound, host, target: Some(target) }
    }

    /// Where it was dialled.
    pub(crate) fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// The app had itself connected with that party, `host:port`, by somebody else.
    pub(crate) fn beyond(party: &str) -> Self {
        let host = party.rsplit_once(':').map_or(party, |(host, _)| host);
        let host = host.trim_matches(['[', ']']).to_owned();
        Called { role: Role::Outbound, host, target: None }
    }
}

/// What lays TLS over the connections of all parties.
#[derive(Clone)]
pub(crate) struct Secured {
    pub(crate) parties: Arc<Parties>,
    pub(crate) desk: Arc<Desk>,
    /// What reads TLS, if anything does.
    pub(crate) between: Option<Arc<Between>>,
}

impl Secured {
    /// What lays it over a connection of a party.
    pub(crate) fn over(&self, party: PartyId, called: Called) -> Box<dyn Tls> {
        let Some(between) = &self.between else { return Box::new(NoTls) };
        let party = self.parties.get(party).name.to_string();
        match between.obstacle(&party) {
            Some(why) => {
                let text = format!("edge {party}: its connections are passed on unread: {why}");
                self.desk.tell(Message::Warning(text));
                Box::new(NoTls)
            }
            None => Box::new(LaidBetween::new(Arc::clone(between), party, called)),
        }
    }
}

/// TLS over the two sides of one connection.
pub(crate) struct LaidBetween {
    between: Arc<Between>,
    party: String,
    called: Called,
    seen: Option<Seen>,
}

impl LaidBetween {
    /// Of an edge, on which that was called.
    pub(crate) fn new(between: Arc<Between>, party: String, called: Called) -> Self {
        LaidBetween { between, party, called, seen: None }
    }
}

impl Tls for LaidBetween {
    /// Who calls the app while it is tested cannot turn to TLS.
    fn midway(&self) -> bool {
        self.called.role == Role::Outbound
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
        midway: bool,
    ) -> BoxFuture<'_, io::Result<Joined>> {
        Box::pin(async move {
            let Called { role, host, target } = &self.called;
            let (party, role) = (self.party.as_str(), *role);
            let ends = Ends { party, role, host, client, unread, midway, server };
            let over = |laid| Stream::over(laid, Laid::into_below);
            match self.between.lay(ends, &mut self.seen).await {
                Ok((client, server)) => {
                    Ok(Joined::Secured { client: over(client), server: over(server) })
                }
                Err(Unlaid { error, client: Some((client, first)) }) => {
                    let Some(target) = target else {
                        client.reset();
                        return Err(error);
                    };
                    // It has heard our hello, so it is called once more.
                    let server = dial(target, REDIAL_LIMIT).await.map_err(io::Error::other)?;
                    Ok(Joined::Unread { client, first, server, why: error.to_string() })
                }
                Err(Unlaid { error, client: None }) => Err(error),
            }
        })
    }

    fn seen(&self) -> Option<(Certificate, Option<String>)> {
        self.seen.as_ref().map(|seen| (seen.certificate, seen.name.clone()))
    }
}
