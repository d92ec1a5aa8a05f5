"""Says how long what it was sent is, and sends 64 MiB when asked for /large."""

import http.client
import http.server
import os

http.client._MAXLINE = http.server._MAXLINE = 4 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/large":
            return self.answer(b"x" * (64 << 20))
        self.answer(str(len(self.headers.get("X-Long", ""))).encode())

    def do_POST(self):
        self.answer(str(len(self.rfile.read(int(self.headers["Content-Length"])))).encode())

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
