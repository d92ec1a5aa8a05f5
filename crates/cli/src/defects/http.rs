//! The few HTTP requests that trackers want: JSON both ways, over TLS but for loopback, with a token
//! out of the environment that is neither written nor shown.

use super::refusal::Answer;
use crate::error::CliError;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use rehearsal_model::{DefectSettings, Tracker, Value, json};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 << 20;

/// A tracker's API with what it wants in each request.
pub(super) struct Site {
    tls: bool,
    host: String,
    port: u16,
    base: String,
    headers: Vec<(&'static str, String)>,
    /// What is never shown: the token, and what the headers make of it.
    secrets: Vec<String>,
}

impl Site {
    /// That of the settings, with the token of the environment.
    pub(super) fn of(settings: &DefectSettings) -> Result<Self, CliError> {
        let (url, token) = match settings.tracker {
            Tracker::Jira => ("", "JIRA_TOKEN"),
            Tracker::GitHub => ("https://api.github.com", "GITHUB_TOKEN"),
            Tracker::GitLab | Tracker::Local => ("https://gitlab.com", "GITLAB_TOKEN"),
        };
        let url = settings.url.as_deref().unwrap_or(url);
        let mut site = parse(url).ok_or_else(|| {
            CliError::Wrong(format!(
                "file a defect: `url` of `defects` in rehearsal.yaml has to be such as \
                 `https://example.atlassian.net`, and is `{url}`"
            ))
        })?;
        if !site.tls && !site.is_loopback() {
            let text =
                "file a defect: the token would be sent in the clear; give an https:// `url`";
            return Err(CliError::Wrong(text.to_owned()));
        }
        let secret = variable(settings.token.as_deref().unwrap_or(token))?;
        let user = settings.user.as_deref().map_or(Ok("JIRA_USER"), Ok);
        let user = user.and_then(|name| match settings.user {
            Some(_) => variable(name).map(Some),
            None => Ok(std::env::var(name).ok()),
        })?;
        site.secrets = vec![secret.clone()];
        site.headers = match (settings.tracker, user) {
            (Tracker::Jira, Some(user)) => {
                let both = base64(format!("{user}:{secret}").as_bytes());
                site.secrets.push(both.clone());
                vec![("authorization", format!("Basic {both}"))]
            }
            (Tracker::GitHub, _) => vec![
                ("authorization", format!("Bearer {secret}")),
                ("x-github-api-version", "2022-11-28".to_owned()),
            ],
            (Tracker::GitLab, _) => vec![("private-token", secret)],
            _ => vec![("authorization", format!("Bearer {secret}"))],
        };
        Ok(site)
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Asks and reads the answer; none where there is nothing (404).
    pub(super) fn ask(
        &self,
        method: &Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Option<Value>, CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CliError::io("start the runtime"))?;
        let doing = || format!("ask {} for {method} {path}", self.host);
        // A timer needs the runtime to be running.
        let asked =
            runtime.block_on(async { timeout(PATIENCE, self.send(method, path, body)).await });
        let answer = match asked {
            Ok(answer) => answer.map_err(CliError::io(doing()))?,
            Err(_) => {
                let late = io::Error::from(io::ErrorKind::TimedOut);
                return Err(CliError::io(doing())(late));
            }
        };
        match answer.status {
            404 => Ok(None),
            200..300 if answer.text.trim().is_empty() => Ok(Some(Value::Null)),
            200..300 => json::parse(&answer.text)
                .map(Some)
                .map_err(|error| CliError::io(doing())(io::Error::other(error.to_string()))),
            _ => Err(CliError::io(doing())(io::Error::other(answer.refusal(&self.secrets)))),
        }
    }

    async fn send(&self, method: &Method, path: &str, body: Option<Value>) -> io::Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("host", format!("{}:{}", self.host, self.port))
            .header("user-agent", concat!("rehearsal/", env!("CARGO_PKG_VERSION")))
            .header("accept", "application/json");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let body = body.map(|body| json::to_string(&body));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default()));
        let request = request.body(body).map_err(io::Error::other)?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        match self.tls {
            true => {
                let stream = rehearsal_tls::ask(&self.host, stream).await.map_err(|error| {
                    io::Error::other(format!(
                        "{error}; where the tracker's certificate comes from an authority of your \
                         own, name that in SSL_CERT_FILE"
                    ))
                })?;
                talk(TokioIo::new(stream), request).await
            }
            false => talk(TokioIo::new(stream), request).await,
        }
    }
}

async fn talk<L>(line: L, request: Request<Full<Bytes>>) -> io::Result<Answer>
where
    L: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(line).await.map_err(io::Error::other)?;
    let driving = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = answer.status().as_u16();
    let named = |name| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
    let (retry_after, location) = (named(header::RETRY_AFTER), named(header::LOCATION));
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    let body = body.map_err(io::Error::other)?.to_bytes();
    driving.abort();
    let text = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status, retry_after, location, text })
}

fn variable(name: &str) -> Result<String, CliError> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
        CliError::Wrong(format!(
            "file a defect: set the variable {name}, which has to hold the token"
        ))
    })
}

fn parse(url: &str) -> Option<Site> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let tls = match scheme {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, if tls { 443 } else { 80 }),
    };
    let plain = |char: char| char.is_ascii_alphanumeric() || "-.".contains(char);
    if host.is_empty() || !host.chars().all(plain) {
        return None;
    }
    let path = path.trim_matches('/');
    let base = if path.is_empty() { String::new() } else { format!("/{path}") };
    Some(Site { tls, host: host.to_owned(), port, base, headers: Vec::new(), secrets: Vec::new() })
}

/// A text as one part of a path or a value of a query (RFC 3986).
pub(super) fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for part in bytes.chunks(3) {
        let bits = part.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - part.len()));
        for place in 0..4 {
            let sign = SIGNS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= part.len() { char::from(sign) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_the_standards_say() {
        let said = ["", "f", "fo", "foo", "foobar"].map(|text| base64(text.as_bytes()));
        assert_eq!(said, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYmFy"]);
        assert_eq!(percent("group/a b#"), "group%2Fa%20b%23");
    }

    #[test]
    fn only_addresses_are_taken() {
        let of = |url: &str| parse(url).map(|site| (site.tls, site.host, site.port, site.base));
        let jira = (true, "x.example".to_owned(), 443, String::new());
        assert_eq!(of("https://x.example/"), Some(jira));
        let local = (false, "127.0.0.1".to_owned(), 8080, "/jira".to_owned());
        assert_eq!(of("http://127.0.0.1:8080/jira/"), Some(local));
        for bad in ["", "x.example", "ftp://x", "https://", "https://user@x", "https://x:y"] {
            assert!(of(bad).is_none(), "{bad}");
        }
    }
}
