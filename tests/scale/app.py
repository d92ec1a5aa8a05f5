#!/usr/bin/env python3
"""An app of items, some of which are not there, and of some that have long names: `app.py PORT`."""

import http.server
import json
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        number = int(self.path.rpartition("/")[2])
        known = number < 90 or self.path.startswith("/long/")
        name = f"item {number} " * 2000 if self.path.startswith("/long/") else f"item {number}"
        body = json.dumps({"id": number, "name": name} if known else {"error": "unknown"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
