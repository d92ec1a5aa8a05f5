//! What a country takes, by SOAP 1.1 over HTTPS.

use crate::{Refused, bug};
use axum::http::StatusCode;
use reqwest::Client;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename = "s:Envelope")]
struct Question {
    #[serde(rename = "@xmlns:s")]
    soap: &'static str,
    #[serde(rename = "s:Body")]
    body: QuestionBody,
}

#[derive(Serialize)]
struct QuestionBody {
    #[serde(rename = "GetTax")]
    asked: GetTax,
}

#[derive(Serialize)]
struct GetTax {
    #[serde(rename = "@xmlns")]
    taxes: &'static str,
    country: String,
    amount: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Body")]
    body: AnswerBody,
}

#[derive(Deserialize)]
struct AnswerBody {
    #[serde(rename = "GetTaxResponse")]
    told: Option<Tax>,
    #[serde(rename = "Fault")]
    fault: Option<Fault>,
}

#[derive(Deserialize)]
struct Tax {
    tax: f64,
}

#[derive(Deserialize)]
struct Fault {
    faultstring: String,
}

/// What a country takes of an amount, both in cents.
pub(crate) async fn ask(http: &Client, country: &str, cents: i64) -> Result<i64, Refused> {
    let amount = format!("{}.{:02}", cents / 100, cents % 100);
    let asked = GetTax { taxes: "urn:taxes", country: country.to_owned(), amount };
    let question = Question {
        soap: "http://schemas.xmlsoap.org/soap/envelope/",
        body: QuestionBody { asked },
    };
    let request = http
        .post(format!("{}/tax", std::env::var("TAX")?))
        .header("content-type", "text/xml")
        .header("soapaction", "\"urn:taxes/GetTax\"")
        .body(quick_xml::se::to_string(&question)?);
    let answer: Answer = quick_xml::de::from_str(&request.send().await?.text().await?)?;
    match (answer.body.told, answer.body.fault) {
        (Some(told), _) => Ok((told.tax * 100.0).round() as i64),
        (None, Some(_)) if bug("soap_fault") => Ok(0),
        (None, Some(fault)) => Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, fault.faultstring)),
        (None, None) => Err("the taxes say nothing".into()),
    }
}
