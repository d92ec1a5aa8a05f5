"""An app that calls its dependency at the addresses of FAMILIES, one after the other until one takes the
connection, as a library does that was told `localhost`."""

import http.client
import http.server
import os

ADDRESSES = {"6": "::1", "4": "127.0.0.1"}


def ask():
    for family in os.environ["FAMILIES"]:
        connection = http.client.HTTPConnection(ADDRESSES[family], int(os.environ["UPSTREAM"]), timeout=60)
        try:
            connection.request("GET", "/stock")
            return 200, connection.getresponse().read()
        except OSError:
            continue
        finally:
            connection.close()
    return 502, b"nobody is there"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, body = ask()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
