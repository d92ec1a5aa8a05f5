#!/usr/bin/env python3
"""An app that copies data in and out within texts of several statements, by libpq.

    copies.py PORT

`GET /exec/NAME` says a text by PQexec, `GET /send/NAME` by PQsendQuery; `GET /psycopg2/NAME` by psycopg2's copy_expert.
The answer is all that libpq told, in order. BUG=other_data copies other data in.
"""

import io
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import psycopg
import psycopg2
from psycopg.pq import ExecStatus

FIRST = "1\tone\n2\t\\N\n" if os.environ.get("BUG") != "other_data" else "1\tuno\n2\t\\N\n"
TABLE = "CREATE TEMPORARY TABLE c (a int, b text)"
# Of each text: what is copied in, one after another; None gives up.
TEXTS = {
    "in": ("BEGIN; COPY c FROM STDIN; SELECT count(*) FROM c; COMMIT", [FIRST]),
    "twice": ("COPY c FROM STDIN; SELECT max(a) FROM c; COPY c (a) FROM STDIN (FORMAT csv); COPY c TO STDOUT", [FIRST, "3\n4\n"]),
    "nothing": ("COPY c FROM STDIN; SELECT count(*) FROM c", [""]),
    "out": ("SELECT 1; COPY (VALUES (1, 'x'), (2, NULL)) TO STDOUT; COPY (SELECT 1 WHERE false) TO STDOUT; SELECT 2", []),
    "missing": ("SELECT 1; COPY no_such_table FROM STDIN; SELECT 2", []),
    "alone-missing": ("COPY no_such_table FROM STDIN", []),
    "second-missing": ("COPY c FROM STDIN; COPY no_such_table FROM STDIN", [FIRST]),
    "bad-data": ("SELECT 1; COPY c FROM STDIN; SELECT 2", ["1\tone\nx\ttwo\n"]),
    "gives-up": ("SELECT 1; COPY c FROM STDIN; SELECT 2", [None]),
    "out-fails": ("SELECT 1; COPY (SELECT 1 / (3 - n) FROM generate_series(1, 5) AS n) TO STDOUT; SELECT 2", []),
    "behind-error": ("SELECT 1/0; COPY c FROM STDIN", []),
}


def told(result):
    rows = [[cell and cell.decode() for cell in (result.get_value(row, column) for column in range(result.nfields))] for row in range(result.ntuples)]
    return [ExecStatus(result.status).name, (result.command_status or b"").decode(), rows, (result.error_message or b"").decode()]


def talk(db, result, inputs):
    """Takes the results from the first one on, copying in and out when the server wants it."""
    all_told = []
    while result is not None:
        all_told.append(told(result))
        if result.status == ExecStatus.COPY_IN:
            data = inputs.pop(0)
            if data is None:
                db.put_copy_end(b"had enough")
            else:
                for line in data.splitlines(keepends=True):
                    db.put_copy_data(line.encode())
                db.put_copy_end()
        elif result.status == ExecStatus.COPY_OUT:
            while (piece := db.get_copy_data(0))[0] > 0:
                all_told.append(bytes(piece[1]).decode())
        result = db.get_result()
    return all_told


def libpq(name, say):
    text, inputs = TEXTS[name]
    db = psycopg.pq.PGconn.connect(b"")
    try:
        db.exec_(TABLE.encode())
        if say == "exec":
            result = db.exec_(text.encode())
        else:
            db.send_query(text.encode())
            result = db.get_result()
        all_told = talk(db, result, list(inputs))
        # The connection is as good as before.
        return [all_told, told(db.exec_(b"ROLLBACK")), told(db.exec_(b"SELECT count(*) FROM c"))]
    finally:
        db.finish()


def by_psycopg2(name):
    text, inputs = TEXTS[name]
    db = psycopg2.connect("")
    try:
        with db.cursor() as cursor:
            cursor.execute(TABLE)
            try:
                cursor.copy_expert(text, io.StringIO(inputs[0] if inputs else ""))
                cursor.execute("SELECT * FROM c ORDER BY a")
                return cursor.fetchall()
            except psycopg2.Error as error:
                return str(error)
    finally:
        db.close()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        how, name = self.path.strip("/").split("/")
        text = json.dumps(by_psycopg2(name) if how == "psycopg2" else libpq(name, how)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
