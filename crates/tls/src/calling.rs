//! The client's half of TLS towards a server.
//!
//! What is thought of the server's certificate is a verifier's business; nobody is refused here.

use crate::TlsError;
use crate::identity::{Asked, Identity};
use crate::laid::{Begun, Laid, Line};
use crate::verify::Anybody;
use bytes::Bytes;
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, KeyLog, NoKeyLog};
use std::io;
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// Calls servers whoever they are, as a test calls the app. One for a whole run.
pub struct Caller {
    provider: Arc<CryptoProvider>,
    identity: Option<Identity>,
}

/// What a client says of itself and of whom it wants.
pub(crate) struct Wanted<'a> {
    /// The server's name or IP address.
    pub(crate) name: &'a str,
    /// Whether the server is told its name.
    pub(crate) said: bool,
    /// The application protocols that the client speaks.
    pub(crate) offer: Vec<Vec<u8>>,
}

impl Caller {
    /// With the certificate of the caller, if there is one.
    #[must_use]
    pub fn new(identity: Option<Identity>) -> Self {
        Caller { provider: Arc::new(aws_lc_rs::default_provider()), identity }
    }

    /// Lays TLS over a connection to a server, which is told that `name` is wanted, if that is known,
    /// and offered these application protocols.
    ///
    /// # Errors
    /// When the server does not go along.
    pub async fn call<L: Line>(
        &self,
        name: Option<&str>,
        offer: &[&str],
        server: L,
    ) -> io::Result<Laid<L>> {
        let verifier = Arc::new(Anybody(Arc::clone(&self.provider)));
        let asked = Arc::new(Asked::of(self.identity.clone()));
        let offer = offer.iter().map(|name| name.as_bytes().to_vec()).collect();
        let wanted = Wanted { name: name.unwrap_or("localhost"), said: name.is_some(), offer };
        let (asking, keys) = (Arc::clone(&asked), Arc::new(NoKeyLog {}));
        let laid = connect(&self.provider, verifier, asking, wanted, server, keys).await;
        laid.map_err(|error| match asked.in_vain() {
            true => io::Error::new(error.kind(), format!("{error}: {}", TlsError::ASKED)),
            false => error,
        })
    }
}

/// Lays TLS over a connection to a server.
pub(crate) async fn connect<L: Line>(
    provider: &Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
    asked: Arc<Asked>,
    Wanted { name, said, offer }: Wanted<'_>,
    server: L,
    keys: Arc<dyn KeyLog>,
) -> io::Result<Laid<L>> {
    let config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let mut config = config
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(asked);
    config.key_log = keys;
    config.alpn_protocols = offer;
    config.enable_sni = said;
    config.resumption = Resumption::disabled();
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let line = Begun::new(Bytes::new(), server);
    let tls = TlsConnector::from(Arc::new(config)).connect(name, line).await?;
    Ok(Laid::new(tls, None))
}
