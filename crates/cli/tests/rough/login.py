"""A login that hands out a new token and a new session each time it starts."""

import http.server
import json
import os
import secrets

TOKEN, SESSION = secrets.token_hex(24), secrets.token_urlsafe(24)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value, *headers):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        cookie = ("Set-Cookie", f"session={SESSION}; Path=/; HttpOnly")
        self.answer(200, {"user": asked["user"], "token": TOKEN}, cookie)

    def do_GET(self):
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}" or self.headers.get("Cookie") == f"session={SESSION}"
        if not known or os.environ.get("BUG") == "forget":
            return self.answer(401, {"error": "who are you?"})
        self.answer(200, {"user": "ada"})


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
