#!/usr/bin/env python3
"""Records apps that use a real MongoDB-compatible server and replays them with the server stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Starts SecantusDB itself, on a free port with its data in a temporary folder. For each case: `rehearsal
record`, the requests, SIGINT; the server is stopped; `rehearsal test` N times (10), each of which must
be green. Then the defects: each must turn a test red, with the words that name it.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). The server and the drivers are
installed into the cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import contextlib
import http.client
import json
import shutil
import sys
from pathlib import Path
from urllib.parse import quote

import corpus

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from stand import Failed, Server, find_program, free_port, install_once, install_python, install_rust, main, run_tool  # noqa: E402

PACKAGES = ["SecantusDB==0.7.0b3", "pymongo==4.20.*"]
PEN, BOOK = "65e0a1b2c3d4e5f601020304", "65e0a1b2c3d4e5f601020305"
HAT = {"item": "hat", "amount": "12.30", "due": "2024-05-06T10:00:00", "tags": ["warm", "a b"], "note": "00ff10"}
SHOP = [
    ("GET", "/orders", None, 200, "pen"),
    ("POST", "/orders", HAT, 201, '"found": true'),
    ("GET", f"/orders/{PEN}", None, 200, "1.50"),
    ("POST", "/orders", HAT, 409, "error"),
    ("GET", "/orders/65e0a1b2c3d4e5f601020399", None, 404, "no such order"),
    ("POST", f"/orders/{PEN}/pay", None, 200, '"paid": 1'),
    ("POST", f"/orders/{PEN}/pay", None, 200, '"paid": 0'),
    ("POST", "/log", {"rows": [["a", "x"], ["b", "y"]]}, 200, '["a", "b"]'),
    ("GET", "/report", None, 200, "3741"),
]
NEWS = [
    ("GET", "/add/a", None, 200, '"a"'), ("GET", "/count", None, 200, "1"),
    ("GET", "/add/b", None, 200, '"b"'), ("GET", "/count", None, 200, "2"),
]
# The defect, the numbers of the tests that must be red, and words that must be in what `rehearsal test` prints.
DEFECTS = {
    "missing_write": ([2], ["insert shop.log"]),
    "wrong_field": ([2, 4], ["documents[0].item", "documents[0].state"]),
    "wrong_filter": ([2], ["find shop.orders", "filter"]),
    "n_plus_one": ([1], ["find shop.orders · 100 calls, recorded 0: find shop.orders _id"]),
    "local_time": ([2, 4], ["documents[0].due", "2024-05-06T10:00:00Z", "2024-05-06T08:00:00Z"]),
    "other_id": ([2], ["insert shop.log", "order"]),
    "returned_id": ([2], ["response.body.id"]),
    "no_transaction": ([6, 7], ["findAndModify shop.orders", "transaction"]),
}


class Secantus(Server):
    """SecantusDB as a replica set of one, with passwords checked by SCRAM."""

    secrets = ("s3cret-w0rd:/",)

    def __init__(self, folder, python):
        super().__init__(folder)
        self.python, self.auth, self.tls = python, [], []
        password = quote(self.secrets[0], safe="")
        self.env |= {"MONGO_URL": f"mongodb://127.0.0.1:{self.port}/"}
        self.start()
        self.call(self.python, HERE / "reset.py", self.env["MONGO_URL"], "shop", self.secrets[0])
        self.stop()
        self.auth = ["--auth"]
        self.env |= {"MONGO_URL": f"mongodb://shop:{password}@127.0.0.1:{self.port}/"}

    def command(self):
        data = self.folder / "data"
        program = self.python.parent / "secantusd-py"
        return [program, "--host", "127.0.0.1", "--port", self.port, "--storage-path", data, "--cache-size", "64M", "--log-level", "DEBUG", *self.auth, *self.tls]

    @contextlib.contextmanager
    def encrypted(self):
        """Takes connections over TLS alone, with a certificate that the environment tells apps to trust."""
        certificate, key, plain = self.folder / "server.crt", self.folder / "server.key", dict(self.env)
        self.call(
            find_program("openssl", "openssl"), "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-out", certificate, "-keyout", key,
        )
        self.tls = ["--tls-cert-file", certificate, "--tls-key-file", key]
        self.env |= {"MONGO_URL": f"{plain['MONGO_URL']}?tls=true", "SSL_CERT_FILE": str(certificate), "NODE_EXTRA_CA_CERTS": str(certificate)}
        try:
            yield
        finally:
            self.tls, self.env = [], plain

    def ready(self):
        """Whether it listens, and has noted the end of the connection that asked for that. Over TLS it notes none that says nothing."""
        if not self.up:
            self.up = super().ready()
            return self.up and bool(self.tls)
        return self.seen < self.noted(" connected from ") == self.noted(" disconnected")

    def noted(self, words):
        return self.log.read_text("utf-8", "replace").count(words) if self.log.exists() else 0

    def start(self):
        self.up, self.seen = False, self.noted(" connected from ")
        super().start()

    def reset(self):
        self.call(self.python, HERE / "reset.py", self.env["MONGO_URL"])


def run_created(stand, python):
    """An order is asked for by the id that the driver invented: another one in each run."""
    port = free_port()
    stand.server.start()
    try:
        stand.server.reset()
        with stand.recording("created", [python, HERE / "shop.py", str(port)], port):
            number = ask(port, "POST", "/orders", HAT)["id"]
            ask(port, "GET", f"/orders/{number}")
            ask(port, "POST", f"/orders/{number}/pay")
    finally:
        stand.server.stop()
    for number in range(stand.repeat):
        code, printed, _ = stand.test("created", f"test-created-{number + 1}.log")
        if code != 0:
            raise Failed(f"run {number + 1} of {stand.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    return f"3 tests, {stand.repeat} runs green"


def encrypted(stand, name, command, requests):
    """An app whose server speaks TLS alone, recorded as what is said inside of it."""
    with stand.server.encrypted():
        said = stand.app(name, command, requests)
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    if "    protocol: mongodb\n    tls: valid\n" not in manifest or "opaque" in manifest:
        raise Failed(f"recording.yaml does not say that it was read over TLS:\n{manifest}")
    return said


def ask(port, method, path, body=None):
    """What the app answers to a request, as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, None if body is None else json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        if response.status >= 300:
            raise Failed(f"{method} {path}: {response.status} {response.read()[:300]}")
        return json.loads(response.read())


