#!/usr/bin/env python3
"""Records apps that use a real memcached and replays them with the server stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Starts memcached itself, on a free port. For each case: `rehearsal record`, the requests, SIGINT; the server
is stopped; `rehearsal test` N times (10), each of which must be green. Then the defects: each must turn a
test red, with the words that name it.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Drivers are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import contextlib
import os
import shutil
import socket
import ssl
import sys
from pathlib import Path

import corpus

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from stand import Failed, Server, ask, find_program, free_port, install_once, install_python, main, run_tool  # noqa: E402

DRIVERS = ["pymemcache==4.*", "python-memcached==1.62", "aiomcache==0.8.2"]
ITEM = {"sku": "A1", "price": 9.5}
SHOP = [
    ("POST", "/carts/7", ITEM, 200, "[true, 1]"),
    ("GET", "/carts/7", None, 200, "9.5"),
    ("GET", "/carts/8", None, 200, "null"),
    ("GET", "/prices/A1,B2,C3", None, 200, '{"price:A1": "9.50", "price:B2": "20"}'),
    ("POST", "/carts/7/pay", None, 200, "paid 7"),
    ("GET", "/carts/7", None, 200, "null"),
]
# The defect, the tests that must be red by it, and words of which each must be in what `rehearsal test` prints.
DEFECTS = {
    "wrong_expiry": ([1], ["set cart:7", "expires", "600", "60"]),
    "missing_delete": ([5], ["delete cart:7"]),
    "renamed_key": ([1], ["key", "cart:7", "basket:7"]),
    "n_plus_one": ([4], ["get price:1 · 100 calls, recorded 1: get price:*"]),
    "wrong_price": ([1], ["value.price", "9.5", "10.5"]),
}


class Memcached(Server):
    def __init__(self, folder):
        super().__init__(folder)
        self.tls, self.trusting = [], None

    def command(self):
        user = ["-u", "root"] if os.geteuid() == 0 else []
        return [find_program("memcached", "memcached"), "-l", "127.0.0.1", "-p", self.port, "-U", "0", "-vv", *user, *self.tls]

    @contextlib.contextmanager
    def encrypted(self):
        """Takes connections over TLS alone, with a certificate that the environment tells apps to trust."""
        certificate, key = self.folder / "server.crt", self.folder / "server.key"
        self.call(
            find_program("openssl", "openssl"), "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-out", certificate, "-keyout", key,
        )
        self.tls, self.trusting = ["-Z", "-o", f"ssl_chain_cert={certificate},ssl_key={key}"], ssl.create_default_context(cafile=certificate)
        try:
            yield {"TLS": "yes", "SSL_CERT_FILE": str(certificate)}
        finally:
            self.tls, self.trusting = [], None

    def connection(self):
        plain = socket.create_connection(("127.0.0.1", self.port), 10)
        return contextlib.closing(self.trusting.wrap_socket(plain, server_hostname="localhost") if self.trusting else plain)

    def ready(self):
        """Whether it answers: by then it has noted the connection that asked."""
        try:
            with self.connection() as connection:
                connection.sendall(b"version\r\n")
                return connection.makefile("rb").readline().startswith(b"VERSION")
        except OSError:
            return False

    def reset(self):
        with self.connection() as connection:
            stream = connection.makefile("rwb")
            for line in ("flush_all", "set carts 0 0 1\r\n0", "set price:A1 0 0 4\r\n9.50", "set price:B2 0 0 2\r\n20"):
                stream.write(line.encode() + b"\r\n")
                stream.flush()
                stream.readline()


def encrypted(stand, python):
    """The shop when its server speaks TLS alone, recorded as what is said inside of it."""
    with stand.server.encrypted() as env:
        said = stand.app("tls", [python, HERE / "shop.py", "{port}", str(stand.server.port)], SHOP, env)
    manifest = (stand.folder / "rehearsal" / "tls" / "recording.yaml").read_text("utf-8")
    if "    protocol: memcached\n    tls: valid\n" not in manifest or "opaque" in manifest:
        raise Failed(f"recording.yaml does not say that it was read over TLS:\n{manifest}")
    return said


def run_load(stand, python):
    """memcslap's load goes through a recording without an error, and all of it is read."""
    port = free_port()
    stand.server.start()
    try:
        load = [python, HERE / "load.py", str(port), str(stand.server.port), find_program("memcslap", "libmemcached-tools")]
        with stand.recording("load", [str(word) for word in load], port):
            for path in ("/set", "/get"):
                ask(port, "GET", path, None, 200, "0")
    finally:
        stand.server.stop()
    return "set and get, no error, nothing unread"


def cases(stand, tools):
    python, go, node, java = tools
    server = str(stand.server.port)
    yield "shop", lambda: stand.app("shop", [python, HERE / "shop.py", "{port}", server], SHOP)
    for bug, (red, words) in DEFECTS.items():
        yield f"shop {bug}", lambda bug=bug, red=red, words=words: stand.defect("shop", bug, red, words)
    yield "edited", lambda: stand.edited("shop", 'value: "9.50"', "value: {price: 9.50}", ["column 39: expected text or bytes, found a map"])
    yield "isolation", lambda: stand.isolated("shop", "new auto-negotiating client connection")
    yield "tls", lambda: encrypted(stand, python)
    yield "load", lambda: run_load(stand, python)
    drivers = [(name, [python, HERE / "corpus.py", "{port}", server, name], groups) for name, groups in corpus.GROUPS.items()]
    drivers += [("gomemcache", [go, "{port}", server], ["basics", "counters", "cas", "many"])]
    for driver in ("memcached", "memjs"):
        drivers.append((f"node-{driver}", [*node, "{port}", server, driver], ["basics", "types", "counters", "many"]))
    for driver in ("spymemcached", "xmemcached"):
        drivers.append((driver, [*java, "{port}", server, driver], ["basics", "counters", "many", "cas"]))
    for name, command, groups in drivers:
        requests = [("GET", f"/{group}", None, 200, "") for group in groups]
        yield name, lambda name=name, command=command, requests=requests: stand.app(name, command, requests)


def install(cache):
    """The drivers, once: a Python with its, the Go program, and the words that run those for Node and Java."""
    sources = [source for folder in ("go", "node", "java") for source in sorted((HERE / folder).iterdir())]
    tools = [("go", "golang"), ("npm", "npm"), ("node", "nodejs"), ("mvn", "maven"), ("javac", "default-jdk-headless")]
    install_once(cache, DRIVERS + [source.read_text("utf-8") for source in sources], tools, fill)
    java = cache / "java"
    return str(cache / "python" / "bin" / "python"), cache / "corpus-go", [shutil.which("node"), cache / "node" / "corpus.js"], [
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
    sys.exit(main("memcached", __doc__.split("\n\n")[0], Memcached, install, cases))
