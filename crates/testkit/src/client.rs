//! A plain blocking HTTP/1.1 client on one connection. It sends exactly what it is given and
//! understands only what the fixtures answer: a length, chunks, or a body until the end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take: far more than any fixture needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest body that is read.
const LONGEST: u64 = 256 << 20;

/// One connection, kept alive.
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// An answer, with its body put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Such as 200.
    pub status: u16,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// Without its transfer coding.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    ///
    /// # Panics
    ///
    /// When it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body that is not text")
    }

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

impl Client {
    /// Connects to a port of 127.0.0.1; nothing if nobody listens there.
    #[must_use]
    pub fn connect(port: u16) -> Option<Client> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time limit");
        stream.set_nodelay(true).expect("no delay");
        Some(Client { stream: BufReader::new(stream) })
    }

    /// The socket, for those who want to send something that is not HTTP.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// What the socket says.
    pub fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends a request; `host` and, for a body, `content-length` are added.
    ///
    /// # Errors
    ///
    /// What the socket says, or that the answer is not HTTP.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> std::io::Result<Answer> {
        let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: shop.test\r\n").into_bytes();
        for (name, value) in headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if !body.is_empty() {
            bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        self.send(&bytes)?;
        self.answer(method == "HEAD")
    }

    /// Reads one answer; `bodiless` for one to `HEAD`.
    ///
    /// # Errors
    ///
    /// What the socket says, or that the answer is not HTTP.
    pub fn answer(&mut self, bodiless: bool) -> std::io::Result<Answer> {
        let (status, headers) = loop {
            let head = self.head()?;
            // An interim answer precedes the answer.
            if head.0 >= 200 {
                break head;
            }
        };
        let mut answer = Answer { status, headers, body: Vec::new() };
        if bodiless || status == 204 || status == 304 {
            return Ok(answer);
        }
        answer.body = match (answer.header("transfer-encoding"), answer.header("content-length")) {
            (Some(_), _) => self.chunks()?,
            (None, Some(length)) => {
                let length: u64 = length.parse().map_err(|_| not_http("a length"))?;
                self.exactly(length)?
            }
            (None, None) => {
                let mut body = Vec::new();
                (&mut self.stream).take(LONGEST).read_to_end(&mut body)?;
                body
            }
        };
        Ok(answer)
    }

    /// What comes until the other side closes, at most 1 MiB.
    ///
    /// # Errors
    ///
    /// What the socket says.
    pub fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.stream).take(1 << 20).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn head(&mut self) -> std::io::Result<(u16, Vec<(String, String)>)> {
        let line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| not_http(&line))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok((status, headers));
            }
            let (name, value) = line.split_once(':').ok_or_else(|| not_http(&line))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn chunks(&mut self) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| not_http(&line))?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.exactly(size)?);
            self.line()?;
        }
    }

    fn exactly(&mut self, length: u64) -> std::io::Result<Vec<u8>> {
        if length > LONGEST {
            return Err(not_http("a body of a sensible length"));
        }
        let mut body = Vec::new();
        let got = (&mut self.stream).take(length).read_to_end(&mut body)?;
        if got as u64 == length { Ok(body) } else { Err(not_http("the end of a body")) }
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = Vec::new();
        (&mut self.stream).take(2 << 20).read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}

fn not_http(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, format!("not HTTP: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn answers_are_read_in_every_framing() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream
                .write_all(
                    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok\
                      HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\n\
                      HTTP/1.0 200 OK\r\n\r\nuntil the end",
                )
                .unwrap();
        });
        let mut client = Client::connect(port).unwrap();
        let answers: Vec<Answer> = (0..3).map(|_| client.answer(false).unwrap()).collect();
        server.join().unwrap();
        assert_eq!((answers[0].status, answers[0].text()), (201, "ok"));
        assert_eq!((answers[1].status, answers[1].text()), (200, "abcde"));
        assert_eq!((answers[2].status, answers[2].text()), (200, "until the end"));
    }
}
