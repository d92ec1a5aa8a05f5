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

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from stand import Server, find_program, install_once, install_python, main  # noqa: E402

DRIVERS = ["PyMySQL[rsa]==1.2.*"]
SCHEMA = """
CREATE TABLE orders (id int unsigned AUTO_INCREMENT PRIMARY KEY, item varchar(100) NOT NULL DEFAULT 'none' UNIQUE, state varchar(20) UNIQUE,
    amount decimal(10,2) NOT NULL, paid bool NOT NULL DEFAULT false, due date NOT NULL, tags set('warm','a b','new') NOT NULL DEFAULT '', note blob);
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
# The defect and words of which each must be in what `rehearsal test` prints.
DEFECTS = {
    "missing_commit": ["COMMIT"],
    "n_plus_one": ["SELECT orders", "id = ?"],
    "wrong_column": ["state", "item"],
    "lost_update": ["FOR UPDATE", "quantity"],
}


class Mariadb(Server):
    account = "mysql"
    secrets = ("s3cret-word",)

    def __init__(self, folder):
        super().__init__(folder)
        (files := folder / "files").mkdir()
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
            "--character-set-server=utf8mb4", "--log-warnings=9", "--local-infile=1", "--general-log=1", f"--general-log-file={self.folder / 'general.log'}",
        ]

    @property
    def socket(self):
        return self.folder / "server.sock"

    def sql(self, text, database="mysql"):
        mariadb = find_program("mariadb", "mariadb-client")
        return self.call(mariadb, "--no-defaults", f"--socket={self.socket}", "--user=root", database, input=text)

    def ready(self):
        mariadb = find_program("mariadb-admin", "mariadb-client")
        command = [mariadb, "--no-defaults", f"--socket={self.socket}", "--user=root", "ping"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def reset(self):
        user = f"'shop'@'127.0.0.1' IDENTIFIED BY '{self.secrets[0]}'"
        self.sql(f"DROP DATABASE IF EXISTS shop; CREATE DATABASE shop; CREATE OR REPLACE USER {user}; GRANT ALL ON shop.* TO {user};")
        self.sql(SCHEMA, "shop")


def cases(stand, tools):
    (python,) = tools
    yield "shop", lambda: stand.app("shop", [python, HERE / "shop.py", "{port}"], SHOP, variants=[{"POOL": "4"}])
    for bug, words in DEFECTS.items():
        yield f"shop {bug}", lambda bug=bug, words=words: stand.defect("shop", bug, words)


def install(cache):
    install_once(cache, DRIVERS, [], fill)
    return (str(cache / "python" / "bin" / "python"),)


def fill(cache):
    install_python(cache / "python", DRIVERS)


if __name__ == "__main__":
    sys.exit(main("mysql", __doc__.split("\n\n")[0], Mariadb, install, cases))
