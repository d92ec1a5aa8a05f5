"""Asks a dependency with a query and hands its answer on. BUG: `value` or `path` of the question is wrong."""

import http.server
import os
import urllib.error
import urllib.request

BUG = os.environ.get("BUG")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = "/rate" if BUG == "path" else "/rates"
        amount = 11 if BUG == "value" else 10
        url = f"{os.environ['SERVICE_URL']}{path}?amount={amount}&to=EUR"
        try:
            found = urllib.request.urlopen(url)
        except urllib.error.HTTPError as error:
            found = error
        with found:
            body = found.read()
            self.send_response(found.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
