//! Ports that are mapped by hand, on any operating system.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rehearsal_capture::portable::{self, Listen, Map};
use rehearsal_capture::{BoxFuture, Captured, Endpoint, Notice, Policy, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

struct ByName;

impl Policy for ByName {
    fn connect(&self, _to: &Endpoint) -> BoxFuture<'_, Verdict> {
        Box::pin(async { Verdict::Pass })
    }

    fn connect_named<'a>(&'a self, name: &'a str, _to: &'a Endpoint) -> BoxFuture<'a, Verdict> {
        let refused = name.starts_with("gone");
        Box::pin(async move {
            if refused { Verdict::Refuse(111, "not today") } else { Verdict::Redirect(Box::new(7)) }
        })
    }

    fn resolve(&self, _server: SocketAddr, _query: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>> {
        Box::pin(async { None })
    }

    fn datagram(&self, _to: SocketAddr) -> Result<(), i32> {
        Err(1)
    }
}

async fn next(notices: &mut UnboundedReceiver<Notice>) -> Notice {
    tokio::time::timeout(Duration::from_secs(20), notices.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_mapped_port_leads_to_us_under_its_name() {
    let (notices_tx, mut notices) = unbounded_channel();
    let maps = ["0=db.internal:5432".parse::<Map>().unwrap(), "0=gone:1".parse().unwrap()];
    let ports =
        portable::open((&maps, &[]), &Handle::current(), Arc::new(ByName), notices_tx).unwrap();
    let mut app = TcpStream::connect(ports.maps()[0]).await.unwrap();
    let Notice::Outbound { to, name, ticket, stream } = next(&mut notices).await else {
        panic!("an outbound connection")
    };
    assert_eq!(to, Endpoint::tcp(ports.maps()[0]));
    assert_eq!(name.as_deref(), Some("db.internal:5432"));
    assert_eq!(*ticket.downcast::<i32>().unwrap(), 7);
    let Captured::Tcp(stream) = stream else { panic!("TCP") };
    let mut stream = TcpStream::from_std(stream).unwrap();
    stream.write_all(b"hello").await.unwrap();
    let mut text = [0; 5];
    app.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"hello");

    let mut refused = TcpStream::connect(ports.maps()[1]).await.unwrap();
    assert!(matches!(
        next(&mut notices).await,
        Notice::Refused { errno: 111, why: "not today", .. }
    ));
    assert_eq!(
        refused.read(&mut text).await.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset
    );
}

#[tokio::test]
async fn the_app_is_ready_when_it_accepts() {
    let (notices_tx, mut notices) = unbounded_channel();
    let reserved = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let app_port = reserved.local_addr().unwrap().port();
    drop(reserved);
    let listens = [Listen { port: 0, app_port }];
    let ports =
        portable::open((&[], &listens), &Handle::current(), Arc::new(ByName), notices_tx).unwrap();
    let early = TcpStream::connect(ports.listens()[0]).await.unwrap_err();
    assert_eq!(early.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(notices.try_recv().is_err(), "nobody listens yet");
    let app = TcpListener::bind(("127.0.0.1", app_port)).await.unwrap();
    let Notice::Listening { visible, hidden, .. } = next(&mut notices).await else {
        panic!("readiness")
    };
    assert_eq!(visible, Endpoint::tcp(ports.listens()[0]));
    assert_eq!(hidden, Endpoint::tcp(app.local_addr().unwrap()));
    let _caller = TcpStream::connect(ports.listens()[0]).await.unwrap();
    assert!(matches!(next(&mut notices).await, Notice::Inbound { .. }));
}

#[tokio::test]
async fn a_taken_port_is_an_error_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let open = |maps: &[Map], listens: &[Listen]| {
        let (notices, _) = unbounded_channel();
        let ports = portable::open((maps, listens), &Handle::current(), Arc::new(ByName), notices);
        ports.unwrap_err().to_string()
    };
    let said = format!("listen on port {port} of this machine: ");
    let listen = open(&[], &[Listen { port, app_port: 1 }]);
    let map = open(&[Map { local_port: port, target: "db:1".to_owned() }], &[]);
    assert!(listen.starts_with(&said) && map.starts_with(&said), "{listen}\n{map}");
}

/// Both are bound to the port; the one that listens first has it.
#[tokio::test]
async fn an_app_that_listens_at_the_front_itself_is_reported() {
    let (notices_tx, mut notices) = unbounded_channel();
    let reserved = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let app_port = reserved.local_addr().unwrap().port();
    drop(reserved);
    let listens = [Listen { port: app_port, app_port }];
    let _ports =
        portable::open((&[], &listens), &Handle::current(), Arc::new(ByName), notices_tx).unwrap();
    let _app = TcpListener::bind(("127.0.0.1", app_port)).await.unwrap();
    let Notice::Trouble(text) = next(&mut notices).await else { panic!("trouble") };
    assert!(text.starts_with(&format!("listen on port {app_port} of this machine: ")), "{text}");
}

#[test]
fn mappings_are_read_and_nonsense_is_refused() {
    let map = "15432=[::1]:5432".parse::<Map>().unwrap();
    assert_eq!((map.local_port, map.target.as_str()), (15432, "[::1]:5432"));
    let listen = "8080=18080".parse::<Listen>().unwrap();
    assert_eq!(listen, Listen { port: 8080, app_port: 18080 });
    for text in ["", "15432", "15432=db", "15432=:5432", "15432=db:0", "x=db:1", "1=db:99999"] {
        assert!(text.parse::<Map>().is_err(), "{text}");
    }
    for text in ["", "8080", "8080=", "8080=0", "8080=x", "99999=1"] {
        assert!(text.parse::<Listen>().is_err(), "{text}");
    }
}
