"""An app with a login: it hands out a token and a cookie, and asks the inventory with a key."""

import http.server
import json
import os
import urllib.request

TOKEN = "tok-9f8e7d6c5b4a39281706f5e4d3c2b1a0"
COOKIE = "c00kie5e551on1d0a1b2c3d4e5f60718"
given = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value, cookie=None):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if cookie:
            self.send_header("Set-Cookie", f"session={cookie}; HttpOnly")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not asked["password"]:
            return self.answer(403, {"error": "no password"})
        given.update({TOKEN, COOKIE})
        self.answer(200, {"user": asked["user"], "token": TOKEN}, COOKIE)

    def do_GET(self):
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        cookie = self.headers.get("Cookie", "").removeprefix("session=")
        if os.environ.get("BUG") == "forget":
            token = None
        if token not in given and cookie not in given:
            return self.answer(401, {"error": "who are you?"})
        request = urllib.request.Request(
            os.environ["INVENTORY_URL"] + "/stock/globe",
            headers={"Authorization": "Bearer " + os.environ["UPSTREAM_KEY"]},
        )
        with urllib.request.urlopen(request) as found:
            self.answer(200, {"user": "ada", "sees": json.load(found)["name"]})


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
