#!/usr/bin/env python3
"""The HTTP dependency of the real applications: answers what a file says.

    upstream.py ANSWERS.json [PORT]

The file maps "METHOD /path?query" to {status?, headers?, body | json | base64}.
`{origin}` in a text or JSON body becomes this server's own address. Anything
else is a 404. Prints {"port": N} once it accepts. GET /__seen lists the
requests since the last time. Every answer depends on the request alone.
"""

import base64
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # Head and body leave in one write.

    def answer(self):
        length = int(self.headers["content-length"] or 0)
        self.rfile.read(length)
        if self.path == "/__seen":
            with self.server.lock:
                body = json.dumps(self.server.seen).encode()
                self.server.seen = []
            return self.send(200, {"content-type": "application/json"}, body)
        key = f"{self.command} {self.path}"
        with self.server.lock:
            self.server.seen = (self.server.seen + [key])[-1000:]
        rule = self.server.answers.get(key, {"status": 404, "json": {"error": "not found"}})
        headers = dict(rule.get("headers", {}))
        if "base64" in rule:
            body = base64.b64decode(rule["base64"])
        elif "json" in rule:
            body = json.dumps(rule["json"]).replace("{origin}", self.server.origin).encode()
            headers.setdefault("content-type", "application/json")
        else:
            body = rule.get("body", "").replace("{origin}", self.server.origin).encode()
        self.send(rule.get("status", 200), headers, body)

    do_GET = do_HEAD = do_POST = do_PUT = answer

    def send(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        """GET /__seen tells what there is to tell."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        answers = json.load(file)
    server = Server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
    server.answers, server.seen, server.lock = answers, [], threading.Lock()
    server.origin = f"http://127.0.0.1:{server.server_address[1]}"
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(130)
