//! The server: connections with their limits, and who is let in before anything is looked at.
//!
//! Nothing that comes may cost more than it is worth: a limited number of connections, each with a
//! limited life, a limited time for a request to arrive, and a limited size. What is shown is made on
//! threads that may wait for the disk.

use crate::flow::Flow;
use crate::guard::Guard;
use crate::live;
use crate::reply::Reply;
use crate::request::{self, Asked, Pairs};
use crate::routes;
use crate::{Backstage, runs};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Connections at a time; who comes beyond waits for one to end.
const CONNECTIONS: usize = 64;
/// How many of them may follow a run.
const FOLLOWERS: usize = 24;
/// How long a request may take to arrive, and a connection may be idle.
const ARRIVING: Duration = Duration::from_secs(10);
/// How long a connection may live. Browsers that follow a run come again.
const LIFE: Duration = Duration::from_secs(600);
/// How long nobody is let in when the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes and number of a request's headers, and the bytes of a form.
const HEADERS: (usize, usize) = (32 << 10, 64);
const FORM: usize = 64 << 10;

/// Where things are.
#[derive(Clone, Debug)]
pub struct Place {
    /// What the project is called.
    pub title: String,
    /// The folder of the runs that are kept.
    pub runs: PathBuf,
    /// Where the history is.
    pub history: rehearsal_history::Place,
}

/// All that answers need.
pub(crate) struct Site {
    pub(crate) guard: Guard,
    pub(crate) place: Place,
    pub(crate) backstage: Box<dyn Backstage>,
    pub(crate) followers: Arc<Semaphore>,
}

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    site: Arc<Site>,
}

impl Server {
    /// Listens at an address; with port 0 at any free port.
    ///
    /// # Errors
    /// When the address cannot be had, or there is no randomness.
    pub fn bind(
        address: SocketAddr,
        place: Place,
        backstage: Box<dyn Backstage>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let guard = Guard::new(listener.local_addr()?)?;
        let followers = Arc::new(Semaphore::new(FOLLOWERS));
        Ok(Server { listener, site: Arc::new(Site { guard, place, backstage, followers }) })
    }

    /// The address to open, with the token.
    #[must_use]
    pub fn url(&self) -> String {
        self.site.guard.url()
    }

    /// Serves until it is dropped. Must be called where an event loop runs.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn run(self) -> io::Result<Infallible> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                // The one who came has gone again, or there is no descriptor left for it.
                Err(error) if is_passing(&error) => {
                    drop(place);
                    let _ = timeout(PAUSE, std::future::pending::<()>()).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let site = Arc::clone(&self.site);
            tokio::spawn(async move {
                let _ = timeout(LIFE, connection(stream, site)).await;
                drop(place);
            });
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
        || error.raw_os_error().is_some_and(|code| matches!(code, 23 | 24))
}

async fn connection(stream: TcpStream, site: Arc<Site>) {
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(answer(request, site).await) }
    });
    // What a connection says that we cannot read is answered by hyper, and concerns nobody else.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(ARRIVING)
        .max_buf_size(HEADERS.0)
        .max_headers(HEADERS.1)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: Request<Incoming>, site: Arc<Site>) -> Response<Flow> {
    match admitted(request, &site).await {
        Err(refused) => refused.into_response(),
        Ok((asked, _)) if live::is_asked(&asked) && !asked.is_post => live::follow(&asked, &site),
        Ok((asked, is_head)) => {
            let made = spawn_blocking(move || routes::route(&asked, &site)).await;
            let mut response = match made {
                Ok(reply) => reply.into_response(),
                Err(_) => Reply::refusal(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "failed to make this page, by a mistake of Rehearsal",
                )
                .into_response(),
            };
            if is_head {
                *response.body_mut() = Flow::Whole(None);
            }
            response
        }
    }
}

/// The one value of a header; none if there is none, or more than one.
fn one(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// What is asked for and whether only the head is wanted, of those who may ask.
async fn admitted(request: Request<Incoming>, site: &Site) -> Result<(Asked, bool), Reply> {
    let refuse = |status, text: &str| Err(Reply::refusal(status, text));
    let (head, body) = request.into_parts();
    let host = one(&head.headers, header::HOST).unwrap_or_default().to_owned();
    if !site.guard.is_our_host(&host) || head.uri.authority().is_some() {
        return refuse(StatusCode::FORBIDDEN, "this server is not known by that host name");
    }
    let (is_post, is_head) = (head.method == Method::POST, head.method == Method::HEAD);
    if !is_post && !is_head && head.method != Method::GET {
        let refused = Reply::refusal(StatusCode::METHOD_NOT_ALLOWED, "no such method");
        return Err(refused.with(header::ALLOW, "GET, HEAD, POST".to_owned()));
    }
    let Some(query) = Pairs::parse(head.uri.query().unwrap_or_default()) else {
        return refuse(StatusCode::BAD_REQUEST, "the query is malformed");
    };
    let cookies = head.headers.get_all(header::COOKIE).iter();
    let known = cookies.filter_map(|it| it.to_str().ok()).any(|it| site.guard.is_let_in(it));
    if let (Some(token), "/", false) = (query.get("token"), head.uri.path(), is_post) {
        return Err(match site.guard.is_token(token) {
            true => entrance(site),
            false => Reply::refusal(StatusCode::FORBIDDEN, STRANGER),
        });
    }
    if !known {
        return refuse(StatusCode::FORBIDDEN, STRANGER);
    }
    let form = match is_post {
        false => Pairs::default(),
        true => form(&head.headers, &host, body, site).await?,
    };
    match request::path(head.uri.path()) {
        Some(path) => Ok((Asked { is_post, path, query, form }, is_head)),
        None => refuse(StatusCode::NOT_FOUND, "there is no such page"),
    }
}

const STRANGER: &str = "open the address that `rehearsal serve` printed: its token is missing or \
     wrong here, or the server was started again since";

/// Gives whoever came with the token its cookie. A redirection would not do: where a link in another
/// site's page led here, the cookie is not sent to where it leads.
fn entrance(site: &Site) -> Reply {
    let page = |_: &str| {
        "<!doctype html><html lang=\"en\"><head><title>Rehearsal</title>\
         <meta http-equiv=\"refresh\" content=\"0; url=/\"></head>\
         <body><p><a href=\"/\">Rehearsal</a></p></body></html>"
            .to_owned()
    };
    Reply::page(StatusCode::OK, page).with(header::SET_COOKIE, site.guard.cookie())
}

/// Reads a form, if it is one of ours.
async fn form(
    headers: &HeaderMap,
    host: &str,
    body: Incoming,
    site: &Site,
) -> Result<Pairs, Reply> {
    let refuse = |status, text: &str| Err(Reply::refusal(status, text));
    let kind = one(headers, header::CONTENT_TYPE).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "only forms are taken");
    }
    let body = match timeout(ARRIVING, Limited::new(body, FORM).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the form is too large"),
        Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, "the form took too long"),
    };
    let Some(form) = std::str::from_utf8(&body).ok().and_then(Pairs::parse) else {
        return refuse(StatusCode::BAD_REQUEST, "the form is malformed");
    };
    let origin = one(headers, header::ORIGIN);
    match site.guard.is_our_form(origin, host, form.get("form").unwrap_or_default()) {
        true => Ok(form),
        false => refuse(
            StatusCode::FORBIDDEN,
            "this form does not come from a page of this server; reload that page",
        ),
    }
}

impl Site {
    /// A run that is kept.
    pub(crate) fn run(&self, name: &str) -> Result<runs::Folder, crate::Problem> {
        runs::Folder::find(&self.place.runs, name)
    }
}
