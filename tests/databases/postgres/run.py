#!/usr/bin/env python3
"""Records apps that use a real PostgreSQL and replays them with the server stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Starts PostgreSQL itself, on a free port in a temporary folder (as the user `postgres` when run by
root, whom it refuses to serve), with passwords checked by SCRAM. For each case: `rehearsal record`,
the requests, SIGINT; the server is stopped; `rehearsal test` N times (10), each of which must be
green. Then the defects: each must turn a test red, with the words that name it.

The environment's REHEARSAL is the program's path (`rehearsal` if unset); the server's programs are
found on PATH and in the folders where Debian puts them. Drivers are installed into the cache folder.
Exit code 0 when all passed, 1 when one failed.
"""

import glob
import json
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import corpus

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from stand import Failed, Server, ask, find_program, free_port, install_once, install_python, install_rust, main, run_tool  # noqa: E402

GO_DRIVERS = ["pq", "pgx-cache_statement", "pgx-cache_describe", "pgx-describe_exec", "pgx-exec", "pgx-simple_protocol"]
# What pgx, lib/pq, the JDBC driver and node-postgres do beside reading values.
GO_API = ["batch", "copy", "transaction", "notify"]
PQ_API = ["params", "errors", "transaction", "copy", "notices", "notify"]
JAVA_API = ["params", "keys", "errors", "savepoint", "copy", "large", "call", "notify"]
NODE_API = ["errors", "several", "transaction", "parallel", "cursor", "notify"]
# What Rust's drivers do beside reading values; `typed` and `simple` do not need it again.
RUST_API = {
    "tokio-postgres-query": ["params", "prepared", "errors", "pipeline", "transaction", "copy", "cursor", "notify"],
    "tokio-postgres-typed": [], "tokio-postgres-portal": [], "tokio-postgres-simple": [],
    "sqlx-postgres-prepared": ["params", "prepared", "errors", "transaction", "batch", "copy", "cursor", "notify"], "sqlx-postgres-raw": [],
}
DRIVERS = ["psycopg[binary]==3.3.*", "psycopg2-binary==2.9.*", "sqlalchemy==2.0.*", "pg8000==1.31.*", "asyncpg==0.32.*"]
SCHEMA = """
CREATE TYPE mood AS ENUM ('idle', 'busy');
CREATE TABLE orders (id serial PRIMARY KEY, item text UNIQUE NOT NULL, state text UNIQUE, amount numeric(10,2) NOT NULL,
    paid bool NOT NULL DEFAULT false, due date NOT NULL, deliver timestamp, tags text[] NOT NULL DEFAULT '{}', note bytea);
CREATE TYPE place AS (street text, number int, moods mood[]);
CREATE TABLE places (place place NOT NULL);
INSERT INTO places VALUES (ROW('Am Markt', 3, '{idle}'));
ALTER TABLE orders ALTER item SET DEFAULT 'none';
CREATE TABLE things (id int PRIMARY KEY);
INSERT INTO things VALUES (1);
CREATE TABLE ledger (order_id int NOT NULL, amount numeric(10,2) NOT NULL);
INSERT INTO orders (item, amount, due, note) VALUES ('pen', 1.50, '2024-02-29', ''), ('book', 20, '2024-03-01', '\\x00ff');
"""
HAT = {"item": "hat", "amount": "12.30", "due": "2024-05-06", "deliver": "2024-05-06T10:00:00Z", "tags": ["warm", "a b"], "note": "00ff10"}
SHOP = [
    ("GET", "/orders", None, 200, "pen"),
    ("POST", "/orders", HAT, 201, '"id": 3'),
    ("GET", "/orders/3", None, 200, "00ff10"),
    ("POST", "/orders", HAT, 409, "orders_item_key"),
    ("GET", "/orders/99", None, 404, "no such order"),
    ("POST", "/orders/1/pay", None, 200, '"paid": 1'),
    ("POST", "/orders/1/pay", None, 200, '"paid": 0'),
    ("POST", "/ledger", {"rows": [[7, "1.00"], [8, None or "2.5"]]}, 200, "8\\t2.50"),
    ("GET", "/report", None, 200, "22012"),
    ("POST", "/orders/2/raise", {"by": "0.50"}, 200, "20.50"),
]
ALTERED = [
    ("GET", "/things", None, 200, '[{"id": 1}]'),
    ("POST", "/alter", None, 200, "altered"),
    ("GET", "/things", None, 200, '[{"id": 1, "size": 7}]'),
    ("POST", "/both", None, 200, '[{"id": 1, "size": 7}, {"id": 1, "size": 7, "weight": 7}]'),
    ("GET", "/things", None, 200, "weight"),
]
COPIES = [
    *(f"/{how}/{name}" for how in ("exec", "send") for name in (
        "in", "twice", "nothing", "out", "missing", "alone-missing", "second-missing", "bad-data", "gives-up", "out-fails", "behind-error",
    )),
    "/psycopg2/in", "/psycopg2/missing", "/psycopg2/bad-data",
]
SHELL = ["/psql/talk", "/psql/copies", "/pg_dump", "/pgbench/simple", "/pgbench/extended", "/pgbench/prepared"]
# Of each defect: the tests that it turns red, and words of which each must be in what `rehearsal test` prints.
DEFECTS = {
    "missing_commit": ([2], ["COMMIT was not made"]),
    "rollback": ([2], ["ROLLBACK differs in 1 place", 'expected "COMMIT"', 'got "ROLLBACK"']),
    "wrong_column": ([2, 4], ["state", "item"]),
    "wrong_value": ([2, 4], ["amount", "13.30", "12.30"]),
    "n_plus_one": ([1], ["SELECT orders is a call that no mock answers", "WHERE id = $1"]),
    "utc_as_local": ([2, 4], ["deliver", "2024-05-06 10:00:00", "2024-05-06 12:00:00", "2 hours later: a time zone?"]),
    "lost_update": ([10], ["SELECT amount FROM orders", "SET amount = amount + $1", "UPDATE orders was not made"]),
    "other_words": ([6, 7], ["INSERT ledger is a call that no mock answers", "the nearest mock, call 4 of this test · INSERT ledger, differs"]),
}


