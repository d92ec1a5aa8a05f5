//! Payments and refunds, JSON over HTTPS.

use crate::{Refused, bug};
use axum::http::StatusCode;
use reqwest::Client;
use rustls::{CertificateError, Error};
use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error as _;

#[derive(Deserialize)]
struct Paid {
    payment: String,
}

/// Takes money; the name of the payment.
pub(crate) async fn charge(http: &Client, cents: i64) -> Result<String, Refused> {
    let url = format!("{}/charges", std::env::var("PAYMENTS")?);
    let paid: Paid = http.post(url).json(&json!({"cents": cents})).send().await?.json().await?;
    Ok(paid.payment)
}

/// Asks for a refund, of a server whose certificate has to be good.
pub(crate) async fn refund(asked: &Value) -> Result<Value, Refused> {
    let http =
        Client::builder().tls_danger_accept_invalid_certs(bug("expired_cert_accepted")).build()?;
    let answer =
        http.post(format!("{}/refunds", std::env::var("REFUNDS")?)).json(asked).send().await;
    match answer {
        Ok(answer) => Ok(answer.json().await?),
        Err(error) if expired(&error) => {
            Err(Refused(StatusCode::BAD_GATEWAY, "certificate has expired".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a request failed because the server's certificate has expired.
fn expired(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        // An error of input and output is itself what it holds, and so not among its causes.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(Error::InvalidCertificate(flaw)) = held.and_then(|held| held.downcast_ref()) {
            return matches!(
                flaw,
                CertificateError::Expired | CertificateError::ExpiredContext { .. }
            );
        }
        cause = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    false
}
