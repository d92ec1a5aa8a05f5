"""An app that waits 300 ms for what it asks, and answers without it otherwise. BUG: reports a failure instead."""

import http.server
import os
import urllib.request


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status = 200
        try:
            with urllib.request.urlopen(os.environ["UPSTREAM_URL"] + self.path, timeout=0.3) as answer:
                body = answer.read()
        except TimeoutError:
            body = b"without"
            status = 504 if os.environ.get("BUG") else 200
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
