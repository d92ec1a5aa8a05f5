"""An app that answers before it has ended its transaction: `late.py PORT`.

A thread of its own ends it once the next request is there, or none has come for a moment. So it comes amid the next
request where requests follow one another at once, and after the answer where each is waited for. BUG=committed ends it
in another way, BUG=later only amid the next request.
"""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

MOMENT = 60 if os.environ.get("BUG") == "later" else 0.2  # seconds
END = "COMMIT" if os.environ.get("BUG") == "committed" else "ROLLBACK"
NEXT, LEFT = threading.Event(), []


def end(db):
    NEXT.wait(MOMENT)
    db.execute(END)
    db.close()


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        NEXT.set()
        # Amid this request, and not only about then.
        for thread in LEFT:
            thread.join()
        NEXT.clear()
        LEFT.clear()
        db = psycopg.connect("", autocommit=True)
        db.execute("BEGIN")
        [[count]] = db.execute(f"SELECT count(*) FROM orders WHERE item <> '{self.path[1:]}'").fetchall()
        if self.path == "/ended":
            db.execute("ROLLBACK")
            db.close()
        else:
            LEFT.append(threading.Thread(target=end, args=[db], daemon=True))
            LEFT[0].start()
        text = str(count).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
