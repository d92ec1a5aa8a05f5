"""Remembers that it was configured, and fails now and then if FLAKY says how often."""

import http.server
import json
import os
import random
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    configured = False

    def do_GET(self):
        status, body = 200, {"path": self.path}
        if self.path == "/configure":
            Handler.configured = True
        elif self.path == "/guarded" and not Handler.configured:
            status = 409
        elif self.path == "/flaky" and random.random() < float(os.environ.get("FLAKY", "0")):
            status = 503
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.daemon_threads = True
server.serve_forever()
