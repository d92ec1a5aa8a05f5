//! Looks at a server's certificate and notes what is wrong with it, where a client would give up; or
//! gives up too, as far as it is told to.
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
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

/// See the module. One for each connection.
#[derive(Debug)]
pub(crate) struct Verifier {
    strict: Arc<WebPkiServerVerifier>,
    roots: Roots,
    /// Whose flaws are believed.
    believed: fn(Certificate) -> bool,
    seen: OnceLock<Looked>,
}

/// What was seen of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Looked {
    /// How it was.
    pub(crate) how: Certificate,
    /// Whether it is not for the address of this machine that was wanted, but for `localhost`.
    pub(crate) local: bool,
}

impl Verifier {
    /// Notes flaws and minds none.
    pub(crate) fn new(strict: Arc<WebPkiServerVerifier>, roots: Roots) -> Self {
        Verifier { strict, roots, believed: |_| true, seen: OnceLock::new() }
    }

    /// Minds every flaw but another name.
    pub(crate) fn of_authority(strict: Arc<WebPkiServerVerifier>, roots: Roots) -> Self {
        let believed = |how| matches!(how, Certificate::Valid | Certificate::Misnamed);
        Verifier { believed, ..Verifier::new(strict, roots) }
    }

    /// How the certificate was, once it was seen.
    pub(crate) fn seen(&self) -> Option<Looked> {
        self.seen.get().copied()
    }

    /// What is wrong with a certificate that is not as it should be.
    fn flaw(
        &self,
        error: &CertificateError,
        leaf: &CertificateDer<'_>,
        name: &ServerName<'_>,
    ) -> Certificate {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Certificate::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Certificate::Early
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Certificate::Misnamed
            }
            _ => self.known(leaf, name),
        }
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
        let judged = self.strict.verify_server_cert(leaf, intermediates, name, ocsp, now);
        let how = match &judged {
            Ok(_) => Certificate::Valid,
            Err(Error::InvalidCertificate(error)) => self.flaw(error, leaf, name),
            Err(_) => return judged,
        };
        let local = how == Certificate::Misnamed && is_local(leaf, name);
        let _ = self.seen.set(Looked { how, local });
        if (self.believed)(how) { Ok(ServerCertVerified::assertion()) } else { judged }
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

/// Whether a certificate is for `localhost` where it should be for an address that is called so. Clients of
/// Java and others tell a server no name that has no dot in it, and want that name in its certificate.
fn is_local(leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let ServerName::IpAddress(address) = name else { return false };
    let Ok(local) = ServerName::try_from("localhost") else { return false };
    IpAddr::from(*address).is_loopback()
        && ParsedCertificate::try_from(leaf)
            .and_then(|parsed| verify_server_name(&parsed, &local))
            .is_ok()
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
    fn a_certificate_for_localhost_is_one_for_no_other_address() {
        let made = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new([name.to_owned()]).unwrap();
            params.self_signed(&key).unwrap().der().clone()
        };
        let check = |certificate: &str, wanted: &str, expected: bool| {
            let wanted = ServerName::try_from(wanted.to_owned()).unwrap();
            assert_eq!(is_local(&made(certificate), &wanted), expected, "{certificate} {wanted:?}");
        };
        check("localhost", "127.0.0.1", true);
        check("localhost", "::1", true);
        check("localhost", "192.0.2.1", false);
        check("localhost", "shop.example", false);
        check("shop.example", "127.0.0.1", false);
    }

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
