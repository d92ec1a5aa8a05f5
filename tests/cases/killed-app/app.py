"""Answers every request, and kills itself as `kill -9` does at the path in KILL, or at the start."""

import http.server
import os
import signal
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == os.environ.get("KILL"):
            os.kill(os.getpid(), signal.SIGKILL)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


if os.environ.get("KILL") == "start":
    print("these are my last words", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
