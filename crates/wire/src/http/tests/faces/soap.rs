//! SOAP: what an envelope asks for, and its faults.

use super::*;

const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

#[track_caller]
fn posted(headers: &str, body: &str) -> Told {
    let mut request = map(&format!(r#"{{"http":"POST /tax","headers":{headers}}}"#));
    request.push_new("body", body);
    tell(&request)
}

fn envelope(namespace: &str, content: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<!-- a --><s:Envelope xmlns:s=\"{namespace}\"><s:Header><a><b/></a></s:Header>\
         <s:Body>{content}</s:Body></s:Envelope>"
    )
}

#[test]
fn action_and_first_element_identify() {
    let content = r#"<GetTax xmlns="urn:tax"><amount>19.90</amount></GetTax>"#;
    let told = posted(
        r#"{"Content-Type":"text/xml","SOAPAction":"\"urn:tax#GetTax\""}"#,
        &envelope(SOAP_11, content),
    );
    assert_eq!(told.operation, "SOAP GetTax");
    assert_eq!(
        told.identity,
        r#"{"http":"POST /tax","soap":{"action":"urn:tax#GetTax","element":"{urn:tax}GetTax"}}"#
    );
    assert!(told.form.contains(r#""soapaction":"urn:tax#GetTax""#), "{}", told.form);
    assert!(!told.repeatable);

    let prefixed = r#"<t:GetTax xmlns:t="urn:tax"><t:amount>1</t:amount></t:GetTax>"#;
    let same = posted(r#"{"soapaction":"urn:tax#GetTax"}"#, &envelope(SOAP_11, prefixed));
    assert_eq!(same.identity, told.identity);
    let other = posted(r#"{"soapaction":"urn:tax#GetTax"}"#, &envelope(SOAP_11, "<GetTax/>"));
    assert_ne!(other.identity, told.identity);
}

#[test]
fn the_action_of_1_2_is_in_the_content_type() {
    let headers = r#"{"content-type":"application/soap+xml; charset=utf-8; action=\"urn:a\""}"#;
    let told = posted(headers, &envelope(SOAP_12, "<!-- first --><a:B xmlns:a=\"urn:x\"/>"));
    assert_eq!(told.operation, "SOAP B");
    assert_eq!(
        told.identity,
        r#"{"http":"POST /tax","soap":{"action":"urn:a","element":"{urn:x}B"}}"#
    );
}

#[test]
fn an_empty_body_is_known_by_its_action() {
    let told = posted(r#"{"soapaction":"urn:ping"}"#, &envelope(SOAP_11, " "));
    assert_eq!(told.operation, "SOAP urn:ping");
    assert_eq!(posted("{}", &envelope(SOAP_11, "")).operation, "SOAP");
    assert_eq!(
        posted("{}", &format!("<Envelope xmlns='{SOAP_12}'><Body/></Envelope>")).operation,
        "SOAP"
    );
}

#[test]
fn what_is_no_envelope_is_plain_http() {
    let deep = "<a>".repeat(10_000);
    let plain = [
        "<a/>".to_owned(),
        "<Envelope><Body><a/></Body></Envelope>".to_owned(),
        format!("<s:Envelop xmlns:s=\"{SOAP_11}\"/>"),
        format!("<s:Envelope xmlns:s=\"{SOAP_11}\"><s:Header>{deep}"),
        format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{}", envelope(SOAP_11, "<a>&b;</a>")),
        format!("<s:Envelope xmlns:s=\"{SOAP_11}\"><s:Header>&b;</s:Header><s:Body><x:a/>"),
        "not XML".to_owned(),
        "<".to_owned(),
    ];
    for body in plain {
        assert_eq!(posted("{}", &body).operation, "POST /tax", "{}", &body[..body.len().min(200)]);
    }
}

#[test]
fn faults_are_named() {
    let mut request = map(r#"{"http":"POST /tax"}"#);
    request.push_new("body", envelope(SOAP_11, "<a/>"));
    let failure = |body: String| {
        let response = Map::from([("status", Value::from(500)), ("body", Value::from(body))]);
        Http.facets().failure(&request, &response)
    };
    let first = "<s:Fault><faultcode>s:Client</faultcode><faultstring>no &lt;country&gt; &#233;<![CDATA[!]]>\
                 </faultstring><detail><Text>more</Text></detail></s:Fault>";
    assert_eq!(failure(envelope(SOAP_11, first)).as_deref(), Some("SOAP fault: no <country> é!"));
    let second = "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang=\"en\">no</s:Text>\
                  <s:Text xml:lang=\"de\">nein</s:Text></s:Reason></s:Fault>";
    assert_eq!(failure(envelope(SOAP_12, second)).as_deref(), Some("SOAP fault: no"));
    assert_eq!(failure(envelope(SOAP_11, "<s:Fault/>")).as_deref(), Some("SOAP fault"));
    assert_eq!(failure(envelope(SOAP_11, "<Fault/>")), None);
    assert_eq!(failure(envelope(SOAP_11, "<a><faultstring>x</faultstring></a>")), None);
    let long = format!("<s:Fault><faultstring>{}</faultstring></s:Fault>", "é".repeat(1000));
    assert_eq!(failure(envelope(SOAP_11, &long)).map(|said| said.chars().count()), Some(212));
}
