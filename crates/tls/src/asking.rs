//! A client of our own, which asks a server on the net and believes only who proves its name, unless it
//! is told to believe more.

use crate::verify::{Anybody, Verifier};
use crate::{Roots, TlsError};
use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a server's certificate has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Signed by a known authority for the server's name.
    Name,
    /// Signed by a known authority, for whomever.
    Authority,
    /// Anything: the connection is only encrypted.
    Nothing,
}

/// Lays TLS over a connection to the server of this name. Roots are the system's and those of the
/// usual variables.
///
/// # Errors
/// When there are no roots, or the server is not who it should be.
pub async fn ask(name: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let config = client(Proof::Name, None).map_err(|error| io::Error::other(error.to_string()))?;
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

/// How a client of our own lays TLS that wants this proof. `roots` is a file of authorities beside
/// those of the system and of the usual variables.
///
/// # Errors
/// When a proof is wanted and no authority is known, or the file has none.
pub fn client(proof: Proof, roots: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = verifier(proof, roots, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsError::NoRoots)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Who believes a server by the proof that is wanted.
fn verifier(
    proof: Proof,
    roots: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    if proof == Proof::Nothing {
        return Ok(Arc::new(Anybody(Arc::clone(provider))));
    }
    let known = Roots::of_app(|name| match (name, roots) {
        ("SSL_CERT_FILE", Some(roots)) => Some(roots.as_os_str().to_owned()),
        _ => std::env::var_os(name),
    })?;
    let store = Arc::clone(&known.store);
    let strict = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(provider));
    let strict = strict.build().map_err(|_| TlsError::NoRoots)?;
    Ok(match proof {
        Proof::Authority => Arc::new(Verifier::of_authority(strict, known)),
        Proof::Name | Proof::Nothing => strict,
    })
}
