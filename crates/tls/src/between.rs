//! Standing between a client and a server, one of which is the app, with TLS towards both.
//!
//! The server comes first, so that the app is shown a certificate as good as the server's and offered
//! what the server agreed to. Where that cannot be done, the party is remembered, and whoever carries
//! its next connection asks [`Between::obstacle`] and leaves that unread.

use crate::calling::{self, Wanted};
use crate::identity::{Asked, Identity};
use crate::laid::{Begun, FirstRead, Laid, Line};
use crate::mint::Mint;
use crate::played::{accept, hello, readable};
use crate::verify::{Looked, Verifier};
use crate::{Authority, KeyFile, Roots, TlsError};
use bytes::Bytes;
use jiff::Timestamp;
use rehearsal_model::{Certificate, Role};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{KeyLog, NoKeyLog};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Parties that are remembered.
const PARTIES: usize = 10_000;

/// See the module. One for a whole recording.
pub struct Between {
    mint: Mint,
    provider: Arc<CryptoProvider>,
    roots: Roots,
    strict: Arc<WebPkiServerVerifier>,
    parties: Arc<Mutex<Parties>>,
    /// The certificates of those who call parties that ask for one.
    identities: BTreeMap<String, Identity>,
    /// Where the secrets of both sides go, if anybody asked for them.
    keys: Arc<dyn KeyLog>,
}

#[derive(Default)]
struct Parties {
    /// Those that cannot be read, and why.
    unread: BTreeMap<String, String>,
    /// Those with whom an app has talked through us.
    heard: BTreeSet<String>,
}

/// The two ends of a connection in the middle of which we are.
pub struct Ends<'a, L> {
    /// What people call the edge.
    pub party: &'a str,
    /// Whether the app is the client, or the server.
    pub role: Role,
    /// Its name or IP address, for clients that do not name whom they want.
    pub host: &'a str,
    /// The client's end.
    pub client: L,
    /// What came from the client already.
    pub unread: Bytes,
    /// Whether the connection turns to TLS, after it has begun without.
    pub midway: bool,
    /// The server's end.
    pub server: L,
}

/// What was seen of a server and of how its client asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How the server's certificate was.
    pub certificate: Certificate,
    /// The name by which the client asked for it, if it did.
    pub name: Option<String>,
}

/// Why TLS was not laid.
#[derive(Debug)]
pub struct Unlaid<L> {
    /// What happened.
    pub error: io::Error,
    /// The client's end with all that came from it, when it was told nothing yet: the server may be
    /// called once more and the connection passed on as it is.
    pub client: Option<(L, Bytes)>,
}

impl<L> From<io::Error> for Unlaid<L> {
    fn from(error: io::Error) -> Self {
        Unlaid { error, client: None }
    }
}

