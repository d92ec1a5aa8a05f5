"""`/get/<name>/<path>` gets a page from a host by its name; `/find/<name>` says its addresses."""

import http.server
import os
import socket
import urllib.request


def get(host, path):
    if os.environ.get("BUG"):
        path = path.replace("10", "11")
    with urllib.request.urlopen(f"http://{host}:{os.environ['SERVICE_PORT']}/{path}") as found:
        return found.read().decode()


def find(host):
    found = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    return " ".join(sorted(entry[4][0] for entry in found))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        what, *rest = self.path.strip("/").split("/")
        try:
            text = {"get": get, "find": find}[what](*rest)
        except OSError as error:
            text = str(error)
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
