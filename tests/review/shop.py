"""A shop that asks a warehouse and payments; with CHANGED=1 it does seven things otherwise."""

import http.client
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

CHANGED = os.environ.get("CHANGED") == "1"
# A login that answers a token, which no file may have.
TOKEN = "ghp_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z" + "Z5"


def ask(base, method, path, body=None):
    url = urlsplit(os.environ[base])
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    data = None if body is None else json.dumps(body)
    connection.request(method, path, data, {"content-type": "application/json"} if data else {})
    answer = connection.getresponse()
    said = json.loads(answer.read() or b"null")
    connection.close()
    if answer.status >= 400:
        raise OSError(f"{base} answered {answer.status}")
    return said


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        what, number = self.path.strip("/").split("/")
        number = int(number)
        if what == "products":
            body = {"id": number, "name": f"Product {number}", "legacy": f"old-{number}"}
        else:
            total = f"{number}.50"
            body = {"id": number, "lines": [{"sku": f"A{number}", "note": "café: \"<b>\""}], "legacy": f"old-{number}"}
            body["sum" if CHANGED else "total"] = total
        if CHANGED:
            del body["legacy"]
            body["api_key"] = TOKEN
        self.answer(200, body)

    def do_POST(self):
        order = json.loads(self.rfile.read(int(self.headers["content-length"])))
        number = order["number"]
        try:
            asked = ["/stock", "/rates"]
            for path in reversed(asked) if CHANGED else asked:
                ask("WAREHOUSE_URL", "GET", f"{path}/{number}")
            paid = ask("PAYMENTS_URL", "POST", "/v2/charges" if CHANGED else "/charges", {"order": number, "amount": f"{number}.50"})
        except OSError as error:
            return self.answer(502, {"error": str(error)})
        body = {"id": number, "charge": paid["id"]}
        body["sum" if CHANGED else "total"] = f"{number}.50"
        address = f"{number} Main Street"
        body |= {"customer": {"name": "Ada", "address": address}} if CHANGED else {"customer": {"name": "Ada"}, "address": address}
        self.answer(200 if CHANGED else 201, body)


HTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
