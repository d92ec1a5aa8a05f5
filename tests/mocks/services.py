#!/usr/bin/env python3
"""A payment service whose answers depend on what came before: `services.py PORT`."""

import http.server
import json
import sys

state = {"rate": 0, "charges": 0}


class Payments(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        state["rate"] += 1
        self.answer(200, {"rate": state["rate"]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        state["charges"] += 1
        self.answer(201, {"id": state["charges"], "amount": asked["amount"]})

    def log_message(self, *words):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Payments).serve_forever()
