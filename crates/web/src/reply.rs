//! Answers, and the headers that every one of them has.
//!
//! A page may run our script and use our style, which carry a nonce of that answer alone; nothing else
//! in it acts, and nothing is loaded from elsewhere or shown within somebody else's page.

use crate::flow::Flow;
use crate::guard;
use bytes::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) kind: &'static str,
    pub(crate) body: Bytes,
    /// The nonce of the page's script and style.
    pub(crate) nonce: String,
    /// Another header.
    pub(crate) more: Option<Box<(HeaderName, String)>>,
}

impl Reply {
    /// A page; `with` writes it, given its nonce.
    pub(crate) fn page(status: StatusCode, with: impl FnOnce(&str) -> String) -> Self {
        // Without a nonce nothing runs, which is safe.
        let nonce = guard::secret().unwrap_or_default();
        let body = with(&nonce).into();
        Reply { status, kind: "text/html; charset=utf-8", body, nonce, more: None }
    }

    /// Something that pages load.
    pub(crate) fn asset(kind: &'static str, body: String) -> Self {
        Reply { status: StatusCode::OK, kind, body: body.into(), nonce: String::new(), more: None }
    }

    /// A line for whoever is no browser of ours.
    pub(crate) fn refusal(status: StatusCode, text: &str) -> Self {
        let kind = "text/plain; charset=utf-8";
        Reply { status, kind, body: format!("{text}\n").into(), nonce: String::new(), more: None }
    }

    /// Sends a browser to another page of ours.
    pub(crate) fn see(path: &str) -> Self {
        let mut reply = Reply::refusal(StatusCode::SEE_OTHER, path);
        reply.more = Some(Box::new((header::LOCATION, path.to_owned())));
        reply
    }

    pub(crate) fn with(mut self, name: HeaderName, value: String) -> Self {
        self.more = Some(Box::new((name, value)));
        self
    }

    pub(crate) fn into_response(self) -> Response<Flow> {
        let Reply { status, kind, body, nonce, more } = self;
        let mut response = Response::new(Flow::Whole(Some(body)));
        *response.status_mut() = status;
        guarded(&mut response, kind, &nonce);
        if let Some((name, value)) = more.map(|more| *more)
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Adds the headers that every answer has.
pub(crate) fn guarded(response: &mut Response<Flow>, kind: &'static str, nonce: &str) {
    let allowed = match nonce {
        "" => String::new(),
        nonce => format!(" script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}';"),
    };
    let policy = format!(
        "default-src 'none';{allowed} img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        // With "no-referrer" browsers hide where a form comes from, which we check.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
