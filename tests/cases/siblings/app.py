"""Two services: the front, which is called and opens a debug port too, and the back, which the front calls and
which takes longer to start."""

import http.server
import os
import socket
import sys
import threading
import urllib.request

BACK = int(os.environ["BACK"])
DEBUG = os.environ.get("DEBUG")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"from the back"
        if sys.argv[1] == "front":
            try:
                body = urllib.request.urlopen(f"http://127.0.0.1:{BACK}/").read()
            except OSError as error:
                body = str(error).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if sys.argv[1] == "front":
    port = int(os.environ["PORT"])
    debug = DEBUG and socket.create_server(("127.0.0.1", int(DEBUG)))
else:
    port = BACK
    threading.Event().wait(0.25)
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
