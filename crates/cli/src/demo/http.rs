//! HTTP for the sample: one handler for all requests of a listener, and one call to a service.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rehearsal_model::{Map, Value, json};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use tokio::net::{TcpListener, TcpStream};

/// What a handler gets.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
}

/// What a handler gives: a status and a JSON document, `Null` for none.
pub(super) struct Answered(pub(super) u16, pub(super) Value);

impl Answered {
    pub(super) fn error(status: u16, message: &str) -> Self {
        Answered(status, Map::from([("error", message)]).into())
    }
}

/// Serves until the listener is dropped with the task.
pub(super) async fn serve<H, F>(listener: TcpListener, handler: H)
where
    H: Fn(Asked) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answered> + Send + 'static,
{
    while let Ok((stream, _)) = listener.accept().await {
        let handler = handler.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(handler.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new();
            // A client that goes away is its own business.
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer<H, F>(handler: H, request: Request<Incoming>) -> Result<Reply, Infallible>
where
    H: Fn(Asked) -> F,
    F: Future<Output = Answered>,
{
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body = document(&body);
    let Answered(status, document) = handler(Asked { method, path, body }).await;
    Ok(reply(status, &document))
}

type Reply = Response<Full<Bytes>>;

fn reply(status: u16, document: &Value) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
    if *document != Value::Null {
        let json = hyper::header::HeaderValue::from_static("application/json");
        reply.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
        *reply.body_mut() = Full::new(json::to_string(document).into());
    }
    reply
}

fn document(body: &[u8]) -> Value {
    std::str::from_utf8(body).ok().and_then(|text| json::parse(text).ok()).unwrap_or_default()
}

/// Calls a service on its own connection.
pub(crate) async fn call(
    base: &str,
    method: Method,
    path: &str,
    body: Option<Map>,
) -> io::Result<(u16, Value)> {
    let authority = base.trim_start_matches("http://").trim_end_matches('/');
    let stream = TcpStream::connect(authority).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", authority);
    let mut content = Full::default();
    if let Some(body) = body {
        request = request.header("content-type", "application/json");
        content = Full::new(Bytes::from(json::to_string(&body.into())));
    }
    let request = request.body(content).map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    Ok((status, document(&body)))
}
