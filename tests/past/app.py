"""A shop whose every route can be broken in a way of its own, and one that fails some of the time.

    app.py PORT

`SUPPLIERS_URL` is where payments, stock and mail are. `BUG` names the routes that are broken, with commas, or `dies`;
`DICE` is a file that counts the calls of `/dice`, of which the second, fifth, eighth … fail.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BUGS = set(os.environ.get("BUG", "").split(","))


def ask(method, edge, path, body=None):
    """What a supplier answers, as JSON; none when it refuses."""
    url = os.environ[f"{edge.upper()}_URL"] + path
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError:
        return None


def orders(number, bug):
    charged = ask("POST", "payments", f"/charges/{number}", {"amount": number + (1 if bug else 0), "currency": "EUR"})
    return (201, {"paid": charged["paid"]}) if charged else (502, {"error": "payment refused"})


def refunds(number, bug):
    body = {"order": number, "why" if bug else "reason": "broken"}
    refunded = ask("POST", "payments", "/refunds", body)
    return (200, refunded) if refunded else (500, {"error": "no refund"})


def users(number, bug):
    if not bug:
        ask("POST", "mail", "/send", {"to": f"user{number}@shop.example"})
    return 201, {"user": number}


def carts(number, bug):
    return 200, {"items": [{"sku": number, "price": str(number) if bug else number}] * (1 + number % 3)}


def pages(number, bug):
    if "dies" in BUGS:
        os._exit(9)
    return (500, {"error": f"page {number} is broken"}) if bug else (200, {"page": number, "title": "Welcome"})


def stock(number, bug):
    if bug:
        ask("GET", "stock", f"/rates/{number}")
    return 200, ask("GET", "stock", f"/items/{number}")


def search(number, bug):
    return 200, ask("GET", "stock", f"/search?limit={number}" + ("" if bug else "&sort=price")) or {}


def dice(number, _bug):
    counter = Path(os.environ["DICE"])
    thrown = int(counter.read_text()) if counter.exists() else 0
    counter.write_text(str(thrown + 1))
    return 200, {"number": number, "won": thrown % 3 != 1}


ROUTES = {"orders": orders, "refunds": refunds, "users": users, "carts": carts, "pages": pages, "stock": stock, "search": search, "dice": dice}


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        route, number = self.path.strip("/").split("/")
        status, body = ROUTES[route](int(number), route in BUGS)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
