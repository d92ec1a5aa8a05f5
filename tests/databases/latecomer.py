"""An HTTP server for apps that answer before they have ended their transaction.

A thread of its own ends it once the next request is there, or none has come for a moment. So it comes amid the next
request where requests follow one another at once, and after the answer where each is waited for. BUG=later ends it
only amid the next request, BUG=committed in another way.
"""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOMENT = 60 if os.environ.get("BUG") == "later" else 0.2  # seconds
COMMITTED = os.environ.get("BUG") == "committed"
NEXT, LEFT = threading.Event(), []


def when_due(end):
    NEXT.wait(MOMENT)
    end(COMMITTED)


def serve(begin):
    """Serves on the port that the command line names. `begin` gets a word, begins a transaction, and gives a text and a function that commits it or gives it up."""

    class Shop(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            NEXT.set()
            # Amid this request, and not only about then.
            for thread in LEFT:
                thread.join()
            NEXT.clear()
            LEFT.clear()
            text, end = begin(self.path[1:])
            if self.path == "/ended":
                end(False)
            else:
                LEFT.append(threading.Thread(target=when_due, args=[end], daemon=True))
                LEFT[0].start()
            body = str(text).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
