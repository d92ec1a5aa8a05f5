"""The servers of the suite, over plain HTTP and over TLS, and the forward proxies in front of them.

    upstream.py FOLDER PROXY_PORT SOCKS_PORT HTTP_PORT HTTPS_PORT

One proxy speaks HTTP, the other SOCKS 5. Both want to know who asks (the words in PROXY_LOGIN), connect `blocked.example`
with nobody, and take every other name for one of the servers: port 80 is the plain one, port 443 that over TLS. The
certificate is FOLDER/valid.pem. Each connection with a proxy is written to standard error.
"""

import base64
import contextlib
import http.client
import json
import os
import select
import socket
import socketserver
import ssl
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOGIN = "Basic " + base64.b64encode(os.environ["PROXY_LOGIN"].encode()).decode()


class Quiet(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        print("it broke off:", sys.exc_info()[1], file=sys.stderr, flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value, *headers):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in [("content-type", "application/json"), ("content-length", str(len(body))), *headers]:
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length", 0)))


class Shop(Handler):
    def do_GET(self):
        self.answer(200, {"path": self.path, "host": self.headers["host"].partition(":")[0], "text": "Grüße"})

    def do_POST(self):
        self.answer(200, {"paid": json.loads(self.body())["amount"]})


class Proxy(Handler):
    ports = {}

    def known(self):
        """Whether it was said who asks; else the client is asked."""
        if self.headers.get("proxy-authorization") == LOGIN:
            return True
        self.body()
        self.answer(407, {"error": "who asks?"}, ("proxy-authenticate", 'Basic realm="proxy"'))
        return False

    def do_CONNECT(self):
        print("connection received", file=sys.stderr, flush=True)
        if not self.known():
            return
        host, _, port = self.path.rpartition(":")
        if host == "blocked.example":
            return self.answer(403, {"error": "not with them"})
        with socket.create_connection(("127.0.0.1", self.ports[int(port)])) as server:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.close_connection = True
            between(self.connection, server)

    def passed(self):
        print("connection received", file=sys.stderr, flush=True)
        body = self.body()
        if not self.known():
            return
        url = urllib.parse.urlsplit(self.path)
        if url.hostname == "blocked.example":
            return self.answer(403, {"error": "not with them"})
        headers = {name: text for name, text in self.headers.items() if not name.lower().startswith(("proxy-", "connection"))}
        server = http.client.HTTPConnection("127.0.0.1", self.ports[url.port or 80], timeout=20)
        with contextlib.closing(server):
            server.request(self.command, url._replace(scheme="", netloc="").geturl(), body, headers)
            answer = server.getresponse()
            self.answer(answer.status, json.loads(answer.read()))

    do_GET = do_POST = passed


class Socks(socketserver.BaseRequestHandler):
    """SOCKS 5 (RFC 1928) with a name and a password (RFC 1929)."""

    def take(self, count):
        """That many bytes of the client."""
        taken = b""
        while len(taken) < count:
            if not (part := self.request.recv(count - len(taken))):
                raise ConnectionError("the client left")
            taken += part
        return taken

    def counted(self):
        return self.take(self.take(1)[0])

    def handle(self):
        assert self.take(1) == b"\5"
        print("connection received", file=sys.stderr, flush=True)
        if 2 not in self.counted():
            return self.request.sendall(b"\5\xff")
        self.request.sendall(b"\5\2")
        assert self.take(1) == b"\1"
        known = self.counted() + b":" + self.counted() == os.environ["PROXY_LOGIN"].encode()
        self.request.sendall(b"\1\0" if known else b"\1\1")
        if not known:
            return
        assert self.take(3) == b"\5\1\0"
        # A name, or an address of either kind.
        host = {1: lambda: self.take(4), 3: self.counted, 4: lambda: self.take(16)}[self.take(1)[0]]()
        port = int.from_bytes(self.take(2), "big")
        if host == b"blocked.example":
            return self.request.sendall(b"\5\2\0\1" + bytes(6))
        with socket.create_connection(("127.0.0.1", Proxy.ports[port])) as server:
            self.request.sendall(b"\5\0\0\1\x7f\0\0\1" + server.getsockname()[1].to_bytes(2, "big"))
            between(self.request, server)


def between(one, other):
    """Carries what either says to the other, until one of them ends."""
    with contextlib.suppress(OSError):
        while True:
            for ready in select.select([one, other], [], [])[0]:
                if not (part := ready.recv(65536)):
                    return
                (other if ready is one else one).sendall(part)


def main(folder, proxy, socks, plain, secured):
    Proxy.ports = {80: plain, 443: secured}
    over_tls = Quiet(("127.0.0.1", secured), Shop)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "valid.pem")
    over_tls.socket = context.wrap_socket(over_tls.socket, server_side=True, do_handshake_on_connect=False)
    for server in (over_tls, Quiet(("127.0.0.1", plain), Shop), Quiet(("127.0.0.1", socks), Socks)):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    Quiet(("127.0.0.1", proxy), Proxy).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
