"""Invents identifiers of all kinds, stores them with a dependency, and returns them.

    BUG=other|stale|late app.py

With BUG it returns an identifier that it has not stored, always the one that it invented first, or signs a token that
is valid for too long.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import random
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

BUG = os.environ.get("BUG")
KEY = b"the key of whoever signs"
first = {}
kept = {}


def ulid():
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    return "".join(letters[number >> 5 * place & 31] for place in reversed(range(26)))


def coded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def signed(claims):
    said = f"{coded({'alg': 'HS256', 'typ': 'JWT'})}.{coded(claims)}"
    mac = hmac.new(KEY, said.encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def claims_of(token):
    said, _, _ = token.rpartition(".")
    body = said.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if signed(claims) != token or claims["exp"] < time.time():
        raise PermissionError("the token is expired, or somebody else's")
    return claims


def call(method, path, body, **headers):
    url = os.environ["STORE_URL"] + path
    request = urllib.request.Request(url, data=json.dumps(body).encode(), method=method, headers=headers)
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def order():
    ids = {
        "uuid": os.environ.get("UUID") or str(uuid.uuid4()),
        "ulid": ulid(),
        "hex": secrets.token_hex(16),
        "nano": "".join(random.SystemRandom().choices("useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict", k=21)),
        "prefixed": "ord_" + secrets.token_urlsafe(18),
        "long": secrets.randbelow(9 * 10**17) + 10**17,
    }
    row = {"statement": f"INSERT INTO orders VALUES ('{ids['uuid']}')", "params": [ids["ulid"], ids["long"]]}
    call("POST", "/sql", row, **{"x-cart": f"cart={ids['nano']}"})
    path = "/objects/" + urllib.parse.quote(ids["hex"])
    stored = call("PUT", path, {"inner": json.dumps(ids), "cursor": coded({"after": ids["uuid"]})})
    first.setdefault("uuid", str(uuid.uuid4()) if BUG == "other" else ids["uuid"])
    kept[ids["uuid"]] = ids
    shown = first["uuid"] if BUG in ("other", "stale") else ids["uuid"]
    lasts = 7200 if BUG == "late" else 3600
    token = signed({"sub": "ada", "jti": secrets.token_hex(16), "iat": int(time.time()), "exp": int(time.time()) + lasts})
    return 201, {**ids, "uuid": shown, "stored": stored, "next": coded({"after": ids["uuid"]}), "ticket": token}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(*order())

    def do_GET(self):
        place = self.path.removeprefix("/orders/")
        if place != self.path:
            return self.answer(200, kept[place]) if place in kept else self.answer(404, {"unknown": place})
        try:
            self.answer(200, {"who": claims_of(self.headers["x-ticket"])["sub"]})
        except PermissionError as error:
            self.answer(401, {"error": str(error)})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
