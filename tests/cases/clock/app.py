"""Says whether it is later than the year 2096, by its own clock and by that of a program that it starts; and of
orders, how many were created today.

    app.py PORT
"""

import http.server
import json
import subprocess
import sys
import time

LATE = 4_000_000_000


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, days = self.path.partition("?created=")
        if path == "/orders/today":
            return self.answer({"orders": days.split(",").count(time.strftime("%Y-%m-%d", time.gmtime()))})
        date = int(subprocess.run(["date", "+%s"], capture_output=True, check=True, text=True).stdout)
        said = {"own": time.time() > LATE, "started": date > LATE, "agree": abs(date - time.time()) < 10}
        self.answer(said)

    def answer(self, said):
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
