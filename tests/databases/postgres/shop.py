#!/usr/bin/env python3
"""A small shop on PostgreSQL: the app that run.py records.

    shop.py PORT

Connects by psycopg to the database that the environment's PG… variables name. BUG plants a defect:
missing_commit, wrong_column, wrong_value, n_plus_one, rollback.
"""

import json
import os
import re
import sys
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

BUG = os.environ.get("BUG", "")
LOCAL = threading.local()


def connection():
    """One connection for each thread, opened anew for every request: a pool without patience."""
    return psycopg.connect("", autocommit=False)


def orders(_):
    with connection() as db:
        rows = db.execute("SELECT id, item, amount, paid, due FROM orders ORDER BY id").fetchall()
        if BUG == "n_plus_one":
            rows = [db.execute("SELECT id, item, amount, paid, due FROM orders WHERE id = %s", [row[0]]).fetchone() for row in rows]
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
    db = connection()
    try:
        number = db.execute(
            f"INSERT INTO orders ({column}, amount, due, tags, note) VALUES (%s, %s, %s, %s, %s) RETURNING id",
            [body["item"], amount, body["due"], body["tags"], bytes.fromhex(body["note"])],
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
                    db.execute("INSERT INTO ledger (order_id, amount) SELECT id, amount FROM orders WHERE id = %s", [int(number)])
            except psycopg.errors.UniqueViolation:
                pass
    return 200, {"paid": done}


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
    ("POST", r"/orders/(\d+)/pay", pay), ("POST", r"/ledger", import_orders), ("GET", r"/report", report),
]


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        for method, path, act in ROUTES:
            if method == self.command and (match := re.fullmatch(path, self.path)):
                try:
                    status, told = act(body, *match.groups())
                except Exception as error:  # The tests are to see it.
                    status, told = 500, {"error": f"{type(error).__name__}: {error}"}
                break
        else:
            status, told = 404, None
        text = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
