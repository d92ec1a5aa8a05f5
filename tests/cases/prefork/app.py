"""A daemon: it detaches itself, and four workers that share its socket answer. BUG: skips the lookup."""

import http.server
import os
import urllib.request


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"{}"
        if not os.environ.get("BUG"):
            with urllib.request.urlopen(os.environ["INVENTORY_URL"] + "/stock" + self.path) as answer:
                body = answer.read()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
for _ in range(4):
    if not os.fork():
        server.serve_forever()
os.wait()
