#!/usr/bin/env python3
"""Records apps that use a real MariaDB and replays them with the server stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Starts MariaDB itself, on a free port in a temporary folder (as the user `mysql` when run by root), with
passwords. For each case: `rehearsal record`, the requests, SIGINT; the server is stopped; `rehearsal
test` N times (10), each of which must be green. Then the defects: each must turn a test red, with the
words that name it.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Drivers are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import corpus

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from stand import Failed, Server, find_program, install_once, install_python, install_rust, main, run_tool  # noqa: E402

DRIVERS = ["PyMySQL[rsa]==1.1.*", "mysql-connector-python==9.1.*", "mysqlclient==2.2.*", "sqlalchemy==2.0.*", "aiomysql==0.2.*"]
GO_MODES = ["prepared", "interpolated"]
NODE_MODES = ["mysql2-query", "mysql2-execute", "mariadb-query", "mariadb-execute"]
# What Rust's drivers do beside reading values.
RUST_API = {
    "mysql-async-text": [], "mysql-async-binary": ["params", "prepared", "errors", "transaction", "batch", "cursor"],
    "mysql-async-compressed": ["prepared", "batch", "cursor"],
    "sqlx-mysql-prepared": ["params", "prepared", "errors", "transaction", "batch", "cursor"], "sqlx-mysql-raw": [],
}
# The driver of JDBC and the options of its URL.
JAVA_MODES = {
    "mysql-j": ("mysql", "sslMode=DISABLED&allowPublicKeyRetrieval=true"),
    "mysql-j-server": ("mysql", "sslMode=DISABLED&useServerPrepStmts=true&cachePrepStmts=true&rewriteBatchedStatements=true"),
    "mysql-j-cursor": ("mysql", "sslMode=DISABLED&useServerPrepStmts=true&useCursorFetch=true"),
    "mysql-j-tracking": ("mysql", "sslMode=DISABLED&useLocalSessionState=true&trackSessionState=true&connectionCollation=utf8mb4_unicode_ci"),
    "mysql-j-compressed": ("mysql", "sslMode=DISABLED&allowPublicKeyRetrieval=true&useCompression=true"),
    "mariadb-j": ("mariadb", ""),
    "mariadb-j-compressed": ("mariadb", "useCompression=true"),
    "mariadb-j-server": ("mariadb", "useServerPrepStmts=true&useBulkStmts=true"),
    "mariadb-j-pipeless": ("mariadb", "useServerPrepStmts=true&disablePipeline=true&cachePrepStmts=false"),
}
# Drivers whose recordings are replayed with other greetings. That of MySQL for Java expects another
# protocol of a server as old as MariaDB pretends to be.
EDITED = ["pymysql", "mysqlclient", "connector-c", "connector-c-prepared", "go-prepared", "node-mysql2-execute", "node-mariadb-execute", "mariadb-j-server"]
SCHEMA = """
CREATE TABLE orders (id int unsigned AUTO_INCREMENT PRIMARY KEY, item varchar(100) NOT NULL DEFAULT 'none' UNIQUE, state varchar(20) UNIQUE,
    amount decimal(10,2) NOT NULL, paid bool NOT NULL DEFAULT false, due date NOT NULL, deliver datetime, tags set('warm','a b','new') NOT NULL DEFAULT '', note blob);
