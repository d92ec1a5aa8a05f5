"""Asks a service that upgrades from HTTP to lines of its own for what is posted, line by line."""

import http.server
import os
import socket


def ask(lines):
    with socket.create_connection(("127.0.0.1", int(os.environ["SHOUT_PORT"]))) as service:
        service.sendall(b"GET /shout HTTP/1.1\r\nHost: shout\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n")
        reader = service.makefile("rb")
        status = reader.readline().split()[1]
        while reader.readline().strip():
            pass
        said = [status.decode()]
        for line in lines:
            if os.environ.get("BUG"):
                line = line[::-1]
            service.sendall(line.encode() + b"\n")
            said.append(reader.readline().decode().strip())
        return " ".join(said)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        said = ask(text.split()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
