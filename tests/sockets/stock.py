"""The service that the apps call, on the Unix socket of its first argument. It prints a line when it is there."""

import http.server
import socketserver
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def do_GET(self):
        body = f'{{"article":"{self.path.rsplit("/", 1)[1]}","left":{len(self.path)}}}'.encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Service(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


with Service(sys.argv[1], Handler) as service:
    print("ready", flush=True)
    service.serve_forever()
