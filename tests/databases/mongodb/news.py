#!/usr/bin/env python3
"""An app that follows a change stream in the background, by pymongo.

    news.py PORT

What is added is answered once the stream has told of it; each change is noted in another collection,
with the id that the driver invented.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pymongo import MongoClient

DB = MongoClient(os.environ["MONGO_URL"]).shop
SEEN, CHANGED = [], threading.Condition()


def follow(ready):
    with DB.items.watch(max_await_time_ms=300) as stream:
        ready.set()
        for event in stream:
            DB.notes.insert_one({"about": event["documentKey"]["_id"]})
            with CHANGED:
                SEEN.append(event["fullDocument"]["v"])
                CHANGED.notify_all()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        told = {"count": None if self.path != "/count" else DB.items.count_documents({})}
        if self.path.startswith("/add/"):
            value = self.path.removeprefix("/add/")
            DB.items.insert_one({"v": value})
            with CHANGED:
                told = {"came": CHANGED.wait_for(lambda: value in SEEN, 20), "seen": list(SEEN)}
        text = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ready = threading.Event()
    threading.Thread(target=follow, args=(ready,), daemon=True).start()
    ready.wait(20)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