# What of the schema the shop uses, and the types that the server said.
TABLES = [
    "ledger.amount unknown", "ledger.order_id unknown", "orders.amount numeric(10,2)", "orders.deliver unknown", "orders.due date",
    "orders.id int4", "orders.item text", "orders.note bytea", "orders.paid bool", "orders.tags text[]",
]


# A change of the schema that does not matter to the shop, and what must be said of it.
ALTER = "ALTER TABLE orders ALTER amount TYPE numeric(12,2), ALTER id TYPE int8"
MOVED = ["orders.amount was numeric(10,2) and is numeric(12,2)", "orders.id was int4 and is int8"]


def server_program(name):
    """The newest that is installed; what is on PATH may be a link into one of them."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda folder: float(folder.split("/")[-2]))
    return find_program(name, "postgresql", reversed(folders))


class Postgres(Server):
    account = "postgres"
    stop_signal = signal.SIGINT
    secrets = ("s3cret-word",)

    def __init__(self, folder):
        super().__init__(folder)
        self.settings = {}
        self.env |= {
            "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "shop", "PGPASSWORD": self.secrets[0], "PGDATABASE": "shop",
        }
        self.create()

    def create(self):
        (password := self.folder / "password").write_text(self.secrets[0])
        self.call(
            server_program("initdb"), "-D", self.folder / "data", "-U", "shop", "-A", "scram-sha-256", "--pwfile", password,
            "-E", "UTF8", "--no-locale", "--no-sync",
        )
        password.unlink()

    def allow_encryption(self):
        """From the next start on."""
        data = self.folder / "data"
        self.call(
            find_program("openssl", "openssl"), "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", data / "server.crt",
            "-keyout", data / "server.key",
        )
        self.call("chmod", "600", data / "server.key")
        self.settings["ssl"] = "on"

    def command(self):
        options = {"port": self.port, "unix_socket_directories": "", "listen_addresses": "127.0.0.1", "fsync": "off", "log_connections": "on", "timezone": "UTC"} | self.settings
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [server_program("postgres"), "-D", self.folder / "data", *words]

    def ready(self):
        return subprocess.run([server_program("pg_isready"), "-q"], env=self.env, check=False).returncode == 0

    def reset(self):
        psql = server_program("psql")
        self.call(psql, "-q", "-d", "postgres", "-c", "DROP DATABASE IF EXISTS shop WITH (FORCE)", "-c", "CREATE DATABASE shop")
        self.call(psql, "-q", "-v", "ON_ERROR_STOP=1", "-c", SCHEMA)
        self.call(server_program("pgbench"), "-i", "-q", "-s", "1")


def run_formats(stand):
    """A value looks the same in a recording whether the driver asked for text or for binary."""
    readable = [name for name in corpus.VALUES if name not in ("enum", "composite", "other")]
    for name in readable:
        forms = []
        for driver in ("psycopg", "psycopg-binary"):
            [file] = (stand.folder / "rehearsal" / driver / "tests").glob(f"*-get-values-{name}.yaml")
            _, _, result = file.read_text("utf-8").partition("\n      rows:")
            forms.append(result.partition("\n      tag:")[0])
        if not forms[0] or forms[0] != forms[1]:
            raise Failed(f"{name} differs:\n{forms[0]}\n{forms[1]}")
    return f"{len(readable)} groups of types look the same in text and in binary"


def run_clients(stand, shell):
    """Several clients at once: nothing of what they do is lost, and nothing is recorded twice."""
    modes, clients = ("simple", "extended", "prepared"), 4
    stand.record("clients", shell, [("GET", f"/pgbench/{mode}/{clients}", None, 200, '"code": 0') for mode in modes])
    told = "".join(file.read_text("utf-8") for file in stand.files("clients"))
    for begin in ("BEGIN", "UPDATE pgbench_accounts", "SELECT abalance", "UPDATE pgbench_tellers", "UPDATE pgbench_branches", "INSERT INTO", "END"):
        if (found := told.count(f"sql: {begin}")) != len(modes) * clients * 25:
            raise Failed(f"{found} statements {begin} are recorded, not {len(modes) * clients * 25}")
    return f"{len(modes) * clients * 25} transactions of {clients} clients, each statement recorded once"


def ended_late(stand, command):
    """What ends a transaction is the test's that began it, also when it comes amid the next one."""
    said = stand.app("late", command, [("GET", path, None, 200, "2") for path in ("/late", "/ended") * 2])
    tests = [file.read_text("utf-8") for file in stand.files("late") if file.parent.name == "tests"]
    if [text.count("sql: ROLLBACK") for text in tests] != [1] * 4:
        raise Failed(f"not each test has one ROLLBACK:\n{tests}")
    return said


