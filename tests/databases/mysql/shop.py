#!/usr/bin/env python3
"""A small shop on MySQL or MariaDB: the app that run.py records.

    shop.py PORT

Connects by PyMySQL to the database that the environment's DB_… variables name. BUG plants a defect:
missing_commit, rollback, wrong_column, wrong_value, n_plus_one, lost_update.
"""

import contextlib
import os
import queue
import sys
from decimal import Decimal
from pathlib import Path

import pymysql
import pymysql.cursors
from pymysql.constants import CLIENT

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from web import serve  # noqa: E402

BUG = os.environ.get("BUG", "")


class Pool:
    """As many connections as POOL says, made when the first request comes and pinged before each use."""

    def __init__(self):
        self.size, self.idle = int(os.environ.get("POOL", "1")), None

    def __enter__(self):
        if self.idle is None:
            self.idle = queue.SimpleQueue()
            for _ in range(self.size):
                self.idle.put(connect())
        self.db = self.idle.get()
        self.db.ping()
        return self.db

    def __exit__(self, *_):
        self.db.rollback()
        self.idle.put(self.db)


def connect():
    return pymysql.connect(
        host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]), user=os.environ["DB_USER"], password=os.environ["DB_PASSWORD"],
        database=os.environ["DB_NAME"], autocommit=False, client_flag=CLIENT.MULTI_STATEMENTS, local_infile=True,
        ssl={"ca": os.environ["SSL_CERT_FILE"]} if "DB_TLS" in os.environ else None,
    )


POOL = Pool()


def run(db, sql, *params):
    cursor = db.cursor()
    cursor.execute(sql, params or None)
    return cursor


def each(db, sql, numbers):
    """What a statement gives for each of the numbers, without those for which it fails."""
    rows = []
    for number in numbers:
        with contextlib.suppress(pymysql.err.MySQLError):
            rows += run(db, sql, number).fetchall()
    return rows


def orders(_):
    with POOL as db:
        rows = run(db, "SELECT id, item, amount, paid, due FROM orders ORDER BY id").fetchall()
        if BUG == "n_plus_one":
            rows = each(db, "SELECT id, item, amount, paid, due FROM orders WHERE id = %s", range(1, 101)) or rows
    return 200, [[row[0], row[1], str(row[2]), row[3], row[4].isoformat()] for row in rows]


def order(_, number):
    one = "SELECT item, amount, paid, due, tags, note FROM orders WHERE id = %s"
    with POOL as db:
        row = run(db, one, int(number)).fetchone()
        if BUG == "n_plus_one":
            each(db, one, range(1000, 1099))
    if row is None:
        return 404, {"error": "no such order"}
    item, amount, paid, due, tags, note = row
    return 200, {"item": item, "amount": str(amount), "paid": paid, "due": due.isoformat(), "tags": tags, "note": note.hex()}


def create(body):
    column = "state" if BUG == "wrong_column" else "item"
    amount = Decimal(body["amount"]) + (1 if BUG == "wrong_value" else 0)
    db = connect()
    try:
        cursor = run(
            db, f"INSERT INTO orders ({column}, amount, due, tags, note) VALUES (%s, %s, %s, %s, %s)",
            body["item"], amount, body["due"], ",".join(body["tags"]), bytes.fromhex(body["note"]),
        )
        if BUG == "rollback":
            db.rollback()
        elif BUG != "missing_commit":
            db.commit()
        return 201, {"id": cursor.lastrowid}
    except pymysql.err.IntegrityError as error:
        db.rollback()
        return 409, {"error": error.args[1], "code": error.args[0]}
    finally:
        db.close()


def take(_, item):
    """Reads a number and writes it back: without a lock, two of these lose one of their changes."""
    lock = "" if BUG == "lost_update" else " FOR UPDATE"
    with POOL as db:
        (quantity,) = run(db, f"SELECT quantity FROM stock WHERE item = %s{lock}", item).fetchone()
        if quantity == 0:
            return 409, {"error": "sold out"}
        run(db, "UPDATE stock SET quantity = %s WHERE item = %s", quantity - 1, item)
        db.commit()
    return 200, {"left": quantity - 1}


def pay(_, number):
    """Two statements and a savepoint in one transaction."""
    with POOL as db:
        db.begin()
        done = run(db, "UPDATE orders SET paid = 1 WHERE id = %s AND NOT paid", int(number)).rowcount
        run(db, "SAVEPOINT booking")
        try:
            run(db, "INSERT INTO ledger (order_id, amount) SELECT id, amount FROM orders WHERE id = %s", int(number))
        except pymysql.err.IntegrityError:
            run(db, "ROLLBACK TO SAVEPOINT booking")
        db.commit()
    return 200, {"paid": done}


def import_orders(body):
    """Many rows at once, then a file of the client's."""
    path = os.path.join(os.environ["DB_FILES"], "ledger.tsv")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{order}\t{amount}\n" for order, amount in body["file"])
    with POOL as db:
        cursor = db.cursor()
        cursor.executemany("INSERT INTO ledger (order_id, amount) VALUES (%s, %s)", body["rows"])
        run(db, f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE ledger (order_id, amount)")
        db.commit()
        rows = run(db, "SELECT order_id, amount FROM ledger ORDER BY 1, 2").fetchall()
    return 200, [f"{order} {amount}" for order, amount in rows]


def report(_):
    """Several results, a procedure, rows one by one, warnings, an error, and a look at the connection."""
    told = []
    with POOL as db:
        cursor = run(db, "SELECT item FROM orders ORDER BY id LIMIT 2; SET @seen = 2; SELECT @seen + 1")
        told.append(cursor.fetchall())
        while cursor.nextset():
            told.append(cursor.fetchall())
        cursor = db.cursor()
        cursor.callproc("totals", (1,))
        told.append([str(value) for row in cursor.fetchall() for value in row])
        while cursor.nextset():
            told.append(cursor.rowcount)
        with db.cursor(pymysql.cursors.SSDictCursor) as cursor:
            cursor.execute("SELECT item, paid FROM orders ORDER BY id")
            told += list(cursor)
        run(db, "INSERT IGNORE INTO orders (item, amount, due) VALUES ('pen', 1, '2024-01-01')")
        told.append([list(row) for row in db.show_warnings()])
        try:
            run(db, "SELECT nothing FROM orders")
        except pymysql.err.OperationalError as error:
            told.append(error.args)
        told.append(run(db, "SELECT COUNT(*), DATABASE(), @@session.time_zone FROM orders").fetchone())
        told.append(db.get_server_info()[:5])
    return 200, told


ROUTES = [
    ("GET", r"/orders", orders), ("GET", r"/orders/(\d+)", order), ("POST", r"/orders", create), ("POST", r"/orders/(\d+)/pay", pay),
    ("POST", r"/stock/(\w+)/take", take), ("POST", r"/ledger", import_orders), ("GET", r"/report", report),
]


if __name__ == "__main__":
    serve(sys.argv[1], ROUTES, threads=True)
