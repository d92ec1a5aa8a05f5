"""Has news and weather that are other ones each time, and items, for which it takes as long as some polls of the news.

    dependency.py PORT
"""

import http.server
import itertools
import json
import sys
import threading

numbers = itertools.count(1)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path in ("/news", "/weather"):
            said = {"number": next(numbers)}
        else:
            threading.Event().wait(0.06)
            said = {"path": self.path}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("ready", flush=True)
server.serve_forever()
