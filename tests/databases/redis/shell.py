#!/usr/bin/env python3
"""Redis's own programs as an app: an answer is what the program printed.

    shell.py PORT REDIS_PORT REDIS_CLI REDIS_BENCHMARK

`GET /cli/NAME` runs redis-cli, `GET /benchmark/DEPTH` redis-benchmark with pipelines of that depth, of which
only the errors are told. The password is in the environment's REDISCLI_AUTH.
"""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

PORT, SERVER, CLI, BENCHMARK = sys.argv[1:5]
LOADS = "ping,set,get,incr,lpush,rpush,lpop,sadd,hset,spop,zadd,mset"
TALK = b'SET greeting "hello, world"\nGET greeting\nLPUSH l 1 2 3\nLRANGE l 0 -1\nMULTI\nINCR n\nGET greeting\nEXEC\nHSET h a 1\nHGETALL h\nINCR greeting\nSELECT 3\nGET greeting\nPING\n'
PIPE = b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\nkey:%d\r\n$1\r\nx\r\n" % (len(b"key:%d" % number), number) for number in range(500))


def command(path):
    match path.strip("/").split("/"):
        case ["cli", "talk"]:
            return [CLI], TALK
        case ["cli", "talk3"]:
            return [CLI, "-3"], TALK
        case ["cli", "pipe"]:
            return [CLI, "--pipe"], PIPE
        case ["cli", "repeat"]:
            return [CLI, "-r", "5", "INCR", "counter"], b""
        case ["cli", "scan"]:
            return [CLI, "--scan", "--pattern", "nobody*"], b""
        case ["benchmark", depth]:
            return [BENCHMARK, "-a", os.environ["REDISCLI_AUTH"], "-n", "1000", "-c", "10", "-P", depth, "-q", "-t", LOADS], b""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        words, said = command(self.path)
        done = subprocess.run([words[0], "-p", SERVER, *words[1:]], input=said, capture_output=True, check=False, timeout=60)
        told = (done.stdout + done.stderr).decode("utf-8", "replace")
        if self.path.startswith("/benchmark"):
            told = "\n".join(line for line in told.replace("\r", "\n").splitlines() if "rror" in line)
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
