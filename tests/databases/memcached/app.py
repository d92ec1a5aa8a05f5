"""An HTTP server that answers a request by calling a function: what shop.py and corpus.py have in common."""

import json
import re
from http.server import BaseHTTPRequestHandler, HTTPServer


def serve(port, routes):
    """Serves triples of a method, a pattern of the path, and a function of the body and the groups of the path."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            status, told = 404, None
            for method, path, act in routes:
                if method == self.command and (match := re.fullmatch(path, self.path)):
                    try:
                        status, told = 200, act(body, *match.groups())
                    except Exception as error:  # The tests are to see it.
                        status, told = 500, f"{type(error).__name__}: {error}"
            text = json.dumps(told, default=repr).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    HTTPServer(("127.0.0.1", port), Handler).serve_forever()
