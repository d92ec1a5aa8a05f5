#!/usr/bin/env python3
"""sysbench as an app: an answer is how its run ended and what it counted.

    load.py PORT SYSBENCH DRIVER OPTION...

`GET /SCRIPT/prepare` makes its tables, `GET /SCRIPT/MODE` is some of its transactions, with prepared statements as MODE
says (`auto` or `disable`): by four clients at once where they only read, else by one, for several that write meet in
deadlocks, which are errors. The options name the server, `$NAME` in them what the environment says.
"""

import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

PORT, SYSBENCH, DRIVER, *SERVER = map(os.path.expandvars, sys.argv[1:])
EVENTS = 50


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        script, mode = self.path.strip("/").split("/")
        words = [SYSBENCH, script, f"--db-driver={DRIVER}", *SERVER, "--tables=2", "--table-size=200", "--rand-seed=7"]
        if mode == "prepare":
            words.append("prepare")
        else:
            words += [f"--db-ps-mode={mode}", f"--threads={4 if 'read_only' in script else 1}", f"--events={EVENTS}", "--time=0", "run"]
        done = subprocess.run(words, capture_output=True, check=False, text=True, timeout=60)
        count = {name: int(number) for name, number in re.findall(r"(transactions|ignored errors|reconnects): +(\d+)", done.stdout)}
        told = {"code": done.returncode, "count": count, "said": done.stderr[-500:]}
        text = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(PORT)), Handler).serve_forever()
