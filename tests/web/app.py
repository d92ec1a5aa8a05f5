"""An app that asks a supplier, says hostile things, and waits at a gate when it is told to."""

import http.client
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

CHANGED, GATES = os.environ.get("CHANGED"), os.environ.get("GATES")
# Nothing of this may run or act, wherever it is shown.
HOSTILE = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'>\"'\u001b[2J\u202e\u0000</pre>"


def ask(number):
    url = urlsplit(os.environ["SUPPLIER_URL"])
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    connection.request("GET", f"/stock/{number}")
    said = json.loads(connection.getresponse().read())
    connection.close()
    return said["left"]


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        number = int(self.path.rsplit("/", 1)[-1])
        if GATES and number:
            # Reading a named pipe waits until somebody opens the gate.
            (Path(GATES) / str(number)).read_bytes()
        body = {"number": number, "total": f"{number}.00", "note": HOSTILE, "left": ask(number)}
        if CHANGED == "sum":
            body["sum"] = body.pop("total")
        if CHANGED == "hostile":
            body["note"] = HOSTILE + "<script>window.ran = 3</script>"
        if CHANGED == "third" and number == 3:
            body["total"] = "0.00"
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
