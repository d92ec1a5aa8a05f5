"""Answers on one fixed port, in ways that only copies of an app that are not kept apart would notice."""

import http.server
import json
import os
import signal
import sys
import tempfile

FOLDER = tempfile.gettempdir()


def copies():
    """How many living copies of this app have the same folder for temporary files."""
    marks = (name[5:] for name in os.listdir(FOLDER) if name.startswith("copy-"))
    return sum(os.path.exists(f"/proc/{mark}/stat") for mark in marks)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        worker = os.environ.get("REHEARSAL_WORKER", "none")
        if self.path == "/kill" and os.environ.get("KILL") in (worker, "always"):
            os.kill(os.getpid(), signal.SIGKILL)
        body = {"path": self.path}
        if self.path == "/alone":
            body["copies"] = copies()
        if self.path == "/broken" and os.environ.get("BROKEN"):
            body["broken"] = True
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if os.environ.get("REFUSE") == os.environ.get("REHEARSAL_WORKER", "none"):
    sys.exit("one copy is enough")
with open(os.path.join(FOLDER, f"copy-{os.getpid()}"), "w", encoding="utf-8"):
    pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.daemon_threads = True
server.serve_forever()
