"""An app whose dependency answers no connect. `/wait` gives up after 300 ms, `/leave` keeps the connection and does
not wait. BUG: asks nobody."""

import http.server
import os
import socket

kept = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"without"
        if not os.environ.get("BUG") and self.path != "/none":
            body = ask(self.path)
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def ask(path):
    host, _, port = os.environ["HOLE_ADDR"].rpartition(":")
    try:
        connection = socket.create_connection((host, int(port)), timeout=0.3)
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: hole\r\n\r\n".encode())
        if path == "/leave":
            kept.append(connection)
            return b"left"
        with connection:
            return connection.recv(100)
    except TimeoutError:
        return b"left" if path == "/leave" else b"timed out"


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
