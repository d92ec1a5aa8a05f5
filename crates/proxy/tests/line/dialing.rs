//! Connecting by text, and connections that are not TCP.

use crate::rig::{Told, rig, within};
use rehearsal_model::Failure;
use rehearsal_proxy::{Ended, dial};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixStream};

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn an_address_or_a_name_is_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // A name may have a v6 address at which nobody listens; the other is tried then.
    for endpoint in [format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
        let (stream, accepted) = tokio::join!(dial(&endpoint, LIMIT), within(listener.accept()));
        let (mut stream, mut accepted) = (stream.unwrap(), accepted.unwrap().0);
        stream.write_all(b"hello").await.unwrap();
        let mut bytes = [0; 5];
        within(accepted.read_exact(&mut bytes)).await.unwrap();
        assert_eq!(&bytes, b"hello");
    }
}

#[tokio::test]
async fn nobody_there_is_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let path = format!("unix:{}", folder.path().join("nobody").display());
    for (endpoint, errno) in [(endpoint, libc::ECONNREFUSED), (path, libc::ENOENT)] {
        let error = dial(&endpoint, LIMIT).await.expect_err("nobody listens");
        assert_eq!((error.failure, error.errno), (Failure::Refused, Some(errno)));
        assert!(error.to_string().starts_with(&format!("connect to {endpoint}: ")), "{error}");
    }
}

#[tokio::test]
async fn the_limit_is_kept() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    // Nobody accepts, so that the queue is full soon and later attempts stay unanswered.
    let mut queue = Vec::new();
    let error = loop {
        match dial(&endpoint, Duration::from_millis(200)).await {
            Ok(stream) => queue.push(stream),
            Err(error) => break error,
        }
        assert!(queue.len() < 16, "the queue does not fill");
    };
    assert_eq!((error.failure, error.errno), (Failure::TimedOut, None));
}

#[tokio::test]
async fn unix_sockets_are_carried_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server");
    let listener = UnixListener::bind(&path).unwrap();
    let endpoint = format!("unix:{}", path.display());
    let (server_end, server) = tokio::join!(dial(&endpoint, LIMIT), within(listener.accept()));
    let (server_end, mut server) = (server_end.unwrap(), server.unwrap().0);
    let (mut client, client_end) = UnixStream::pair().unwrap();
    let rig = rig(|what| {
        what.client = client_end.into();
        what.server = server_end;
    })
    .await;

    client.write_all(b"hello\n").await.unwrap();
    client.shutdown().await.unwrap();
    let mut text = String::new();
    within(server.read_to_string(&mut text)).await.unwrap();
    assert_eq!(text, "hello\n");
    server.write_all(b"good day\n").await.unwrap();
    drop(server);
    text.clear();
    within(client.read_to_string(&mut text)).await.unwrap();
    assert_eq!(text, "good day\n");
    assert_eq!(rig.log.report().await.ended, Ended::Finished);
    let read = Told::Emit(0, "line", "hello".to_owned(), "good day".to_owned());
    assert_eq!(rig.log.exchanges(), [Told::Begin(0), read]);
}
