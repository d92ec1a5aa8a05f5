"""Two services: the front, which is called and opens a debug port too, and the back, which the front calls and
which listens 100 ms later."""

import http.server
import os
import socket
import threading
import urllib.request

BACK = int(os.environ["BACK"])
DEBUG = os.environ.get("DEBUG")


class Back(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.body()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return b"from the back"

    def log_message(self, *_):
        pass


class Front(Back):
    def body(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{BACK}/").read()
        except OSError as error:
            return str(error).encode()


front = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front)
debug = DEBUG and socket.create_server(("127.0.0.1", int(DEBUG)))
if os.fork():
    front.serve_forever()
front.server_close()
threading.Event().wait(0.1)
http.server.ThreadingHTTPServer(("127.0.0.1", BACK), Back).serve_forever()
