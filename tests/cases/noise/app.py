"""Answers with a number that is another one in each run, under another name when RENAMED is set."""

import http.server
import json
import os
import random

number = random.SystemRandom().randrange(1 << 40)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        key = "renamed" if os.environ.get("RENAMED") else "number"
        body = json.dumps({key: number} if self.path == "/random" else {"fixed": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
