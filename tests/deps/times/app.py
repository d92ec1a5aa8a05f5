"""Writes the time in every usual way: into its answer, a header, a statement with parameters and a form.

    BUG=zone|day|late|told|form app.py

How long it takes differs each time, so that seconds pass between one look at the clock and the next.
"""

import datetime
import email.utils
import hashlib
import http.server
import json
import os
import random
import time
import urllib.parse
import urllib.request

BUG = os.environ.get("BUG")
UTC = datetime.timezone.utc
started = datetime.datetime.now(UTC)


def work():
    hashlib.pbkdf2_hmac("sha256", b"x", b"y", random.SystemRandom().randrange(1, 400_000))


def call(path, body, headers):
    request = urllib.request.Request(os.environ["LEDGER_URL"] + path, data=body, headers=headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def place(order):
    work()
    now = datetime.datetime.now(UTC)
    statement = f"INSERT INTO orders (sku, at) VALUES ('{order['sku']}', '{now:%Y-%m-%d %H:%M:%S}')"
    params = [order["sku"], str(now.replace(tzinfo=None)), now.timestamp(), time.time_ns()]
    headers = {"content-type": "application/json", "x-sent": email.utils.formatdate(usegmt=True)}
    headers["x-signed"] = f"t={int(time.time())},v=1"
    row = call("/sql", json.dumps({"sql": statement, "params": params}).encode(), headers)
    work()
    form = urllib.parse.urlencode({"stamp": f"{now:%Y%m%dT%H%M%SZ}", "sku": order["sku"]}).encode()
    call("/audit", form, {"content-type": "application/x-www-form-urlencoded"})
    return {**times(row), "inner": json.dumps({"at": str(datetime.datetime.now(UTC))})}


def times(row):
    now = datetime.datetime.now(UTC)
    away = {"zone": datetime.timedelta(hours=1), "day": datetime.timedelta(days=-1)}.get(BUG, datetime.timedelta(0))
    created = datetime.datetime.fromisoformat(row["created"]).replace(tzinfo=UTC)
    created += datetime.timedelta(seconds=BUG == "told")
    expires = now + datetime.timedelta(hours=2 if BUG == "late" else 1)
    return {
        "iso": (now + away).strftime("%Y-%m-%dT%H:%M:%S" + ("+00:00" if BUG == "form" else "Z")),
        "micro": (now + away).isoformat(),
        "sql": f"{now + away:%Y-%m-%d %H:%M:%S}",
        "mail": email.utils.format_datetime(now + away, usegmt=True),
        "seconds": int((now + away).timestamp()),
        "text": str(int((now + away).timestamp())),
        "float": (now + away).timestamp(),
        "milliseconds": int((now + away).timestamp() * 1000),
        "microseconds": int((now + away).timestamp() * 1_000_000),
        "expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        "story": f"Ordered at {now + away:%Y-%m-%d %H:%M:%S}, valid to {int(expires.timestamp())}.",
        "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "started": f"{started:%Y-%m-%dT%H:%M:%S}Z" if os.environ.get("STARTED") else None,
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.dumps(place(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Answered", email.utils.formatdate(usegmt=True))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