def together(stand, command):
    """Transactions of overlapping requests: whose each is shows once they are not the same, whichever comes first."""
    port = free_port()
    stand.server.start()
    try:
        stand.server.reset()
        with stand.recording("together", [*command, str(port)], port), ThreadPoolExecutor() as pool:
            for future in [pool.submit(ask, port, "GET", f"/{who}", None, 200, "kept") for who in (1, 2)]:
                future.result()
    finally:
        stand.server.stop()
    for env in ({}, {"TURNED": "1"}):
        for number in range(stand.repeat):
            code, printed, _ = stand.test("together", f"test-together-{len(env)}-{number + 1}.log", env, ["--overlap", "recorded"])
            if code != 0:
                raise Failed(f"run {number + 1} with {env} ended with exit code {code}:\n{printed[-3000:]}")
    code, printed, _ = stand.test("together", "test-together-bug.log", {"BUG": "2"}, ["--overlap", "recorded"])
    if code != 1 or re.findall(r"✗ \d+ · (.*?) ·", printed) != ["GET /2"] or "2.75" not in printed:
        raise Failed(f"exit code {code}, and not GET /2 alone with 2.75:\n{printed[-3000:]}")
    return f"2 tests, {2 * stand.repeat} runs green"


def encrypted(stand, name, command, requests, how, **env):
    """An app that insists on encryption, recorded and replayed with it."""
    stand.server.allow_encryption()
    try:
        said = stand.app(name, command, requests, env)
    finally:
        stand.server.settings.clear()
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    if f"    protocol: postgres\n    starttls: {how}\n" not in manifest or "opaque" in manifest:
        raise Failed(f"recording.yaml does not say that it was read over TLS:\n{manifest}")
    return said


