#!/usr/bin/env python3
"""Records an app that speaks graphql-transport-ws both ways, and replays it with its supplier stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Client and server are those of graphql-ws, which invents another number for each operation: what the supplier is
played to say must have today's. Each defect must turn exactly its tests red and name the place. The environment's
REHEARSAL is the program's path (`rehearsal` if unset). Clients are installed into the cache folder. Exit code 0 when all
passed, 1 when one failed.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "databases"))

from stand import Failed, Server, ask, free_port, install_once, main, run_tool  # noqa: E402

ASKED = [("", "INIT"), ("?symbol=ACME", '"cents":103'), ("?symbol=NONE", "there is no symbol NONE")]
SERVED = [
    ("subscription Orders($to: Int!) { orders(to: $to) { id total } }", '{"to": 3}', '"total":300'),
    ("query All { orders { id total } }", "{}", '"total":200'),
]


class Supplier(Server):
    def __init__(self, folder, node):
        super().__init__(folder)
        self.node = node
        self.env["PRICES_URL"] = f"ws://127.0.0.1:{self.port}"

    def command(self):
        return ["node", self.node / "upstream.mjs", self.port]


def works(stand, node):
    port = free_port()
    stand.server.start()
    try:
        with stand.recording("node", ["node", str(node / "app.mjs"), str(port)], port):
            for query, part in ASKED:
                ask(port, "GET", f"/{query}", None, 200, part)
            for operation, variables, part in SERVED:
                words = ["node", node / "client.mjs", f"ws://127.0.0.1:{port}/graphql", operation, variables]
                done = subprocess.run([*map(str, words)], check=False, capture_output=True, text=True, timeout=60)
                if done.returncode != 0 or part not in done.stdout:
                    raise Failed(f"the client ended with {done.returncode} and said {done.stdout} {done.stderr[-1000:]}")
    finally:
        stand.server.stop()
    seconds = []
    for number in range(stand.repeat):
        code, printed, took = stand.test("node", f"test-node-{number + 1}.log")
        seconds.append(took)
        if code != 0 or "5 passed" not in printed:
            raise Failed(f"run {number + 1} of {stand.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    return f"5 tests, {stand.repeat} runs green, {min(seconds):.2f} to {max(seconds):.2f} s"


def cases(stand, node):
    yield "node", lambda: works(stand, node)
    nulls = ["response.conversation[", "received.payload.data.orders[1].total"]
    yield "graphql_null", lambda: stand.defect("node", "graphql_null", [4, 5], nulls)
    other = ["sent.payload.query", "query Others"]
    yield "wrong_operation", lambda: stand.defect("node", "wrong_operation", [1], other)


def install(cache):
    """The programs, beside what they need."""
    sources = [source.read_text("utf-8") for source in sorted((HERE / "node").iterdir())]
    install_once(cache, sources, [("node", "nodejs"), ("npm", "npm")], fill)
    return cache / "node"


def fill(cache):
    shutil.copytree(HERE / "node", cache / "node")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], cache / "node")


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["node"] = install(cache)
        return store["node"]

    sys.exit(main("streams-graphql", __doc__.split("\n\n")[0], lambda folder: Supplier(folder, store["node"]), installed, cases))
