#!/usr/bin/env python3
"""A program as an app: a request runs it, and is answered with its exit code.

    program.py PORT FOLDER LOG COMMAND...

The command runs in FOLDER, and what it prints goes to LOG.
"""

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

PORT, FOLDER, LOG, *COMMAND = sys.argv[1:]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        with open(LOG, "wb") as log:
            done = subprocess.run(COMMAND, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
        text = json.dumps({"code": done.returncode}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(PORT)), Handler).serve_forever()
