//! Certificates for the servers that are stood in for, each with the flaw that the real one has.
//!
//! Whether an app minds a flaw is the app's to decide, as it would be without us.

use crate::TlsError;
use crate::authority::{Authority, private};
use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rehearsal_model::Certificate;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Certificates that are kept; more names than that are asked for by no app but by mistake.
const KEPT: usize = 1024;
/// Days before and after the app's today in which they are valid. Some clients refuse more than 825 in all.
const DAYS: i64 = 400;
/// The name in a certificate that has another one than was asked for.
const OTHER_NAME: &str = "another-name.invalid";

/// Signs certificates and keeps them.
pub(crate) struct Mint {
    authority: Arc<Authority>,
    /// Signs what the app shall not trust; made when it is needed.
    unknown: Mutex<Option<Arc<Authority>>>,
    provider: Arc<CryptoProvider>,
    key: KeyPair,
    kept: Mutex<HashMap<(String, Certificate), Arc<CertifiedKey>>>,
    today: Date,
}

impl Mint {
    pub(crate) fn new(
        authority: Arc<Authority>,
        provider: Arc<CryptoProvider>,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(|error| failed("anybody", &error))?;
        let (unknown, kept) = (Mutex::default(), Mutex::default());
        let today = now.to_zoned(TimeZone::UTC).date();
        Ok(Mint { authority, unknown, provider, key, kept, today })
    }

    /// The certificate for a server name or IP address, with its key.
    pub(crate) fn leaf(&self, name: &str, how: Certificate) -> Result<Arc<CertifiedKey>, TlsError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = (name.to_owned(), how);
        if let Some(leaf) = kept.get(&wanted) {
            return Ok(Arc::clone(leaf));
        }
        let leaf = Arc::new(self.make(name, how)?);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(wanted, Arc::clone(&leaf));
        Ok(leaf)
    }

    fn make(&self, name: &str, how: Certificate) -> Result<CertifiedKey, TlsError> {
        let failed = |error: rcgen::Error| failed(name, &error);
        let params = params(name, how, self.today).map_err(failed)?;
        let der = match how {
            Certificate::Untrusted => {
                self.unknown().map_err(failed)?.sign(&params, &self.key).map_err(failed)?
            }
            Certificate::SelfSigned => params.self_signed(&self.key).map_err(failed)?.der().clone(),
            Certificate::Valid
            | Certificate::Expired
            | Certificate::Misnamed
            | Certificate::Early => self.authority.sign(&params, &self.key).map_err(failed)?,
        };
        let key = self.provider.key_provider.load_private_key(private(&self.key));
        let key =
            key.map_err(|error| TlsError::Mint { name: name.to_owned(), what: error.to_string() })?;
        Ok(CertifiedKey::new(vec![der], key))
    }

    fn unknown(&self) -> Result<Arc<Authority>, rcgen::Error> {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unknown) = &*unknown {
            return Ok(Arc::clone(unknown));
        }
        Ok(Arc::clone(unknown.insert(Arc::new(Authority::unknown()?))))
    }
}

fn failed(name: &str, error: &rcgen::Error) -> TlsError {
    TlsError::Mint { name: name.to_owned(), what: error.to_string() }
}

fn params(name: &str, how: Certificate, today: Date) -> Result<CertificateParams, rcgen::Error> {
    let shown = if how == Certificate::Misnamed { OTHER_NAME } else { name };
    let mut names = vec![shown.to_owned()];
    // Clients of Java name no host to TLS that has no dot in it, and want it in the certificate all the same.
    if shown.parse().is_ok_and(|address: IpAddr| address.is_loopback()) {
        names.push("localhost".to_owned());
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    // Longer ones do not fit there, and nobody looks.
    if shown.len() <= 64 {
        params.distinguished_name.push(DnType::CommonName, shown);
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let in_days = |days: i64| {
        let day = today.saturating_add(Span::new().days(days));
        date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs())
    };
    let (first, last) = match how {
        Certificate::Expired => (-DAYS, -1),
        // Tomorrow may have begun somewhere.
        Certificate::Early => (2, DAYS),
        _ => (-DAYS, DAYS),
    };
    (params.not_before, params.not_after) = (in_days(first), in_days(last));
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::SanType;

    #[test]
    fn an_address_of_this_machine_is_called_localhost_too() {
        let names = |name: &str, how| {
            let made = params(name, how, Date::constant(2026, 11, 21)).unwrap();
            let named = made.subject_alt_names.into_iter().map(|name| match name {
                SanType::DnsName(name) => name.to_string(),
                SanType::IpAddress(address) => address.to_string(),
                other => format!("{other:?}"),
            });
            named.collect::<Vec<_>>()
        };
        assert_eq!(names("127.0.0.1", Certificate::Valid), ["127.0.0.1", "localhost"]);
        assert_eq!(names("::1", Certificate::Expired), ["::1", "localhost"]);
        assert_eq!(names("192.0.2.1", Certificate::Valid), ["192.0.2.1"]);
        assert_eq!(names("shop.example", Certificate::Valid), ["shop.example"]);
        assert_eq!(names("127.0.0.1", Certificate::Misnamed), [OTHER_NAME]);
    }
}