def insisting(stand, command):
    """A client that insists on binding its login to the server's certificate gives up, and is told why when it is recorded."""
    stand.server.allow_encryption()
    said, port = "nothing", free_port()
    try:
        stand.server.start()
        stand.server.reset()
        env = stand.server.env | {"PGSSLMODE": "require", "PGCHANNELBINDING": "require"}
        with stand.recording("insisting", [*command[:-1], str(port)], port, env):
            ask(port, "GET", "/orders", None, 500, "channel binding")
    except Failed as why:
        said = str(why)
    finally:
        stand.server.stop()
        stand.server.settings.clear()
    if "channel_binding=prefer" not in said:
        raise Failed(f"record does not say how it can be recorded, but {said}")
    return "it gives up, and record says why"


def cases(stand, tools):
    python, go, rust, node, java = tools
    yield "shop", lambda: stand.app("shop", [python, HERE / "shop.py", "{port}"], SHOP, variants=[{"POOL": "4"}])
    yield "schema", lambda: stand.schema("shop", TABLES)
    yield "moved", lambda: stand.moved("shop", lambda: stand.server.call(server_program("psql"), "-q", "-c", ALTER), MOVED)
    for bug, (red, words) in DEFECTS.items():
        yield f"shop {bug}", lambda bug=bug, red=red, words=words: stand.defect("shop", bug, red, words)
    counted = ["SELECT orders · 100 calls, recorded 0: SELECT id, item, amount, paid, due FROM orders WHERE id = $1"]
    yield "shop n_plus_one goes on", lambda: stand.defect("shop", "n_plus_one", [1], counted, ["--go-on"])
    yield "isolation", lambda: stand.isolated("shop", "connection received")
    row = "- [hat, 12.30, false, 2024-05-06, [warm, a b], !!binary AP8Q]"
    yield "edited", lambda: stand.edited("shop", row, row.replace("false", "maybe"), ['the text "maybe" in column `paid` is no bool'])
    yield "edited-copy", lambda: stand.served("shop", "7\\t1.00\\n8\\t2.50", "7\\t9.75\\n8\\t2.50", [8], ["response.body[2]", "9.75"])
    yield "altered", lambda: stand.app("altered", [python, HERE / "altered.py", "{port}"], ALTERED)
    late = [python, HERE / "late.py", "{port}"]
    yield "late", lambda: ended_late(stand, late)
    yield "late later", lambda: stand.defect("late", "later", [1, 3], ["ROLLBACK was not made"])
    yield "late committed", lambda: stand.defect("late", "committed", [1, 3], ['expected "ROLLBACK"', 'got "COMMIT"'])
    yield "together", lambda: together(stand, [python, HERE / "together.py"])
    yield "copies", lambda: stand.app("copies", [python, HERE / "copies.py", "{port}"], [("GET", path, None, 200, "") for path in COPIES])
    red = [number for number, path in enumerate(COPIES, 1) if path.split("/")[-1] in ("in", "twice", "second-missing")]
    words = ["copies[0].copy", "1\\tuno", "1\\tone"]
    yield "copies other_data", lambda: stand.defect("copies", "other_data", red, words)
    shop, verified = [python, HERE / "shop.py", "{port}"], {"PGHOST": "localhost", "PGSSLROOTCERT": str(stand.server.folder / "data" / "server.crt")}
    yield "encrypted", lambda: encrypted(stand, "encrypted", shop, SHOP, "self-signed", PGSSLMODE="require")
    yield "verified", lambda: encrypted(stand, "verified", shop, SHOP, "valid", PGSSLMODE="verify-full", **verified)
    yield "insisting", lambda: insisting(stand, shop)
    for driver in ("pgx-cache_statement", "pq"):
        statements, values = statements_file(stand), [f"/values/{name}" for name in list(corpus.VALUES)[:2]]
        requests = [("GET", path, None, 200, "") for path in values]
        command = [go, "{port}", driver, statements]
        yield f"encrypted-{driver}", lambda driver=driver, command=command, requests=requests: encrypted(
            stand, f"encrypted-{driver}", command, requests, "valid", PGSSLMODE="verify-full", **verified
        )
    shell = [python, HERE / "shell.py", "{port}", *map(server_program, ("psql", "pgbench", "pg_dump"))]
    yield "clients", lambda: run_clients(stand, shell)
    yield "sysbench", lambda: stand.sysbench(python, "pgsql", {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "db": "PGDATABASE"})
    yield "shell", lambda: stand.app("shell", shell, [("GET", path, None, 200, "") for path in SHELL])
    for language, program in (("go", go), ("rust", rust)):
        yield from stand.flavour(language, [program, "{port}", "shop"], "SET amount = amount + $1")
    for driver, command, paths in drivers(stand, *tools):
        requests = [("GET", path, None, 200, "") for path in paths]
        yield driver, lambda driver=driver, command=command, requests=requests: stand.app(
            driver, command, requests, variants=[{"POOL": "4"}] if driver.startswith("pgx") else []
        )
        if driver == "psycopg-binary":
            yield "formats", lambda: run_formats(stand)


