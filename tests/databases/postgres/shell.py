#!/usr/bin/env python3
"""PostgreSQL's own programs as an app: an answer is what the program printed.

    shell.py PORT PSQL PGBENCH PG_DUMP

`GET /psql/NAME` runs psql/NAME.sql, `GET /pgbench/MODE` some transactions with chosen random numbers,
`GET /pgbench/MODE/N` 25 of N clients each, `GET /pg_dump` a dump. The database is named by the PG… variables.
"""

import json
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
PORT, PSQL, PGBENCH, PG_DUMP = sys.argv[1:5]


def command(path):
    match path.strip("/").split("/"):
        case ["psql", name]:
            return [PSQL, "-X", "-a", "-f", str(HERE / "psql" / f"{name}.sql")]
        case ["pgbench", mode]:
            return [PGBENCH, "-n", "-M", mode, "-c", "1", "-t", "5", "--random-seed=7", "-r"]
        case ["pgbench", mode, clients]:
            return [PGBENCH, "-n", "-M", mode, "-c", clients, "-j", "2", "-t", "25", "--random-seed=7", "-r"]
        case ["pg_dump"]:
            return [PG_DUMP, "--schema=public"]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        done = subprocess.run(command(self.path), capture_output=True, check=False, text=True, timeout=60)
        # Times, and what tells one run from another.
        told = re.sub(r"\d+\.\d+ ms|tps = .*|^\s+\d+\.\d+\s|(latency|initial connection).*|psql:\S+?(?=:\d+:)|(?<=restrict )\w+|(?<=PID )\d+", "…", done.stdout + done.stderr, flags=re.M)
        text = json.dumps({"code": done.returncode, "told": told.splitlines()}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(PORT)), Handler).serve_forever()
