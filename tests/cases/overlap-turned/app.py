"""Answers requests that come in pairs, and asks a dependency for each: in an order that the environment may turn.

    app.py PORT DEPENDENCY

Of `/pair/ROUND/0` and `/pair/ROUND/1` the first is over with its calls before the second makes its own; with TURNED
the other way round. Of `/wait/ROUND/0` and `/wait/ROUND/1` the first only begins its calls when the second is over;
with BUG=order it makes them in the wrong order.
"""

import collections
import http.client
import http.server
import json
import os
import sys
import threading

PORT, DEPENDENCY = int(sys.argv[1]), int(sys.argv[2])
TURNED, BUG = "TURNED" in os.environ, os.environ.get("BUG")
LIMIT = 20


class Pair:
    """What has come of two requests."""

    def __init__(self):
        self.second_is_there, self.called, self.answered = threading.Event(), threading.Event(), threading.Event()


PAIRS, LOCK = collections.defaultdict(Pair), threading.Lock()


def charge(trace, payer, amount, reason):
    """Whether the dependency charged it."""
    connection = http.client.HTTPConnection("127.0.0.1", DEPENDENCY, timeout=LIMIT)
    try:
        headers = {"Content-Type": "application/json", **({"traceparent": trace} if trace else {})}
        connection.request("POST", "/charges", json.dumps({"payer": payer, "amount": amount, "for": reason}), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status == 200
    finally:
        connection.close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, kind, number, who = self.path.split("/")
        with LOCK:
            pair = PAIRS[kind, number]
        if who == "1":
            pair.second_is_there.set()
        trace = self.headers["traceparent"]
        good = getattr(self, kind)(pair, int(who), lambda *what: charge(trace, *what))
        self.say(200 if good else 502)
        if who == ("0" if kind == "pair" else "1"):
            pair.answered.set()

    def pair(self, pair, who, charge):
        if TURNED:
            good = who == 1 or pair.called.wait(LIMIT)
        else:
            good = who == 0 or pair.answered.wait(LIMIT)
        good = charge("both", 1, "the same") and charge(f"payer {who}", 2, self.path) and good
        if who == 1:
            pair.called.set()
        return good and pair.second_is_there.wait(LIMIT)

    def wait(self, pair, who, charge):
        if who == 1:
            return charge("second", 3, self.path) and charge("both", 4, "the same")
        good = pair.answered.wait(LIMIT)
        calls = [("first", 3, self.path), ("both", 4, "the same")]
        if BUG == "order":
            calls.reverse()
        return all([charge(*call) for call in calls]) and good

    def say(self, status):
        text = json.dumps({"path": self.path}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
server.daemon_threads = True
server.serve_forever()