CREATE TABLE ledger (order_id int NOT NULL, amount decimal(10,2) NOT NULL);
CREATE TABLE stock (item varchar(20) PRIMARY KEY, quantity int NOT NULL);
INSERT INTO orders (item, amount, due, note) VALUES ('pen', 1.50, '2024-02-29', ''), ('book', 20, '2024-03-01', x'00ff');
INSERT INTO stock VALUES ('pen', 2);
CREATE PROCEDURE totals(IN least int) SELECT COUNT(*), SUM(amount) FROM orders WHERE id >= least;
"""
HAT = {"item": "hat", "amount": "12.30", "due": "2024-05-06", "tags": ["warm", "a b"], "note": "00ff10"}
SHOP = [
    ("GET", "/orders", None, 200, "pen"),
    ("POST", "/orders", HAT, 201, '"id": 3'),
    ("GET", "/orders/3", None, 200, "00ff10"),
    ("POST", "/orders", HAT, 409, "1062"),
    ("GET", "/orders/99", None, 404, "no such order"),
    ("POST", "/orders/1/pay", None, 200, '"paid": 1'),
    ("POST", "/orders/1/pay", None, 200, '"paid": 0'),
    ("POST", "/stock/pen/take", None, 200, '"left": 1'),
    ("POST", "/stock/pen/take", None, 200, '"left": 0'),
    ("POST", "/stock/pen/take", None, 409, "sold out"),
    ("POST", "/ledger", {"rows": [[7, "1.00"], [8, "2.5"]], "file": [[9, "3.25"]]}, 200, "9 3.25"),
    ("GET", "/report", None, 200, "1054"),
]
# The defect, the tests that it must turn red, and words of which each must be in what is printed.
DEFECTS = {
    "missing_commit": ([2], ["COMMIT was not made"]),
    "rollback": ([2], ['expected "COMMIT"', 'got "ROLLBACK"']),
    "wrong_column": ([2, 4], ["state", "item"]),
    "wrong_value": ([2, 4], ["amount", "13.30", "12.30"]),
    "n_plus_one": ([1, 3, 5], [
        "SELECT orders · 100 calls, recorded 0: SELECT id, item, amount, paid, due FROM orders WHERE id = ?",
        "SELECT orders · 100 calls, recorded 1: SELECT item, amount, paid, due, tags, note FROM orders WHERE id = ?",
    ]),
    "lost_update": ([8, 9, 10], ["FOR UPDATE", "quantity", "UPDATE stock was not made"]),
}


# What loads.py does: files of the client's, one or several, and what refuses them.
LOADS = ["one", "several", "empty", "large", "warned", "no-table", "no-file", "behind-error", "not-allowed"]


class Mariadb(Server):
    account = "mysql"
    secrets = ("s3cret-word",)

    def __init__(self, folder):
        super().__init__(folder)
        self.settings = []
        # What the server is told when it is set up.
        self.told = ""
        (files := folder / "files").mkdir()
        self.log.touch()
        if self.user:
            # The server itself writes there, too, who connects.
            shutil.chown(self.log, self.account, self.account)
        self.env |= {
            "DB_HOST": "127.0.0.1", "DB_PORT": str(self.port), "DB_USER": "shop", "DB_PASSWORD": self.secrets[0], "DB_NAME": "shop",
            "DB_FILES": str(files),
        }
        user = ["--user=mysql"] if self.user else []
        self.call(
            find_program("mariadb-install-db", "mariadb-server"), "--no-defaults", *user, f"--datadir={folder / 'data'}",
            "--skip-test-db", "--auth-root-authentication-method=normal",
        )

    def command(self):
        return [
            find_program("mariadbd", "mariadb-server", ["/usr/sbin"]), "--no-defaults", f"--datadir={self.folder / 'data'}", f"--port={self.port}",
            f"--socket={self.socket}", "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0", "--default-time-zone=+00:00",
            "--character-set-server=utf8mb4", "--log-warnings=9", "--local-infile=1", "--general-log=1", f"--general-log-file={self.log}", *self.settings,
        ]

    def allow_encryption(self):
        """From the next start on; gives the file of its certificate, which is for its address."""
        certificate, key = self.folder / "server.crt", self.folder / "server.key"
        self.call(
            find_program("openssl", "openssl"), "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-out", certificate, "-keyout", key,
        )
        self.settings = [f"--ssl-cert={certificate}", f"--ssl-key={key}", "--require-secure-transport=1"]
        return str(certificate)

    @property
    def socket(self):
        return self.folder / "server.sock"

    def sql(self, text, database="mysql"):
        mariadb = find_program("mariadb", "mariadb-client")
        return self.call(mariadb, "--no-defaults", f"--socket={self.socket}", "--user=root", "--default-character-set=utf8mb4", database, input=text)

    def ready(self):
        mariadb = find_program("mariadb-admin", "mariadb-client")
        command = [mariadb, "--no-defaults", f"--socket={self.socket}", "--user=root", "ping"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def reset(self):
        user = f"'shop'@'127.0.0.1' IDENTIFIED BY '{self.secrets[0]}'"
        self.sql(f"DROP DATABASE IF EXISTS shop; CREATE DATABASE shop; CREATE OR REPLACE USER {user}; GRANT ALL ON shop.* TO {user}; GRANT SELECT ON mysql.proc TO {user};")
        self.sql(SCHEMA + corpus.SCHEMA, "shop")
        if self.told:
            self.sql(self.told)


def late_by_server(stand, name, command, told):
    """The cases of an app that ends its transactions late, which its server opens because it was told to."""
    def with_it(run):
        stand.server.told = told
        try:
            return run()
        finally:
            stand.server.told = ""

    for case, run in stand.late(command, "ROLLBACK", "COMMIT", name):
        yield case, lambda run=run: with_it(run)


def encrypted(stand, name, command, requests):
    """An app that insists on encryption and verifies the server, recorded and replayed with it."""
    trusted = stand.server.allow_encryption()
    try:
        said = stand.app(name, command, requests, {"DB_TLS": "1", "SSL_CERT_FILE": trusted})
    finally:
        stand.server.settings = []
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    if "    protocol: mysql\n    starttls: valid\n" not in manifest or "opaque" in manifest:
        raise Failed(f"recording.yaml does not say that it was read over TLS:\n{manifest}")
    return said


def run_formats(stand):
    """A value looks the same in a recording whether the driver asked for text or for binary."""
    # The server prints floats with fewer digits than it sends.
    readable = [name for name in corpus.KINDS if name != "floats"]
    for name in readable:
        forms = []
        for driver in ("connector-c", "connector-c-prepared"):
            [file] = (stand.folder / "rehearsal" / driver / "tests").glob(f"*-get-values-{name}.yaml")
            _, _, result = file.read_text("utf-8").partition("\n      columns:")
            forms.append(result.partition("\nresponse:")[0])
        if not forms[0] or forms[0] != forms[1]:
            raise Failed(f"{name} differs:\n{forms[0]}\n{forms[1]}")
    return f"{len(readable)} groups of types look the same in text and in binary"


def run_by_hand(stand):
    """What people write into a file is what the app gets, and what is no value of its type is refused by its place."""
    [file] = (stand.folder / "rehearsal" / "shop" / "tests").glob("0001-*.yaml")
    text = file.read_text("utf-8")
    edits = {"7.77": ["7.77"], "cheap": ["amount", "line 17, column 23", "is no decimal(10,2)"], "[1]": ["amount", "line 17, column 23", "is no decimal(10,2)"]}
    try:
        for value, words in edits.items():
            edited = text.replace("[1, pen, 1.50,", f"[1, pen, {value},")
            if edited == text:
                raise Failed("the row is not where it was expected")
            file.write_text(edited, "utf-8")
            code, printed, _ = stand.test("shop", "test-shop-by-hand.log")
            if code != (1 if value in words else 2) or any(word not in printed for word in words):
                raise Failed(f"with {value} it ended with exit code {code} and does not say {words}:\n{printed[-2000:]}")
    finally:
        file.write_text(text, "utf-8")
    return "served as it was edited, or refused"


# What older servers cannot do, as far as only the form of what they say depends on it.
NEWER = ["deprecate eof", "cache metadata"]


def run_edited(stand, driver):
    """A recording whose greeting is edited: clients log in as MySQL 8 wants it, as nobody knows, and to a server that can do less."""
    ambient = stand.folder / "rehearsal" / driver / "ambient.yaml"
    text = ambient.read_text("utf-8")
    older = "".join(line for line in text.splitlines(True) if line.strip(" -\n") not in NEWER)
    if older == text:
        raise Failed("the greeting has nothing to take out")
    edits = {auth: text.replace("mysql_native_password", auth) for auth in ("caching_sha2_password", "sha256_password")}
    try:
        for name, edited in {**edits, "older": older}.items():
            ambient.write_text(edited, "utf-8")
            code, printed, _ = stand.test(driver, f"test-{driver}-{name}.log")
            if code != 0:
                raise Failed(f"edited to {name} it ended with exit code {code}:\n{printed[-2000:]}")
    finally:
        ambient.write_text(text, "utf-8")
    return "green with two other ways to log in, and an older server"


# What of the schema the shop uses.
TABLES = [
    "ledger.amount decimal(10,2)", "ledger.order_id int", "orders.amount decimal(10,2)", "orders.due date", "orders.id int unsigned",
    "orders.item varchar(100)", "orders.note blob", "orders.paid tinyint(1)", "orders.tags set(12)", "stock.quantity int",
]


# A change of the schema that does not matter to the shop, and what must be said of it.
ALTER = "ALTER TABLE orders MODIFY amount decimal(12,2) NOT NULL, MODIFY item varchar(120) NOT NULL DEFAULT 'none'"
MOVED = ["orders.amount was decimal(10,2) and is decimal(12,2)", "orders.item was varchar(100) and is varchar(120)"]


def cases(stand, tools):
    python, go, rust, node, java = tools
    yield "shop", lambda: stand.app("shop", [python, HERE / "shop.py", "{port}"], SHOP, variants=[{"POOL": "4"}])
    yield "schema", lambda: stand.schema("shop", TABLES)
    yield "moved", lambda: stand.moved("shop", lambda: stand.server.sql(ALTER, "shop"), MOVED)
    for bug, (red, words) in DEFECTS.items():
        yield f"shop {bug}", lambda bug=bug, red=red, words=words: stand.defect("shop", bug, red, words)
    loads = [f"/{driver}/{name}" for driver in ("pymysql", "mysqlclient") for name in LOADS]
    yield "loads", lambda: stand.app("loads", [python, HERE / "loads.py", "{port}"], [("GET", path, None, 200, "") for path in loads])
    red = [number for number, path in enumerate(loads, 1) if path.split("/")[-1] in ("one", "several")]
    yield "loads other_file", lambda: stand.defect("loads", "other_file", red, ["calls[1].file", "1\\tuno", "1\\tone"])
    yield "by hand", lambda: run_by_hand(stand)
    yield from stand.late([python, HERE / "late.py", "{port}"], "ROLLBACK", "COMMIT")
    late = [python, HERE / "late.py", "{port}", "server"]
    yield from late_by_server(stand, "late-server", late, "SET GLOBAL autocommit = 0")
    yield from late_by_server(stand, "late-each", late, "SET GLOBAL init_connect = 'SET autocommit = 0'")
    yield "isolation", lambda: stand.isolated("shop", "on shop using TCP/IP")
    shell = [python, HERE / "shell.py", "{port}", find_program("mariadb", "mariadb-client"), find_program("mariadb-dump", "mariadb-client")]
    yield "sysbench", lambda: stand.sysbench(python, "mysql", {"host": "DB_HOST", "port": "DB_PORT", "user": "DB_USER", "password": "DB_PASSWORD", "db": "DB_NAME"})
    yield "encrypted", lambda: encrypted(stand, "encrypted", [python, HERE / "shop.py", "{port}"], SHOP)
    yield "encrypted-shell", lambda: encrypted(stand, "encrypted-shell", shell, [("GET", "/shell/talk", None, 200, '"code": 0')])
    squeezed = [("GET", "/shell/squeezed", None, 200, "| Compression   | ON    |"), ("GET", "/shell/talk", None, 200, '"code": 0'), ("GET", "/dump", None, 200, '"code": 0')]
    yield "compressed-shell", lambda: stand.app("compressed-shell", shell, squeezed, {"DB_COMPRESS": "1"})
    yield "shell", lambda: stand.app("shell", shell, [("GET", path, None, 200, '"code"') for path in ("/shell/talk", "/dump")])
    yield from stand.flavour("node", [node[0], node[1].with_name("shop.js"), "{port}"], "SET amount = amount + ?")
    yield from stand.flavour("java", [*java[:-1], "Shop", "{port}"], "SET amount = amount + ?")
    for driver, command, paths in drivers(stand, *tools):
        requests = [("GET", path, None, 200, "") for path in paths]
        yield driver, lambda driver=driver, command=command, requests=requests: stand.app(
            driver, command, requests, variants=[{"POOL": "3"}]
        )
        if driver in EDITED:
            yield f"edited-{driver}", lambda driver=driver: run_edited(stand, driver)
        if driver == "connector-c-prepared":
            yield "formats", lambda: run_formats(stand)


def drivers(stand, python, go, rust, node, java):
    """The drivers in all their modes: name, command, and the paths to ask for."""
    values = [f"/values/{name}" for name in corpus.KINDS]
    params = [f"/params/{name}" for name in corpus.PARAMS]
    statements = stand.folder / "statements.json"
    statements.write_text(json.dumps({path: corpus.selection(path.split("/")[-1]) for path in values}))
    lines = stand.folder / "statements.tsv"
    lines.write_text("".join(f"{path}\t{corpus.selection(path.split('/')[-1])}\n" for path in values))
    for driver in corpus.DRIVERS:
        yield driver, [python, HERE / "corpus.py", "{port}", driver], [*values, *params, "/write/it"]
    for mode in GO_MODES:
        yield f"go-{mode}", [go, "{port}", mode, statements], [*values, "/write/it"]
    for driver, api in RUST_API.items():
        yield driver, [rust, "{port}", driver, lines], [*values, *(f"/api/{name}" for name in api)]
    for mode in NODE_MODES:
        yield f"node-{mode}", [*node, "{port}", mode, statements], [*values, "/write/it"]
    for name, (driver, options) in JAVA_MODES.items():
        yield name, [*java, "{port}", driver, options, lines], [*values, "/write/it"]


def install(cache):
    """The drivers, once: a Python with its, the programs in Go and Rust, and the words that run those for Node and Java."""
    sources = [source for folder in ("go", "node", "java") for source in sorted((HERE / folder).iterdir())]
    tools = [("go", "golang"), ("npm", "npm"), ("node", "nodejs"), ("mvn", "maven"), ("javac", "default-jdk-headless")]
    tools += [("mariadb_config", "libmariadb-dev"), ("cc", "build-essential")]
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
    run_tool(["javac", "-cp", "lib/*", "-d", "lib", "Corpus.java", "Shop.java"], java)


if __name__ == "__main__":
    sys.exit(main("mysql", __doc__.split("\n\n")[0], Mariadb, install, cases))
