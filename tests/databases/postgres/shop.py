#!/usr/bin/env python3
"""A small shop on PostgreSQL: the app that run.py records.

    shop.py PORT

Connects by psycopg to the database that the environment's PG… variables name, anew for every request, or with
POOL=N by N connections in turn. BUG plants a defect: missing_commit, wrong_column, wrong_value, n_plus_one, rollback,
utc_as_local, lost_update, other_words.
"""

import os
import sys
from collections import deque
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from web import serve  # noqa: E402

BUG = os.environ.get("BUG", "")
POOL, SIZE = deque(), int(os.environ.get("POOL", "0"))


def connection():
    """A new connection, or the one of the pool that was not used for the longest time."""
    if not SIZE:
        return psycopg.connect("", autocommit=False)
    while len(POOL) < SIZE:
        POOL.append(Pooled())
    POOL.rotate(-1)
    return POOL[-1]


class Pooled:
    """A connection that is kept when it is closed. Whoever leaves it open leaves it to the next one in a transaction."""

    def __init__(self):
        self.db = psycopg.connect("", autocommit=False)

    def __getattr__(self, name):
        return getattr(self.db, name)

    def __enter__(self):
        return self.db

    def __exit__(self, kind, *_):
        self.db.rollback() if kind else self.db.commit()

    def close(self):
        self.db.rollback()


def orders(_):
    with connection() as db:
        rows = db.execute("SELECT id, item, amount, paid, due FROM orders ORDER BY id").fetchall()
        if BUG == "n_plus_one":
            each = "SELECT id, item, amount, paid, due FROM orders WHERE id = %s"
            rows = [row for number in range(1, 101) if (row := db.execute(each, [number]).fetchone())]
    return 200, [[row[0], row[1], str(row[2]), row[3], row[4].isoformat()] for row in rows]


def order(_, number):
    with connection() as db, db.cursor(binary=True) as cursor:
        row = cursor.execute("SELECT item, amount, paid, due, tags, note FROM orders WHERE id = %s", [int(number)]).fetchone()
    if row is None:
        return 404, {"error": "no such order"}
    item, amount, paid, due, tags, note = row
    return 200, {"item": item, "amount": str(amount), "paid": paid, "due": due.isoformat(), "tags": tags, "note": note.hex()}


def create(body):
    column = "state" if BUG == "wrong_column" else "item"
    amount = Decimal(body["amount"]) + (1 if BUG == "wrong_value" else 0)
    zone = timezone(timedelta(hours=2)) if BUG == "utc_as_local" else timezone.utc
    deliver = datetime.fromisoformat(body["deliver"]).astimezone(zone)
    db = connection()
    try:
        number = db.execute(
            f"INSERT INTO orders ({column}, amount, due, deliver, tags, note) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
            [body["item"], amount, body["due"], deliver.replace(tzinfo=None), body["tags"], bytes.fromhex(body["note"])],
        ).fetchone()[0]
        if BUG == "rollback":
            db.rollback()
        elif BUG != "missing_commit":
            db.commit()
        return 201, {"id": number}
    except psycopg.errors.UniqueViolation as error:
        db.rollback()
        return 409, {"error": error.diag.message_primary, "constraint": error.diag.constraint_name}
    finally:
        db.close()


def pay(_, number):
    """Two statements and a savepoint in one transaction."""
    with connection() as db:
        with db.transaction():
            done = db.execute("UPDATE orders SET paid = true WHERE id = %s AND NOT paid", [int(number)]).rowcount
            try:
                with db.transaction():
                    columns = "amount, id" if BUG == "other_words" else "id, amount"
                    db.execute(f"INSERT INTO ledger (order_id, amount) SELECT {columns} FROM orders WHERE id = %s", [int(number)])
            except psycopg.errors.UniqueViolation:
                pass
    return 200, {"paid": done}


def raise_amount(body, number):
    """Another may do so at the same time."""
    by = Decimal(body["by"])
    with connection() as db:
        if BUG == "lost_update":
            [amount] = db.execute("SELECT amount FROM orders WHERE id = %s", [int(number)]).fetchone()
            row = db.execute("UPDATE orders SET amount = %s WHERE id = %s RETURNING amount", [amount + by, int(number)]).fetchone()
        else:
            row = db.execute("UPDATE orders SET amount = amount + %s WHERE id = %s RETURNING amount", [by, int(number)]).fetchone()
    return 200, {"amount": str(row[0])}


def import_orders(body):
    with connection() as db, db.cursor() as cursor:
        with cursor.copy("COPY ledger (order_id, amount) FROM STDIN") as copy:
            for row in body["rows"]:
                copy.write_row(row)
        with cursor.copy("COPY (SELECT order_id, amount FROM ledger ORDER BY 1, 2) TO STDOUT") as copy:
            rows = [bytes(piece).decode() for piece in copy]
    return 200, rows


def report(_):
    """A cursor of the server, an error, and a look at the connection's settings."""
    told = []
    with connection() as db:
        with db.cursor("report") as cursor:
            cursor.itersize = 2
            cursor.execute("SELECT item, count(*) FROM orders GROUP BY item ORDER BY item")
            told += [list(row) for row in cursor]
        db.commit()
        try:
            db.execute("SELECT amount / 0 FROM orders")
        except psycopg.errors.DivisionByZero as error:
            told.append(error.sqlstate)
        db.rollback()
        told.append(db.execute("SHOW server_version_num").fetchone()[0][:2])
        told.append(db.info.parameter_status("server_encoding"))
        with db.pipeline():
            found = [db.execute("SELECT item FROM orders WHERE id = %s", [number]) for number in (1, 2)]
        told += [cursor.fetchone()[0] for cursor in found]
        for _ in range(7):  # psycopg prepares what it has run five times
            told.append(db.execute("SELECT max(amount) FROM orders WHERE id <= %s", [2]).fetchone()[0].__str__())
    return 200, told


ROUTES = [
    ("GET", r"/orders", orders), ("GET", r"/orders/(\d+)", order), ("POST", r"/orders", create),
    ("POST", r"/orders/(\d+)/pay", pay), ("POST", r"/orders/(\d+)/raise", raise_amount), ("POST", r"/ledger", import_orders), ("GET", r"/report", report),
]


if __name__ == "__main__":
    serve(sys.argv[1], ROUTES)
