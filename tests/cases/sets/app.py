"""An app that keeps what it allows in a set, whose order is another at each start. BUG: allows less."""

import http.server
import os

ALLOWED = {"GET", "HEAD", "OPTIONS", "PATCH"} - ({"PATCH"} if os.environ.get("BUG") else set())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        self.send_response(405)
        self.send_header("allow", ", ".join(ALLOWED))
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
