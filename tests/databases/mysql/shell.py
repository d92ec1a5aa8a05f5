#!/usr/bin/env python3
"""MariaDB's own programs as an app: an answer is what the program printed.

    shell.py PORT MARIADB MARIADB_DUMP

`GET /shell/NAME` runs shell/NAME.sql, `GET /dump` a dump. The database is named by the DB_… variables.
"""

import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
PORT, MARIADB, DUMP = sys.argv[1:4]
ENV = os.environ
ADDRESS = ["--no-defaults", f"--host={ENV['DB_HOST']}", f"--port={ENV['DB_PORT']}", f"--user={ENV['DB_USER']}", f"--password={ENV['DB_PASSWORD']}"]
if "DB_COMPRESS" in ENV:
    ADDRESS.append("--compress")
if "DB_TLS" in ENV:
    ADDRESS += ["--ssl", "--ssl-verify-server-cert", f"--ssl-ca={ENV['SSL_CERT_FILE']}"]


def command(path):
    match path.strip("/").split("/"):
        case ["shell", _]:
            return [MARIADB, *ADDRESS, "--force", "--table", "--column-type-info", "--default-character-set=utf8mb4", "--comments", ENV["DB_NAME"]]
        case ["dump"]:
            return [DUMP, *ADDRESS, "--skip-comments", "--skip-dump-date", "--routines", ENV["DB_NAME"]]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        script = HERE / f"{self.path.strip('/')}.sql"
        text = script.read_text("utf-8") if script.exists() else ""
        done = subprocess.run(command(self.path), input=text, capture_output=True, check=False, text=True, errors="backslashreplace", timeout=60)
        # Times, and what tells one connection from another.
        told = re.sub(r"\(\d+\.\d+ sec\)|(?<=Connection id:\t\t)\d+", "…", done.stdout + done.stderr)
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
