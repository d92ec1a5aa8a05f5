#!/usr/bin/env python3
"""Records apps that use a real Redis and replays them with the server stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Starts Redis itself, on a free port in a temporary folder, with a password. For each case: `rehearsal
record`, the requests, SIGINT; the server is stopped; `rehearsal test` N times (10), each of which must be
green. Then the defects: each must turn a test red, with the words that name it.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Drivers are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import commands

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from stand import Failed, Server, find_program, install_once, install_python, install_rust, main, run_tool  # noqa: E402

DRIVERS = ["redis==7.*"]
GROUPS = list(commands.CORPUS)
# Blocking, and errors that a queue refuses, have other replies there.
IN_PIPELINES = ["strings", "binary", "numbers", "hashes", "sorted", "errors"]
IN_TRANSACTIONS = ["strings", "numbers", "hashes", "lists", "streams"]
SHELL = ["/cli/talk", "/cli/talk3", "/cli/pipe", "/cli/repeat", "/cli/scan"]
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
    "n_plus_one": ([5], ["GET price:0 · 100 calls, recorded 0: GET price:*", "MGET price:A1 was not made"]),
    "wrong_price": ([1, 2], ["HSET cart:7", "price", "9.5", "10.5"]),
    "wrong_order": ([6], ["MULTI", "RPUSH", "DEL"]),
}


class Redis(Server):
    secrets = ("s3cret-word",)

    def __init__(self, folder):
        super().__init__(folder)
        self.password = "".join(self.secrets)
        self.env |= {"REDIS_URL": f"redis://:{self.password}@127.0.0.1:{self.port}", "REDISCLI_AUTH": self.password}

    def command(self):
        options = {
            "port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "requirepass": self.password,
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


def run_edited(stand):
    """A reply that a person has changed is served as changed, and one that makes no sense is refused with its place."""
    [file] = (stand.folder / "rehearsal" / "shop-resp2" / "tests").glob("0005-*")
    recorded = file.read_text("utf-8")
    reply = '{array: ["9.50", "20", null]}'
    edits = {'{array: ["8.75", "20", null]}': (1, "8.75"), "{integer: many}": (2, "expected a whole number"), "{array: [true]}": (2, "line 9, column 12: true has no type; write `bool: true`")}
    try:
        for edit, (expected, word) in edits.items():
            if reply not in recorded:
                raise Failed(f"the reply is not {reply}:\n{recorded}")
            file.write_text(recorded.replace(reply, edit), "utf-8")
            code, printed, _ = stand.test("shop-resp2", "edited.log", {"RESP": "2"})
            if code != expected or word not in printed:
                raise Failed(f"{edit}: exit code {code}, not {expected} with {word!r}:\n{printed[-2000:]}")
    finally:
        file.write_text(recorded, "utf-8")
    return f"{len(edits)} edits"


def cases(stand, tools):
    python, go, rust, node, java = tools
    for version in ("2", "3"):
        env, other = {"RESP": version}, {"RESP": "3" if version == "2" else "2"}
        shop = [python, HERE / "shop.py", "{port}"]
        yield f"shop-resp{version}", lambda name=f"shop-resp{version}", shop=shop, env=env, other=other: stand.app(name, shop, SHOP, env, [other])
    for bug, (red, words) in DEFECTS.items():
        yield f"shop {bug}", lambda bug=bug, red=red, words=words: stand.defect("shop-resp2", bug, red, words)
    yield "edited", lambda: run_edited(stand)
    yield "isolation", lambda: stand.isolated("shop-resp2", "Accepted")
    programs = [find_program(name, "redis-tools") for name in ("redis-cli", "redis-benchmark")]
    shell = [python, HERE / "shell.py", "{port}", str(stand.server.port), *programs]
    yield "shell", lambda: stand.app("shell", shell, [("GET", path, None, 200, '"code": 0') for path in SHELL])
    benchmark = [("GET", f"/benchmark/{depth}", None, 200, '{"code": 0, "told": []}') for depth in (1, 16)]
    yield "benchmark", lambda: stand.load("benchmark", shell, benchmark)
    for driver, command, paths in drivers(stand, *tools):
        requests = [("GET", path, None, 200, "") for path in paths]
        yield driver, lambda driver=driver, command=command, requests=requests: stand.app(driver, command, requests)


def drivers(stand, python, go, rust, node, java):
    """The drivers in their versions of the protocol: name, command, and the paths to ask for."""
    lines = stand.folder / "commands.tsv"
    words = lambda command: " ".join(commands.encoded(word).hex() for word in command)  # noqa: E731
    lines.write_text("".join(f"{name}\t{words(command)}\n" for name in GROUPS for command in commands.group(name)))
    run = [f"/run/{name}" for name in GROUPS]
    pipelines = [f"/pipeline/{name}" for name in IN_PIPELINES]
    transactions = [f"/transaction/{name}" for name in IN_TRANSACTIONS]
    parallel = [f"/parallel/{name}" for name in IN_PIPELINES]
    for form in ("sync-2", "sync-3", "async-2", "async-3"):
        yield f"redis-py-{form}", [python, HERE / "corpus.py", "{port}", form], run + pipelines + transactions + ["/messages"]
    for version in ("2", "3"):
        yield f"go-redis-{version}", [go, "{port}", version, lines], run + pipelines + transactions + ["/messages/all"]
        own = ["/messages/all", "/api/scripts", "/api/blocking"]
        yield f"rust-redis-{version}", [rust, "{port}", f"redis-{version}", lines], run + pipelines + transactions + parallel + own
    for driver in ("ioredis", "redis-2", "redis-3"):
        yield f"node-{driver}", [*node, "{port}", driver, lines], run + parallel + transactions + ["/messages/all"]
    for driver in ("jedis-2", "jedis-3", "lettuce-2", "lettuce-3"):
        yield driver, [*java, "{port}", driver, lines], run


def install(cache):
    """The drivers, once: a Python with its, the programs in Go and Rust, and the words that run those for Node and Java."""
    sources = [source for folder in ("go", "node", "java") for source in sorted((HERE / folder).iterdir())]
    tools = [("go", "golang"), ("npm", "npm"), ("node", "nodejs"), ("mvn", "maven"), ("javac", "default-jdk-headless")]
    install_once(cache, DRIVERS + [source.read_text("utf-8") for source in sources], tools, fill)
    java = cache / "java"
    return str(cache / "python" / "bin" / "python"), cache / "corpus-go", install_rust(cache.parent), [shutil.which("node"), cache / "node" / "corpus.js"], [
        shutil.which("java"), "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{java / 'lib'}:{java / 'lib' / '*'}", "Corpus"
    ]


def fill(cache):
    install_python(cache / "python", DRIVERS)
    node, java = shutil.copytree(HERE / "node", cache / "node"), shutil.copytree(HERE / "java", cache / "java")
    run_tool(["go", "build", "-o", cache / "corpus-go", "."], HERE / "go")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], node)
    run_tool(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], java)
    run_tool(["javac", "-cp", "lib/*", "-d", "lib", "Corpus.java"], java)


if __name__ == "__main__":
    sys.exit(main("redis", __doc__.split("\n\n")[0], Redis, install, cases))
