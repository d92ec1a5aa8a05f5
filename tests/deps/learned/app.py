"""Draws numbers that are others in each run, and tells its dependency of them.

    BUG=null|missing app.py

With BUG it answers with no number, or does not say which was drawn first.
"""

import http.server
import json
import os
import random
import urllib.request
from pathlib import Path

chance = random.SystemRandom()
BUG = os.environ.get("BUG")
began = Path(os.environ["MARK"])
is_new = not began.exists()
began.touch()


def tell(drawn):
    url = os.environ["STORE_URL"] + "/draws"
    request = urllib.request.Request(url, data=json.dumps({"drawn": drawn, "by": "ada"}).encode(), method="POST")
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request) as answer:
        json.load(answer)


def draw():
    drawn = chance.randrange(10**6)
    tell(drawn)
    items = [{"id": chance.randrange(10**6), "name": name} for name in ("red", "green", "blue")]
    said = {"first": None if BUG == "null" else drawn, "items": items, "code": f"{chance.randrange(16**8):08x}"}
    if BUG == "missing":
        del said["first"]
    return said


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps(draw() if self.path == "/draw" else {"new": is_new}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
