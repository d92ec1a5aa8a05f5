//! The server's half of TLS towards an app.

use crate::laid::{Begun, Laid, Line};
use crate::mint::Mint;
use crate::{Authority, TlsError};
use bytes::Bytes;
use jiff::Timestamp;
use rehearsal_model::Certificate;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{Acceptor, ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{KeyLog, NoKeyLog, ServerConfig};
use std::io;
use std::sync::Arc;
use tokio::io::AsyncBufReadExt;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

/// Application protocols that nobody here reads; what speaks them is asked to speak another.
const UNREADABLE: [&[u8]; 1] = [b"h3"];

/// Plays servers with certificates of their names. One for a whole run.
pub struct Played {
    mint: Mint,
    provider: Arc<CryptoProvider>,
}

impl Played {
    /// `now` is what the app's clock shows, when that is not the real time: certificates are valid
    /// around it.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new(
        authority: Arc<Authority>,
        now: Option<rehearsal_model::Timestamp>,
    ) -> Result<Self, TlsError> {
        let now = now.and_then(|now| Timestamp::from_millisecond(now.0).ok());
        let now = now.unwrap_or_else(Timestamp::now);
        let provider = Arc::new(aws_lc_rs::default_provider());
        Ok(Played { mint: Mint::new(authority, Arc::clone(&provider), now)?, provider })
    }

    /// Lays TLS over a connection of the app. `host` is whom it called, for clients that do not say
    /// it; `how` is the state of the certificate that they are shown. When nothing has ever been said
    /// there, `silent`, it is done only when the app says something: clients may look at a
    /// certificate when all else is over. What the app is asked to speak is of `spoken` if it offers that.
    ///
    /// # Errors
    /// When the app does not go along.
    pub async fn accept<L: Line>(
        &self,
        (host, how): (&str, Certificate),
        silent: bool,
        spoken: &[&str],
        client: L,
    ) -> io::Result<Laid<L>> {
        let begun = hello(Begun::new(Bytes::new(), client)).await?;
        self.go_on((host, how), silent, spoken, begun).await
    }

    /// Does so over a connection that has begun without, and from which `unread` has come already.
    ///
    /// # Errors
    /// When the app does not go along.
    pub async fn accept_midway<L: Line>(
        &self,
        shown: (&str, Certificate),
        unread: Bytes,
        client: L,
    ) -> io::Result<Laid<L>> {
        let begun = hello(Begun::new(unread, client)).await?;
        self.go_on(shown, false, &[], begun).await
    }

    async fn go_on<L: Line>(
        &self,
        (host, how): (&str, Certificate),
        silent: bool,
        spoken: &[&str],
        begun: StartHandshake<Begun<L>>,
    ) -> io::Result<Laid<L>> {
        let asked = begun.client_hello();
        let name = asked.server_name().unwrap_or(host).to_owned();
        let offer = readable(&asked).unwrap_or_default();
        let known = |name: &&Vec<u8>| spoken.iter().any(|spoken| spoken.as_bytes() == **name);
        let agreed = offer.iter().find(known).or(offer.first()).cloned();
        let (shown, keys) = ((name.as_str(), how), Arc::new(NoKeyLog {}));
        let mut tls = accept(&self.mint, &self.provider, begun, shown, agreed, keys).await?;
        if silent && tls.fill_buf().await?.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Laid::new(tls, None))
    }
}

/// Reads how the client begins.
pub(crate) async fn hello<L: Line>(line: Begun<L>) -> io::Result<StartHandshake<Begun<L>>> {
    LazyConfigAcceptor::new(Acceptor::default(), line).await
}

/// What a client offers to speak and somebody here may read; none when it offers only other things.
pub(crate) fn readable(hello: &ClientHello<'_>) -> Option<Vec<Vec<u8>>> {
    let Some(offered) = hello.alpn() else { return Some(Vec::new()) };
    let readable: Vec<Vec<u8>> =
        offered.filter(|name| !UNREADABLE.contains(name)).map(<[u8]>::to_vec).collect();
    (!readable.is_empty()).then_some(readable)
}

/// Goes on as the server of a name whose certificate is in that state, with the application protocol
/// that was agreed on.
pub(crate) async fn accept<L: Line>(
    mint: &Mint,
    provider: &Arc<CryptoProvider>,
    begun: StartHandshake<Begun<L>>,
    (name, how): (&str, Certificate),
    agreed: Option<Vec<u8>>,
    keys: Arc<dyn KeyLog>,
) -> io::Result<TlsStream<Begun<L>>> {
    let leaf = mint.leaf(name, how).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let mut config = config.with_no_client_auth().with_cert_resolver(Arc::new(Only(leaf)));
    config.key_log = keys;
    config.alpn_protocols = agreed.into_iter().collect();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    begun.into_stream(Arc::new(config)).await
}

/// One certificate for whoever asks.
#[derive(Debug)]
struct Only(Arc<CertifiedKey>);

impl ResolvesServerCert for Only {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
