//! Looks at a server's certificate and notes what is wrong with it, where a client would give up.
//!
//! That the server has the certificate's key is always insisted on.

use crate::Roots;
use rehearsal_model::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::{Arc, OnceLock};

/// See the module. One for each connection.
#[derive(Debug)]
pub(crate) struct Verifier {
    strict: Arc<WebPkiServerVerifier>,
    roots: Roots,
    seen: OnceLock<Certificate>,
}

impl Verifier {
    pub(crate) fn new(strict: Arc<WebPkiServerVerifier>, roots: Roots) -> Self {
        Verifier { strict, roots, seen: OnceLock::new() }
    }

    /// How the certificate was, once it was seen.
    pub(crate) fn seen(&self) -> Option<Certificate> {
        self.seen.get().copied()
    }

    /// What clients think that trust exactly this certificate, whoever signed it.
    fn known(&self, leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> Certificate {
        if !self.roots.contain(leaf) {
            return Certificate::Untrusted;
        }
        let parsed = ParsedCertificate::try_from(leaf);
        match parsed.and_then(|parsed| verify_server_name(&parsed, name)) {
            Ok(()) => Certificate::Valid,
            Err(_) => Certificate::Misnamed,
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let how = match self.strict.verify_server_cert(leaf, intermediates, name, ocsp, now) {
            Ok(_) => Certificate::Valid,
            Err(Error::InvalidCertificate(error)) => match error {
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => Certificate::Expired,
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => Certificate::Misnamed,
                _ => self.known(leaf, name),
            },
            Err(error) => return Err(error),
        };
        let _ = self.seen.set(how);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}

/// Takes whatever certificate a server shows, whose key the server must have all the same.
#[derive(Debug)]
pub(crate) struct Anybody(pub(crate) Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
