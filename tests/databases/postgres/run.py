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

import argparse
import contextlib
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import corpus

HERE = Path(__file__).resolve().parent
GO_DRIVERS = ["pq", "pgx-cache_statement", "pgx-cache_describe", "pgx-describe_exec", "pgx-exec", "pgx-simple_protocol"]
DRIVERS = ["psycopg[binary]==3.3.*", "psycopg2-binary==2.9.*", "sqlalchemy==2.0.*", "pg8000==1.31.*", "asyncpg==0.32.*"]
START_LIMIT, STOP_LIMIT, TEST_LIMIT = 60, 20, 120  # seconds
SCHEMA = """
CREATE TYPE mood AS ENUM ('idle', 'busy');
CREATE TABLE orders (id serial PRIMARY KEY, item text UNIQUE NOT NULL, state text UNIQUE, amount numeric(10,2) NOT NULL,
    paid bool NOT NULL DEFAULT false, due date NOT NULL, tags text[] NOT NULL DEFAULT '{}', note bytea);
ALTER TABLE orders ALTER item SET DEFAULT 'none';
CREATE TABLE ledger (order_id int NOT NULL, amount numeric(10,2) NOT NULL);
INSERT INTO orders (item, amount, due, note) VALUES ('pen', 1.50, '2024-02-29', ''), ('book', 20, '2024-03-01', '\\x00ff');
"""
HAT = {"item": "hat", "amount": "12.30", "due": "2024-05-06", "tags": ["warm", "a b"], "note": "00ff10"}
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
]
SHELL = ["/psql/talk", "/pg_dump", "/pgbench/simple", "/pgbench/extended", "/pgbench/prepared"]
# The defect and words of which each must be in what `rehearsal test` prints.
DEFECTS = {
    "missing_commit": ["COMMIT"],
    "rollback": ["ROLLBACK", "COMMIT"],
    "wrong_column": ["state", "item"],
    "wrong_value": ["amount", "13.30", "12.30"],
    "n_plus_one": ["SELECT orders", "id = $1"],
}


