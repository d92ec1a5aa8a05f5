"""An app whose requests come in pairs, each with a transaction: `together.py PORT`.

Of `/1` and `/2` the first has ended its transaction before the second begins its own, and both are under way until
then. TURNED=1 turns that round, BUG=2 puts another amount into the second's.
"""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

LIMIT = 30  # seconds
FIRST = "/2" if os.environ.get("TURNED") else "/1"
OTHER_IS_THERE, KEPT, ANSWERED = threading.Event(), threading.Event(), threading.Event()


def keep(order):
    amount = "2.75" if os.environ.get("BUG") == order else "1.50"
    with psycopg.connect("") as db:
        db.execute(f"INSERT INTO ledger VALUES ({order}, {amount})")


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == FIRST:
            keep(self.path[1:])
            KEPT.set()
            OTHER_IS_THERE.wait(LIMIT)
        else:
            OTHER_IS_THERE.set()
            # As it is recorded, the first is over by then.
            (KEPT if os.environ.get("TURNED") else ANSWERED).wait(LIMIT)
            keep(self.path[1:])
        self.send_response(200)
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"kept")
        if self.path == FIRST:
            ANSWERED.set()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