def statements_file(stand):
    """A file that maps the paths of requests to SQL."""
    statements = stand.folder / "statements.json"
    statements.write_text(json.dumps({f"/values/{name}": corpus.selection(name) for name in corpus.VALUES}))
    return statements


def drivers(stand, python, go, rust, node, java):
    """The drivers in all their modes: name, command, and the paths to ask for."""
    values = [f"/values/{name}" for name in corpus.VALUES]
    params = [f"/params/{name}" for name in corpus.PARAMS]
    statements = statements_file(stand)
    lines = stand.folder / "statements.tsv"
    lines.write_text("".join(f"{path}\t{corpus.selection(path.split('/')[-1])}\n" for path in values))
    for driver in corpus.DRIVERS:
        own = ["/own/it"] if driver in ("psycopg", "psycopg-binary", "asyncpg") else []
        yield driver, [python, HERE / "corpus.py", "{port}", driver], values + params + own
    for driver in GO_DRIVERS:
        yield driver, [go, "{port}", driver, statements], values + [f"/api/{name}" for name in (PQ_API if driver == "pq" else GO_API)]
    for mode in ("plain", "named", "params", "sequelize", "typeorm"):
        yield f"node-{mode}", [*node, "{port}", mode, statements], values + ([f"/api/{name}" for name in NODE_API] if mode == "plain" else [])
    for driver, api in RUST_API.items():
        yield driver, [rust, "{port}", driver, lines], [*values, *(f"/api/{name}" for name in api)]
    for mode in ("simple", "extended", "extendedForPrepared", "extendedCacheEverything", "binary"):
        yield f"jdbc-{mode}", [*java, "{port}", mode, lines], values + [f"/api/{name}" for name in JAVA_API]


def install(cache):
    """The drivers, once: a Python with its, the programs in Go and Rust, and the words that run those for Node and Java."""
    sources = [source for folder in ("go", "node", "java") for source in sorted((HERE / folder).iterdir())]
    tools = [("go", "golang"), ("npm", "npm"), ("node", "nodejs"), ("mvn", "maven"), ("javac", "default-jdk-headless")]
    install_once(cache, DRIVERS + [source.read_text("utf-8") for source in sources], tools, fill)
    java = cache / "java"
    return str(cache / "python" / "bin" / "python"), str(cache / "corpus-go"), install_rust(cache.parent), [shutil.which("node"), cache / "node" / "corpus.js"], [
        shutil.which("java"), "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{java / 'lib'}:{java / 'lib' / '*'}", "Corpus"
    ]


def fill(cache):
    install_python(cache / "python", DRIVERS)
    node, java = shutil.copytree(HERE / "node", cache / "node"), shutil.copytree(HERE / "java", cache / "java")
    run_tool(["go", "build", "-o", cache / "corpus-go", "."], HERE / "go")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], node)
    run_tool(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], java)
    run_tool(["javac", "-cp", "lib/*", "-d", "lib", "Corpus.java", "Api.java"], java)


if __name__ == "__main__":
    sys.exit(main("postgres", __doc__.split("\n\n")[0], Postgres, install, cases))
