"""Answers two requests when they have met, unless it is to kill itself then, as `kill -9` does; and others at once."""

import http.server
import os
import signal
import threading

MEETING = threading.Barrier(2)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/meet/"):
            MEETING.wait(30)
            if os.environ.get("KILL"):
                os.kill(os.getpid(), signal.SIGKILL)
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"met")


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