# What of the collections the shop uses.
TABLES = [
    "shop.ledger._id string", "shop.ledger.amount decimal", "shop.log._id string", "shop.log.order objectId", "shop.log.seen int",
    "shop.log.what string", "shop.numbers._id int", "shop.orders._id objectId", "shop.orders.amount decimal", "shop.orders.due date",
    "shop.orders.item string", "shop.orders.note binData", "shop.orders.paid bool", "shop.orders.size object", "shop.orders.tags array",
]


def cases(stand, tools):
    python, others = tools
    yield "shop", lambda: stand.app("shop", [python, HERE / "shop.py", "{port}"], SHOP, variants=[{"POOL": "8"}])
    yield "schema", lambda: stand.schema("shop", TABLES)
    for bug, (red, words) in DEFECTS.items():
        yield f"shop {bug}", lambda bug=bug, red=red, words=words: stand.defect("shop", bug, red, words)
    yield "edited", lambda: stand.edited("shop", '{$numberLong: "-86400000"}', '{$numberLong: "long ago"}', ["`$numberLong` must be a whole number"])
    # Cursors, of which the server gives each another number in each run.
    yield "same", lambda: stand.same("same", [python, HERE / "shop.py", "{port}"], [SHOP[0], *SHOP[-2:], *SHOP[-1:]])
    yield "created", lambda: run_created(stand, python)
    yield from stand.late([python, HERE / "late.py", "{port}"], "abortTransaction admin", "commitTransaction admin")
    yield "isolation", lambda: stand.isolated("shop", " connected from ")
    yield "news", lambda: stand.app("news", [python, HERE / "news.py", "{port}"], NEWS)
    news = others["node"][:1] + [others["node"][1].with_name("news.js"), "{port}"]
    yield "news-node", lambda: stand.app("news-node", news, NEWS)
    statements = stand.folder / "statements.json"
    statements.write_text(json.dumps(corpus.statements()), "utf-8")
    drivers = {"pymongo": [python, HERE / "corpus.py", "{port}", "sync"], "pymongo-async": [python, HERE / "corpus.py", "{port}", "async"]}
    drivers |= {name: [*command, "{port}", *(["mongodb"] if name == "rust" else [])] for name, command in others.items()}
    for name, command in drivers.items():
        api = corpus.API if name in others else [*corpus.API, *corpus.MORE]
        requests = [("GET", path, None, 200, "") for path in corpus.paths(api)]
        yield name, lambda name=name, command=command, requests=requests: stand.app(name, [*command, statements], requests)
    yield "tls", lambda: encrypted(stand, "tls", [python, HERE / "shop.py", "{port}"], SHOP)
    reads = [("GET", path, None, 200, "") for path in corpus.paths(corpus.API)]
    for name in ("node", "go"):
        command = [*drivers[name], statements]
        yield f"tls-{name}", lambda name=f"tls-{name}", command=command: encrypted(stand, name, command, reads)


def install(cache):
    """The server and the drivers, once: a Python, and the words that run the corpus in other languages."""
    sources = [source for folder in ("go", "node", "java") for source in sorted((HERE / folder).iterdir())]
    tools = [("go", "golang"), ("npm", "npm"), ("node", "nodejs"), ("mvn", "maven"), ("javac", "default-jdk-headless")]
    install_once(cache, PACKAGES + [source.read_text("utf-8") for source in sources], tools, fill)
    classes = f"{cache / 'java' / 'lib'}:{cache / 'java' / 'lib' / '*'}"
    return cache / "python" / "bin" / "python", {
        "go": [cache / "corpus-go"],
        "rust": [install_rust(cache.parent)],
        "node": [shutil.which("node"), cache / "node" / "corpus.js"],
        "java": [shutil.which("java"), "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", classes, "Corpus"],
    }


def fill(cache):
    install_python(cache / "python", PACKAGES)
    node, java = shutil.copytree(HERE / "node", cache / "node"), shutil.copytree(HERE / "java", cache / "java")
    run_tool(["go", "build", "-o", cache / "corpus-go", "."], HERE / "go")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], node)
    run_tool(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], java)
    run_tool(["javac", "-cp", "lib/*", "-d", "lib", "Corpus.java"], java)


def suite():
    """The exit code. The server is a Python package: it comes from where the drivers are installed."""
    installed = []

    def remembered(cache):
        installed.extend(install(cache))
        return installed

    return main("mongodb", __doc__.split("\n\n")[0], lambda folder: Secantus(folder, installed[0]), remembered, cases)


if __name__ == "__main__":
    sys.exit(suite())