impl Between {
    /// # Errors
    /// When no key can be made.
    pub fn new(authority: Arc<Authority>, roots: Roots) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let strict = WebPkiServerVerifier::builder_with_provider(
            Arc::clone(&roots.store),
            Arc::clone(&provider),
        );
        let strict = strict.build().map_err(|_| TlsError::NoRoots)?;
        let mint = Mint::new(authority, Arc::clone(&provider), Timestamp::now())?;
        let (parties, identities) = (Arc::default(), BTreeMap::new());
        let keys = Arc::new(NoKeyLog {});
        Ok(Between { mint, provider, roots, strict, parties, identities, keys })
    }

    /// With the certificates of those who call parties that ask for one, by the parties' names.
    #[must_use]
    pub fn with_identities(self, identities: BTreeMap<String, Identity>) -> Self {
        Between { identities, ..self }
    }

    /// With a file that gets the secrets of all connections.
    #[must_use]
    pub fn with_keys(self, keys: Arc<KeyFile>) -> Self {
        Between { keys, ..self }
    }

    /// Why the connections with a party have to be passed on unread, if so.
    #[must_use]
    pub fn obstacle(&self, party: &str) -> Option<String> {
        locked(&self.parties).unread.get(party).cloned()
    }

    /// Lays TLS over both ends. `seen` becomes what was seen of the server.
    ///
    /// # Errors
    /// When either does not go along; the text says who and what will be done about it.
    pub async fn lay<L: Line>(
        &self,
        ends: Ends<'_, L>,
        seen: &mut Option<Seen>,
    ) -> Result<(Laid<L>, Laid<L>), Unlaid<L>> {
        let Ends { party, role, host, client, unread, midway, server } = ends;
        let mut begun = hello(Begun::keeping(unread, client)).await?;
        let asked = begun.client_hello();
        let named = asked.server_name().map(str::to_owned);
        let name = named.clone().unwrap_or_else(|| host.to_owned());
        let Some(offer) = readable(&asked) else {
            return Err(self.untouched(
                party,
                "it speaks HTTP/3 only, which is not read",
                begun.io,
            ));
        };
        let wanted = Wanted { name: &name, said: named.is_some(), offer };
        let (server, Looked { how, local }) =
            match self.connect(party, wanted, midway, server).await {
                Ok(connected) => connected,
                Err(error) => {
                    let why = format!("TLS with the server cannot be established by us ({error})");
                    return Err(self.untouched(party, &why, begun.io));
                }
            };
        begun.io.forget();
        let agreed = server.alpn();
        // Whom a client wants that names nobody shows in what it accepts.
        let (name, how) =
            if local { ("localhost".to_owned(), Certificate::Valid) } else { (name, how) };
        // Whom the callers of the app trust, such as the very certificate that it has signed itself, is
        // theirs to know; a time that is over, or another name, is a flaw for all of them.
        let shown = match (role, how) {
            (Role::Inbound, Certificate::Untrusted | Certificate::SelfSigned) => Certificate::Valid,
            (Role::Inbound | Role::Outbound, how) => how,
        };
        let (shown_as, keys) = ((name.as_str(), shown), Arc::clone(&self.keys));
        let accepted = accept(&self.mint, &self.provider, begun, shown_as, agreed, keys).await;
        let how = if local && accepted.is_err() { Certificate::Misnamed } else { how };
        *seen = Some(Seen { certificate: how, name: named });
        match accepted {
            Ok(tls) if role == Role::Inbound => Ok((Laid::new(tls, None), server)),
            Ok(tls) => Ok((Laid::new(tls, self.listen(party, how)), server)),
            Err(error) if role == Role::Inbound && shown != Certificate::Valid => {
                Err(io::Error::other(format!(
                    "edge {party}: the app's certificate is {}, and a caller refused it ({error})",
                    how.word()
                ))
                .into())
            }
            // One caller of many says nothing of the others.
            Err(error) if role == Role::Inbound => Err(io::Error::other(format!(
                "edge {party}: a caller did not accept the certificate in place of the app's ({error}); have it trust authority.crt in rehearsal's data folder, as docs/tls.md says"
            ))
            .into()),
            Err(error) if how == Certificate::Valid => {
                let why = format!(
                    "the app did not accept the certificate in place of the server's ({error}): it trusts only certificates of its own choice"
                );
                let why = self.leave(party, &why);
                Err(io::Error::other(format!(
                    "edge {party}: {why}; its next connections are passed on unread"
                ))
                .into())
            }
            Err(error) => Err(io::Error::other(format!(
                "edge {party}: the server's certificate is {}, and the app refused it ({error})",
                how.word()
            ))
            .into()),
        }
    }

    async fn connect<L: Line>(
        &self,
        party: &str,
        wanted: Wanted<'_>,
        midway: bool,
        server: L,
    ) -> io::Result<(Laid<L>, Looked)> {
        let verifier = Arc::new(Verifier::new(Arc::clone(&self.strict), self.roots.clone()));
        let asked = Arc::new(Asked::of(self.identities.get(party).cloned()));
        let looking = Arc::clone(&verifier);
        let (asking, keys) = (Arc::clone(&asked), Arc::clone(&self.keys));
        let laid = calling::connect(&self.provider, looking, asking, wanted, server, keys).await;
        // Many a server ends the connection over that, some only after the handshake. Those that are
        // turned to TLS, such as databases, mostly ask to no purpose.
        if asked.in_vain() && !(midway && laid.is_ok()) {
            return Err(io::Error::other(TlsError::ASKED));
        }
        Ok((laid?, verifier.seen().unwrap_or(Looked { how: Certificate::Untrusted, local: false })))
    }

    /// Notices when the app goes away at once: it may have looked at the certificate itself.
    fn listen(&self, party: &str, how: Certificate) -> Option<FirstRead> {
        if how != Certificate::Valid {
            return None;
        }
        let (parties, party) = (Arc::clone(&self.parties), party.to_owned());
        Some(Box::new(move |read| {
            let mut parties = locked(&parties);
            match read {
                Ok(1..) if parties.heard.len() < PARTIES => drop(parties.heard.insert(party)),
                Ok(1..) => {}
                Ok(0) | Err(_) if !parties.heard.contains(&party) => {
                    let why = "the app ended the connection as soon as it had seen the certificate in place of the server's";
                    parties.leave(party, why);
                }
                Ok(0) | Err(_) => {}
            }
        }))
    }

    /// Leaves a party unread from here on.
    fn leave<'a>(&self, party: &str, why: &'a str) -> &'a str {
        locked(&self.parties).leave(party.to_owned(), why);
        why
    }

    /// As [`Between::leave`], when the app has noticed nothing yet.
    fn untouched<L: Line>(&self, party: &str, why: &str, client: Begun<L>) -> Unlaid<L> {
        let why = self.leave(party, why);
        let error =
            io::Error::other(format!("edge {party}: its connections are passed on unread: {why}"));
        Unlaid { error, client: Some(client.into_beginning()) }
    }
}

impl Parties {
    fn leave(&mut self, party: String, why: &str) {
        if self.unread.len() < PARTIES {
            self.unread.entry(party).or_insert_with(|| why.to_owned());
        }
    }
}

fn locked(parties: &Mutex<Parties>) -> MutexGuard<'_, Parties> {
    parties.lock().unwrap_or_else(PoisonError::into_inner)
}
