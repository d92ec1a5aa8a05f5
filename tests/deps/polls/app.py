"""Asks its dependency for news ten times a second and for the weather every so many seconds, whoever asks it for something.

    WEATHER=SECONDS app.py PORT
"""

import http.server
import json
import os
import sys
import threading
import urllib.request


def ask(path):
    with urllib.request.urlopen(os.environ["DEPENDENCY"] + path) as answer:
        return json.load(answer)


def poll(path, seconds):
    while True:
        try:
            ask(path)
        except OSError:
            pass
        threading.Event().wait(seconds)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"item": ask(self.path), "stock": ask(self.path + "/stock")}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ask("/news")
threading.Thread(target=poll, args=("/news", 0.1), daemon=True).start()
if "WEATHER" in os.environ:
    threading.Thread(target=poll, args=("/weather", float(os.environ["WEATHER"])), daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
