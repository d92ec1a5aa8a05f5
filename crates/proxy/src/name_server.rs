//! Asking a name server what the app asks. Reads neither the question nor the answer.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// How long a name server may take. Resolvers ask again long before (`resolv.conf`: after 5 s).
const LIMIT: Duration = Duration::from_secs(10);
/// The largest datagram.
const DATAGRAM: usize = 65_535;

/// The answer of a name server to a question, each a DNS message in one datagram (RFC 1035, section 4.2.1);
/// none when it does not come within ten seconds.
pub async fn ask_name_server(server: SocketAddr, question: &[u8]) -> Option<Vec<u8>> {
    let local = if server.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
    let asking = async {
        let socket = UdpSocket::bind(local).await.ok()?;
        socket.connect(server).await.ok()?;
        socket.send(question).await.ok()?;
        let mut answer = vec![0; DATAGRAM];
        let length = socket.recv(&mut answer).await.ok()?;
        answer.truncate(length);
        Some(answer)
    };
    timeout(LIMIT, asking).await.ok().flatten()
}
