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
            return match signs_itself(leaf) {
                Some(true) => Certificate::SelfSigned,
                Some(false) | None => Certificate::Untrusted,
            };
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
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    Certificate::Expired
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Certificate::Early
                }
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

/// Whether a certificate names itself as who has signed it (RFC 5280, section 4.1). None when it cannot
/// be read.
fn signs_itself(certificate: &[u8]) -> Option<bool> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (_, whole, _) = element(certificate).filter(|(tag, _, _)| *tag == SEQUENCE)?;
    let (_, mut rest, _) = element(whole)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // The serial number, the algorithm, the issuer, the time, the subject.
    let mut parts = [rest; 5];
    for part in &mut parts {
        let (_, _, after) = element(rest)?;
        *part = &rest[..rest.len() - after.len()];
        rest = after;
    }
    Some(parts[2] == parts[4])
}

/// The tag and content of the first element of DER, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
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

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, Issuer, KeyPair};

    #[test]
    fn who_signs_itself_is_told_by_its_names() {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["shop.example".to_owned()]).unwrap();
        let own = params.self_signed(&key).unwrap();
        assert_eq!(signs_itself(own.der()), Some(true));
        let issuer = Issuer::new(crate::Authority::unknown_params(), KeyPair::generate().unwrap());
        let other = params.signed_by(&key, &issuer).unwrap();
        assert_eq!(signs_itself(other.der()), Some(false));
        for end in 0..own.der().len() {
            assert_eq!(signs_itself(&own.der()[..end]), None);
        }
    }
}
