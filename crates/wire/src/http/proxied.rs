//! What is said to a forward proxy: for whom it is, and how that one gets it.
//!
//! Two ways are known: a tunnel (`CONNECT`, RFC 9110, section 9.3.6), and a target that names its host
//! (absolute form, RFC 9112, section 3.2.2). Nothing here knows whether somebody is a proxy.

use super::versions::over_http2;
use super::write::request_line;
use super::{fields, head::Field};
use crate::party::authority;
use rehearsal_model::{Map, Value};

/// Fields that a client says to the proxy and to nobody beyond.
const FOR_THE_PROXY: &[&str] = &["proxy-authorization", "proxy-connection"];

/// With whom a request asks to be connected, as `host:port`. Over HTTP/2 a tunnel is one stream of many,
/// and what it carries is the body of its exchange.
pub(super) fn party(request: &Map) -> Option<String> {
    let (method, target) = request_line(request);
    if method != b"CONNECT" || over_http2(request) {
        return None;
    }
    let target = std::str::from_utf8(target).ok()?;
    authority(target, None)
}

/// For whom a request is that names its host, as `host:port`, and the request as that one gets it.
pub(super) fn forwarded(request: &Map) -> Option<(String, Map)> {
    let (method, target) = request_line(request);
    let (method, target) = (std::str::from_utf8(method).ok()?, std::str::from_utf8(target).ok()?);
    let (scheme, rest) = target.split_once("://")?;
    let port = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let party = authority(&rest[..end], Some(port))?;
    let slash = if rest[end..].starts_with('/') { "" } else { "/" };
    let mut request = request.clone();
    request.insert("http", format!("{method} {slash}{}", &rest[end..]));
    let list = fields::each(request.get("headers"));
    let theirs = |name: &str| !FOR_THE_PROXY.iter().any(|own| name.eq_ignore_ascii_case(own));
    let kept: Vec<Field> = list
        .into_iter()
        .filter(|(name, _)| theirs(name))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    match fields::record(kept) {
        Some(headers) => drop(request.insert("headers", headers)),
        None => drop(request.remove("headers")),
    }
    Some((party, request))
}

/// Whether a request says to a proxy who asks.
pub(super) fn has_credentials(request: &Map) -> bool {
    let list = fields::each(request.get("headers"));
    list.iter().any(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"))
}

/// A request for a tunnel in comparison form: with whom, and whether the proxy is told who asks. What
/// else it says concerns the proxy alone, and may be another each time (Digest).
pub(super) fn comparison(request: &Map) -> Value {
    let (_, target) = request_line(request);
    let target = String::from_utf8_lossy(target);
    let party = party(request).unwrap_or_else(|| target.into_owned());
    let mut form = Map::from([("http", format!("CONNECT {party}"))]);
    if has_credentials(request) {
        form.push_new("credentials", true);
    }
    form.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::json;

    fn request(text: &str) -> Map {
        json::parse(text).unwrap().as_map().unwrap().clone()
    }

    #[test]
    fn a_tunnel_names_its_party() {
        for (target, expected) in [
            ("shop:443", Some("shop:443")),
            ("Shop.EXAMPLE:443", Some("shop.example:443")),
            ("[::1]:443", Some("[::1]:443")),
            ("[0:0::1]:443", Some("[::1]:443")),
            ("10.0.0.7:8443", Some("10.0.0.7:8443")),
            ("shop", None),
            ("shop:", None),
            ("shop:99999", None),
            ("shop:+443", None),
            ("user@shop:443", None),
            ("/chat", None),
            ("[::1:443", None),
            (":443", None),
        ] {
            let request = Map::from([("http", format!("CONNECT {target}"))]);
            assert_eq!(party(&request).as_deref(), expected, "{target}");
        }
        assert_eq!(party(&request(r#"{"http":"GET shop:443"}"#)), None);
        assert_eq!(party(&request(r#"{"http":"CONNECT shop:443","version":"2"}"#)), None);
        let long = Map::from([("http", format!("CONNECT {}:443", "a".repeat(300)))]);
        assert_eq!(party(&long), None);
    }

    #[test]
    fn what_names_its_host_is_told_as_that_host_gets_it() {
        for (target, party, rest) in [
            ("http://shop/items?a=b", "shop:80", "/items?a=b"),
            ("HTTP://Shop:8080/", "shop:8080", "/"),
            ("https://shop?x=http://y/", "shop:443", "/?x=http://y/"),
            ("http://[::1]:9/", "[::1]:9", "/"),
            ("http://shop", "shop:80", "/"),
        ] {
            let (to, request) = forwarded(&Map::from([("http", format!("GET {target}"))])).unwrap();
            assert_eq!(
                (to.as_str(), request),
                (party, Map::from([("http", format!("GET {rest}"))]))
            );
        }
        for target in ["/items", "*", "ftp://shop/x", "http:///x", "http://a b/", "/x?y=http://z/"]
        {
            assert_eq!(
                forwarded(&Map::from([("http", format!("GET {target}"))])),
                None,
                "{target}"
            );
        }
    }

    #[test]
    fn what_is_said_to_the_proxy_goes_no_further() {
        let asked = request(
            r#"{"http":"GET http://a/","headers":{"Host":"a","Proxy-Connection":"x","proxy-authorization":"Basic eA=="},"body":"b"}"#,
        );
        let (_, told) = forwarded(&asked).unwrap();
        assert_eq!(told, request(r#"{"http":"GET /","headers":{"Host":"a"},"body":"b"}"#));
    }

    #[test]
    fn tunnels_are_equal_but_for_whether_it_is_said_who_asks() {
        let plain = request(r#"{"http":"CONNECT Shop:443","headers":{"User-Agent":"x"}}"#);
        let named = request(
            r#"{"http":"CONNECT shop:443","headers":{"Proxy-Authorization":"Basic eA=="}}"#,
        );
        assert_eq!(json::to_string(&comparison(&plain)), r#"{"http":"CONNECT shop:443"}"#);
        let form = r#"{"http":"CONNECT shop:443","credentials":true}"#;
        assert_eq!(json::to_string(&comparison(&named)), form);
    }
}
