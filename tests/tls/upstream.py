"""The HTTPS server of the suite: one port for each kind of certificate, and one that
asks its clients for theirs.

    upstream.py FOLDER KIND=PORT ...

Each connection on which TLS stands is written to standard error.
"""

import json
import socketserver
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer({"path": self.path, "text": "x" * 200_000 if self.path == "/large" else "Grüße"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer({"paid": json.loads(body)["amount"]})


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, kind, folder):
        super().__init__(("127.0.0.1", port), Handler)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if kind == "weak":
            self.context.set_ciphers("DEFAULT@SECLEVEL=0")
        self.context.load_cert_chain(folder / f"{kind}.pem")
        self.context.keylog_filename = str(folder / "upstream.keys")
        if kind == "mutual":
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(folder / "ca.pem")
        self.context.set_alpn_protocols(["http/1.1"])

    def finish_request(self, request, client_address):
        request.settimeout(20)
        with self.context.wrap_socket(request, server_side=True) as secured:
            print("connection received", file=sys.stderr, flush=True)
            super().finish_request(secured, client_address)

    def handle_error(self, request, client_address):
        print("it broke off:", sys.exc_info()[1], file=sys.stderr, flush=True)


def main(folder, ports):
    servers = [Server(int(port), kind, folder) for kind, port in ports]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()


if __name__ == "__main__":
    socketserver.TCPServer.allow_reuse_address = True
    main(Path(sys.argv[1]), [word.split("=") for word in sys.argv[2:]])
