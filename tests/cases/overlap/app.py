"""Answers requests only when two of them meet, and asks a dependency for each; looks up flags all the while.

    app.py PORT DEPENDENCY
"""

import http.client
import http.server
import json
import os
import sys
import threading
import time

PORT, DEPENDENCY = int(sys.argv[1]), int(sys.argv[2])
MEETINGS = {name: threading.Barrier(2) for name in ("meet", "pay", "book")}


def ask(method, path, body=None, headers=None):
    """What the dependency answers: its status and what it says."""
    connection = http.client.HTTPConnection("127.0.0.1", DEPENDENCY, timeout=10)
    try:
        text = json.dumps(body) if body is not None else None
        connection.request(method, path, text, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


def poll():
    """Looks up flags again and again, whatever is asked of the app."""
    while True:
        try:
            ask("GET", "/flags")
        except (OSError, ValueError, http.client.HTTPException):
            pass
        time.sleep(0.05)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/health":
            return self.say(200, {"healthy": True})
        _, kind, who = self.path.split("/")
        try:
            MEETINGS[kind].wait(2)
        except threading.BrokenBarrierError:
            MEETINGS[kind].reset()
            return self.say(504, {"alone": who})
        if kind == "meet":
            return self.say(200, {"met": who})
        amount = 10 * (int(who) + 1)
        if os.environ.get("BUG") == who:
            amount += 1
        headers = {"traceparent": self.headers["traceparent"]} if self.headers["traceparent"] else {}
        status, said = ask("POST", "/charges", {"payer": who, "amount": amount, "for": kind}, headers)
        self.say(status, said)

    def say(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


# However soon it is called, and ended: what it asks between requests too is something that it asks all the while.
for _ in range(2):
    ask("GET", "/flags")
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
server.daemon_threads = True
threading.Thread(target=poll, daemon=True).start()
server.serve_forever()
