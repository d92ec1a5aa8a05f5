//! A client of HTTPS by rustls, which the driver of MongoDB brings along: `corpus tls URL`. It trusts those whom the file in
//! SSL_CERT_FILE names, and prints what it is answered, or how it failed.

use crate::{Failure, env};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, Error, RootCertStore, StreamOwned};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// What the server says to `GET PATH`.
pub(crate) fn ask(url: &str) -> Result<String, Failure> {
    let (address, path) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')).ok_or("no URL")?;
    let (host, _) = address.rsplit_once(':').ok_or("no port")?;
    let mut roots = RootCertStore::empty();
    let file = CertificateDer::pem_file_iter(env("SSL_CERT_FILE")?)?;
    roots.add_parsable_certificates(file.filter_map(Result::ok));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let client = ClientConnection::new(config, ServerName::try_from(host.to_owned())?)?;
    let mut stream = StreamOwned::new(client, TcpStream::connect(address)?);
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(error.into()),
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// The kind of a failure: the certificate's flaw, without its times and names.
pub(crate) fn kind(failure: &Failure) -> String {
    let tls = failure.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref()?.downcast_ref::<Error>());
    let shown = match tls {
        Some(Error::InvalidCertificate(flaw)) => format!("{flaw:?}"),
        Some(other) => format!("{other:?}"),
        None => failure.to_string(),
    };
    shown.split(|sign: char| !sign.is_alphanumeric()).next().unwrap_or_default().trim_end_matches("Context").to_owned()
}
