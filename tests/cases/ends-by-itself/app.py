"""Answers every request; after one for /stop it ends with exit code 3, with STOP set before any."""

import http.server
import os
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.server.over = self.path == "/stop"


if os.environ.get("STOP"):
    sys.exit(3)
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
server.over = False
while not server.over:
    server.handle_request()
sys.exit(3)
