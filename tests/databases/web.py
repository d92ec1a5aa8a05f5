"""An HTTP server that answers a request by calling a function: what the apps in Python have in common."""

import json
import re
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer


def always(act):
    """A function that only tells something, as one that answers 200."""
    return lambda *words: (200, act(*words))


def serve(port, routes, threads=False):
    """Serves triples of a method, a pattern of the path, and a function; one request at a time, or each in a thread.

    The function takes the JSON of the body and the groups of the path, and gives the status and what is answered as JSON.
    """

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            status, told = 404, None
            for method, path, act in routes:
                if method == self.command and (match := re.fullmatch(path, self.path)):
                    try:
                        status, told = act(body, *match.groups())
                    except Exception as error:  # The tests are to see it.
                        status, told = 500, {"error": f"{type(error).__name__}: {error}"}
                    break
            text = json.dumps(told, default=str).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    (ThreadingHTTPServer if threads else HTTPServer)(("127.0.0.1", int(port)), Handler).serve_forever()
