#!/usr/bin/env python3
"""An app of three answers: `app.py PORT`."""

import http.server
import json
import sys

ANSWERS = {"/one": 1, "/two": 2, "/three": 3}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"answer": ANSWERS[self.path]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