class Failed(Exception):
    """Why a case is red, in words for a person."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        return holder.getsockname()[1]


def server_program(name):
    """The newest that is installed; what is on PATH may be a link into one of them."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda folder: float(folder.split("/")[-2]))
    path = os.pathsep.join([*reversed(folders), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        raise Failed(f"{name} is not installed: apt-get install postgresql")
    return found


class Server:
    """A PostgreSQL of our own."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        folder.mkdir()
        if self.user:
            shutil.chown(folder, "postgres", "postgres")
        self.env = os.environ | {
            "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "shop", "PGPASSWORD": "s3cret-word", "PGDATABASE": "shop",
        }
        (password := folder / "password").write_text(self.env["PGPASSWORD"])
        self.call("initdb", "-D", folder / "data", "-U", "shop", "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8", "--no-locale", "--no-sync")
        password.unlink()

    def call(self, name, *words, **options):
        command = [server_program(name), *map(str, words)]
        options = {"capture_output": True} | self.user | options
        done = subprocess.run(command, check=False, cwd=self.folder, env=self.env, text=True, timeout=START_LIMIT, **options)
        if done.returncode != 0:
            raise Failed(f"{name} ended with exit code {done.returncode}: {done.stderr[-1000:]}")
        return done.stdout

    def start(self):
        options = {"port": self.port, "unix_socket_directories": "", "listen_addresses": "127.0.0.1", "fsync": "off", "log_connections": "on", "timezone": "UTC"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [server_program("postgres"), "-D", str(self.folder / "data"), *words],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.user,
            )
        limit = time.monotonic() + START_LIMIT
        while subprocess.run([server_program("pg_isready"), "-q"], env=self.env, check=False).returncode != 0:
            if time.monotonic() > limit or self.process.poll() is not None:
                raise Failed(f"PostgreSQL did not start (see {self.folder / 'server.log'})")
            time.sleep(0.05)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(STOP_LIMIT)
            self.process = None

    def reset(self):
        self.call("psql", "-q", "-d", "postgres", "-c", "DROP DATABASE IF EXISTS shop WITH (FORCE)", "-c", "CREATE DATABASE shop")
        self.call("psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", SCHEMA)
        self.call("pgbench", "-i", "-q", "-s", "1")


@contextlib.contextmanager
def recording(name, server, options, command, port, folder):
    """`rehearsal record`, ended by SIGINT."""
    log = folder / f"record-{name}.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [options.program, "record", "--name", name, "--", *command], cwd=folder, env=server.env,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )
    try:
        limit = time.monotonic() + START_LIMIT
        while True:
            if process.poll() is not None or time.monotonic() > limit:
                raise Failed(f"the app did not start (see {log})")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield
        process.send_signal(signal.SIGINT)
        if process.wait(STOP_LIMIT) != 0:
            raise Failed(f"record ended with exit code {process.returncode} (see {log})")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for line in log.read_text("utf-8", "replace").splitlines():
        if "not recorded" in line:
            raise Failed(f"a connection was not read: {line}")


def ask(port, method, path, body, status, part):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, None if body is None else json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
    if response.status != status or part not in text:
        raise Failed(f"{method} {path}: expected {status} with {part!r}, got {response.status} {text[:300]}")


def record(name, server, options, command, port, folder, requests):
    server.start()
    try:
        server.reset()
        with recording(name, server, options, command, port, folder):
            for request in requests:
                ask(port, *request)
    finally:
        server.stop()
    files = list((folder / "rehearsal" / name).rglob("*.yaml"))
    if any(server.env["PGPASSWORD"] in file.read_text("utf-8") for file in files):
        raise Failed("the password is in the recording")


def test(name, server, options, folder, log, bug="", pool="1"):
    """One replay: (exit code, what was printed, seconds)."""
    began = time.monotonic()
    done = subprocess.run(
        [options.program, "test", name, "--color", "never"], cwd=folder, env=server.env | {"BUG": bug, "POOL": pool}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TEST_LIMIT, check=False, text=True,
    )
    (folder / log).write_text(done.stdout, "utf-8")
    return done.returncode, done.stdout, time.monotonic() - began


def run_case(name, server, options, folder, command, requests):
    port = free_port()
    command = [word.replace("{port}", str(port)) for word in command]
    record(name, server, options, command, port, folder, requests)
    seconds = []
    for number in range(options.repeat):
        code, printed, took = test(name, server, options, folder, f"test-{name}-{number + 1}.log")
        seconds.append(took)
        if code != 0:
            raise Failed(f"run {number + 1} of {options.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    code, printed, _ = test(name, server, options, folder, f"test-{name}-pool.log", pool="4")
    if code != 0:
        raise Failed(f"with a pool of 4 it ended with exit code {code}:\n{printed[-3000:]}")
    return f"{len(requests)} tests, {options.repeat} runs green, {min(seconds):.2f} to {max(seconds):.2f} s"


def run_formats(folder):
    """A value looks the same in a recording whether the driver asked for text or for binary."""
    readable = [name for name in corpus.VALUES if name not in ("enum", "range", "other")]
    for name in readable:
        forms = []
        for driver in ("psycopg", "psycopg-binary"):
            [file] = (folder / "rehearsal" / driver / "tests").glob(f"*-get-values-{name}.yaml")
            _, _, result = file.read_text("utf-8").partition("\n      rows:")
            forms.append(result.partition("\n      tag:")[0])
        if not forms[0] or forms[0] != forms[1]:
            raise Failed(f"{name} differs:\n{forms[0]}\n{forms[1]}")
    return f"{len(readable)} groups of types look the same in text and in binary"


def run_isolated(server, options, folder):
    """A server that is up sees nobody while tests run."""
    log = server.folder / "server.log"
    server.start()
    try:
        before = log.read_text("utf-8").count("connection received")
        code, printed, _ = test("shop", server, options, folder, "test-isolated.log")
        after = log.read_text("utf-8").count("connection received")
    finally:
        server.stop()
    if code != 0 or not before or before != after:
        raise Failed(f"exit code {code}, {after - before} connections came:\n{printed[-2000:]}")
    return "the server was up and saw no connection"


def run_defect(bug, server, options, folder):
    code, printed, _ = test("shop", server, options, folder, f"defect-{bug}.log", bug)
    if code != 1:
        raise Failed(f"ended with exit code {code}, not 1:\n{printed[-2000:]}")
    if missing := [word for word in DEFECTS[bug] if word not in printed]:
        raise Failed(f"is red but does not say {missing}:\n{printed[-2000:]}")
    return "red, and named"


def cases(server, options, folder, tools):
    python, go, node, java = tools
    yield "shop", lambda: run_case("shop", server, options, folder, [python, str(HERE / "shop.py"), "{port}"], SHOP)
    for bug in DEFECTS:
        yield f"shop {bug}", lambda bug=bug: run_defect(bug, server, options, folder)
    yield "isolation", lambda: run_isolated(server, options, folder)
    shell = [python, str(HERE / "shell.py"), "{port}", *map(server_program, ("psql", "pgbench", "pg_dump"))]
    requests = [("GET", path, None, 200, "") for path in SHELL]
    yield "shell", lambda: run_case("shell", server, options, folder, shell, requests)
    values = [f"/values/{name}" for name in corpus.VALUES]
    paths = values + [f"/params/{name}" for name in corpus.PARAMS]
    statements = folder / "statements.json"
    statements.write_text(json.dumps({path: corpus.selection(path.split("/")[-1]) for path in values}))
    lines = folder / "statements.tsv"
    lines.write_text("".join(f"{path}\t{corpus.selection(path.split('/')[-1])}\n" for path in values))
    commands = [(driver, [python, str(HERE / "corpus.py"), "{port}", driver], paths) for driver in corpus.DRIVERS]
    for driver in GO_DRIVERS:
        commands.append((driver, [go, "{port}", driver, str(statements)], values))
    for mode in ("plain", "named", "params"):
        commands.append((f"node-{mode}", [*node, "{port}", mode, str(statements)], values))
    for mode in ("simple", "extended", "extendedForPrepared", "extendedCacheEverything", "binary"):
        commands.append((f"jdbc-{mode}", [*java, "{port}", mode, str(lines)], values))
    for driver, command, paths in commands:
        requests = [("GET", path, None, 200, "") for path in paths]
        yield driver, lambda driver=driver, command=command, requests=requests: run_case(
            driver, server, options, folder, command, requests
        )
        if driver == "psycopg-binary":
            yield "formats", lambda: run_formats(folder)


def install(cache):
    """The drivers, once: a Python with its, the Go program, and the words that run those for Node and Java."""
    python, go = cache / "python" / "bin" / "python", cache / "corpus-go"
    node, java = cache / "node", cache / "java"
    sources = [*sorted((HERE / "go").iterdir()), *sorted((HERE / "node").iterdir()), *sorted((HERE / "java").iterdir())]
    stamp, wanted = cache / "installed.stamp", "\n".join(DRIVERS + [source.read_text("utf-8") for source in sources])
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        for tool, package in (("go", "golang"), ("npm", "npm"), ("node", "nodejs"), ("mvn", "maven")):
            if shutil.which(tool) is None:
                sys.exit(f"run.py: {tool} is not installed: apt-get install {package}")
        shutil.rmtree(cache, ignore_errors=True)
        venv.create(cache / "python", with_pip=True)
        shutil.copytree(HERE / "node", node)
        shutil.copytree(HERE / "java", java)
        for command, folder in (
            ([python, "-m", "pip", "install", "--quiet", *DRIVERS], cache),
            (["go", "build", "-o", go, "."], HERE / "go"),
            (["npm", "install", "--silent", "--no-audit", "--no-fund"], node),
            (["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], java),
            (["javac", "-cp", "lib/*", "-d", "lib", "Corpus.java"], java),
        ):
            subprocess.run(command, check=True, cwd=folder, stdin=subprocess.DEVNULL)
        stamp.write_text(wanted, "utf-8")
    return str(python), str(go), [shutil.which("node"), str(node / "corpus.js")], [
        shutil.which("java"), "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{java / 'lib'}:{java / 'lib' / '*'}", "Corpus"
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeat", type=int, default=10, help="how many times to replay (10)")
    parser.add_argument("--cache", type=Path, help="where to install (a folder in the user's cache)")
    parser.add_argument("--keep", action="store_true", help="keep recordings and logs also when all passed")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    tools = install((options.cache or Path(cache) / "rehearsal-databases" / "postgres").resolve())
    options.program = shutil.which(os.environ.get("REHEARSAL", "rehearsal"))
    if options.program is None:
        sys.exit("run.py: there is no rehearsal to run; set REHEARSAL to its path")
    options.program = str(Path(options.program).resolve())
    scratch = Path(tempfile.mkdtemp(prefix="rehearsal-postgres-"))
    scratch.chmod(0o755)
    server, passed, failed = Server(scratch / "server"), 0, 0
    try:
        for name, act in cases(server, options, scratch, tools):
            if options.cases and name not in options.cases:
                continue
            try:
                verdict = act()
                passed += 1
                print(f"ok      {name:20} {verdict}", flush=True)
            except (Failed, OSError, http.client.HTTPException, subprocess.TimeoutExpired) as why:
                failed += 1
                print(f"FAILED  {name:20} {why}", flush=True)
    finally:
        server.stop()
    if failed or options.keep:
        print(f"recordings and logs are in {scratch}")
    else:
        shutil.rmtree(scratch)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
