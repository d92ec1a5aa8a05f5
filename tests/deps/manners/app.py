"""Passes `/tcp/x` on as `/x` to a port, `/unix/x` to a Unix socket, and says what came of it."""

import http.client
import http.server
import json
import os
import socket
import urllib.error
import urllib.request


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ["SOCKET"])


def ask(way, target):
    if os.environ.get("BUG"):
        target = target.replace("amount=10", "amount=11")
    try:
        if way == "unix":
            connection = Unix("localhost")
            connection.request("GET", target)
            return connection.getresponse().read().decode()
        with urllib.request.urlopen(os.environ["SERVICE_URL"] + target) as found:
            return found.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return type(getattr(error, "reason", error)).__name__


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, way, target = self.path.split("/", 2)
        body = json.dumps({"came": ask(way, "/" + target)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
