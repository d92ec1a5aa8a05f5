#!/usr/bin/env python3
"""Records apps that use a real Redis and replays them with the server stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Starts Redis itself, on a free port in a temporary folder, with a password. For each case: `rehearsal
record`, the requests, SIGINT; the server is stopped; `rehearsal test` N times (10), each of which must be
green. Then the defects: each must turn a test red, with the words that name it.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Drivers are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from stand import Server, find_program, install_once, install_python, main  # noqa: E402

DRIVERS = ["redis==7.*"]
GROUPS = list(json.loads((HERE / "corpus.json").read_text("utf-8")))
# Blocking, and errors that a queue refuses, have other replies there.
IN_PIPELINES = ["strings", "binary", "numbers", "hashes", "sorted", "errors"]
IN_TRANSACTIONS = ["strings", "numbers", "hashes", "lists", "streams"]
ITEM = {"sku": "A1", "quantity": 2, "price": 9.5}
SHOP = [
    ("POST", "/carts/7", ITEM, 201, "[1, true, 1]"),
    ("POST", "/carts/7", ITEM | {"sku": "B2"}, 201, "[1, true, 2]"),
    ("GET", "/carts/7", None, 200, "fresh"),
    ("GET", "/carts/7", None, 200, "cached"),
    ("GET", "/prices/A1,B2,C3", None, 200, '["9.50", "20", null]'),
    ("POST", "/carts/7/checkout", None, 200, "[1, 2, 1, 1]"),
    ("GET", "/carts/7", None, 200, "{}"),
    ("POST", "/take/2", None, 200, "1"),
    ("POST", "/take/2", None, 409, "SOLDOUT"),
    ("POST", "/jobs", {"name": "report"}, 200, "REPORT"),
    ("POST", "/jobs", {"name": "mail"}, 200, "MAIL"),
    ("POST", "/news", {"text": "sale"}, 200, '"last": "sale"'),
    ("POST", "/visits", None, 200, "[1, -1, null]"),
    ("GET", "/trouble", None, 200, "unknown command"),
]
# The defect, the tests that must be red by it, and words of which each must be in what `rehearsal test` prints.
DEFECTS = {
    "wrong_expiry": ([1, 2], ["EXPIRE cart:7", "seconds", "600", "60"]),
    "missing_del": ([6], ["MULTI", "DEL", "cart:7"]),
    "renamed_key": ([1, 2], ["key", "cart:7", "basket:7"]),
    "n_plus_one": ([5], ["MGET", "GET price:A1"]),
    "wrong_price": ([1, 2], ["HSET cart:7", "price", "9.5", "10.5"]),
    "wrong_order": ([6], ["MULTI", "RPUSH", "DEL"]),
}


class Redis(Server):
    secrets = ("s3cret-word",)

    def __init__(self, folder):
        super().__init__(folder)
        self.env |= {"REDIS_URL": f"redis://:{self.secrets[0]}@127.0.0.1:{self.port}", "REDISCLI_AUTH": self.secrets[0]}

    def command(self):
        options = {
            "port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "requirepass": self.secrets[0],
            "enable-debug-command": "yes", "loglevel": "verbose",
        }
        return [find_program("redis-server", "redis-server"), *(word for name, value in options.items() for word in (f"--{name}", str(value)))]

    def cli(self, *words):
        return self.call(find_program("redis-cli", "redis-tools"), "-p", self.port, *words)

    def ready(self):
        client = [find_program("redis-cli", "redis-tools"), "-p", str(self.port), "PING"]
        return "PONG" in subprocess.run(client, env=self.env, check=False, capture_output=True, text=True).stdout

    def reset(self):
        self.cli("FLUSHALL")
        self.cli("SCRIPT", "FLUSH")
        self.cli("MSET", "price:A1", "9.50", "price:B2", "20", "stock", "3", "cart-count", "many")


def cases(stand, tools):
    python = tools
    for version in ("2", "3"):
        env, other = {"RESP": version}, {"RESP": "3" if version == "2" else "2"}
        shop = [python, HERE / "shop.py", "{port}"]
        yield f"shop-resp{version}", lambda name=f"shop-resp{version}", shop=shop, env=env, other=other: stand.app(name, shop, SHOP, env, [other])
    for bug, (red, words) in DEFECTS.items():
        yield f"shop {bug}", lambda bug=bug, red=red, words=words: stand.defect("shop-resp2", bug, red, words)
    yield "isolation", lambda: stand.isolated("shop-resp2", "Accepted")
    requests = [("GET", f"/run/{name}", None, 200, "") for name in GROUPS]
    requests += [("GET", f"/pipeline/{name}", None, 200, "") for name in IN_PIPELINES]
    requests += [("GET", f"/transaction/{name}", None, 200, "") for name in IN_TRANSACTIONS]
    requests += [("GET", "/messages", None, 200, "one")]
    for form in ("sync-2", "sync-3", "async-2", "async-3"):
        command = [python, HERE / "corpus.py", "{port}", form]
        yield f"redis-py-{form}", lambda form=form, command=command: stand.app(f"redis-py-{form}", command, requests)


def install(cache):
    """The drivers, once: a Python with its."""
    install_once(cache, DRIVERS, [("redis-server", "redis-server")], lambda cache: install_python(cache / "python", DRIVERS))
    return str(cache / "python" / "bin" / "python")


if __name__ == "__main__":
    sys.exit(main("redis", __doc__.split("\n\n")[0], Redis, install, cases))
