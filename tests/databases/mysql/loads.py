#!/usr/bin/env python3
"""An app that has files of its own loaded (LOAD DATA LOCAL INFILE), by PyMySQL and by mysqlclient.

    loads.py PORT

`GET /DRIVER/NAME` runs a text of SQL, and answers with all its results, or the error. BUG=other_file loads another file.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import MySQLdb
import pymysql
from pymysql.constants import CLIENT

FILES = Path(os.environ["DB_FILES"])
DATA = {"a": "1\tone\n2\t\\N\n" if os.environ.get("BUG") != "other_file" else "1\tuno\n2\t\\N\n", "b": "3\tthree\n", "empty": "", "large": "9\tx\n" * 20000, "bad": "x\tone\n"}
TEXTS = {
    "one": "LOAD DATA LOCAL INFILE '{a}' INTO TABLE l",
    "several": "SET @n = 1; LOAD DATA LOCAL INFILE '{a}' INTO TABLE l; SELECT COUNT(*) FROM l; LOAD DATA LOCAL INFILE '{b}' INTO TABLE l; SELECT a, b FROM l ORDER BY a",
    "empty": "LOAD DATA LOCAL INFILE '{empty}' INTO TABLE l",
    "large": "LOAD DATA LOCAL INFILE '{large}' INTO TABLE l; SELECT COUNT(*) FROM l",
    "warned": "LOAD DATA LOCAL INFILE '{bad}' INTO TABLE l; SHOW WARNINGS",
    "no-table": "SELECT 1; LOAD DATA LOCAL INFILE '{a}' INTO TABLE no_such_table; SELECT 2",
    "no-file": "LOAD DATA LOCAL INFILE '{a}.missing' INTO TABLE l",
    "behind-error": "SELECT no_such_column; LOAD DATA LOCAL INFILE '{a}' INTO TABLE l",
    "not-allowed": "LOAD DATA LOCAL INFILE '{a}' INTO TABLE l",
}


def connect(driver, allowed):
    env = os.environ
    address = {"host": env["DB_HOST"], "port": int(env["DB_PORT"]), "user": env["DB_USER"], "password": env["DB_PASSWORD"], "database": env["DB_NAME"]}
    if driver == "pymysql":
        return pymysql.connect(**address, client_flag=CLIENT.MULTI_STATEMENTS, local_infile=allowed, autocommit=True)
    return MySQLdb.connect(**address, client_flag=CLIENT.MULTI_STATEMENTS, local_infile=int(allowed), autocommit=True)


def run(driver, name):
    told, db = [], connect(driver, name != "not-allowed")
    try:
        cursor = db.cursor()
        cursor.execute("CREATE TEMPORARY TABLE l (a int, b varchar(20))")
        try:
            cursor.execute(TEXTS[name].format(**{key: FILES / key for key in DATA}))
            while True:
                told.append([cursor.rowcount, cursor.fetchall() if cursor.description else None])
                if not cursor.nextset():
                    break
        except Exception as error:  # The tests are to see it.
            told.append(f"{type(error).__name__}: {error}")
            return told
        cursor = db.cursor()
        cursor.execute("SELECT COUNT(*), MAX(b) FROM l")
        told.append(cursor.fetchone())
    finally:
        db.close()
    return told


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        text = json.dumps(run(*self.path.strip("/").split("/"))).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    for name, data in DATA.items():
        (FILES / name).write_text(data, "ascii")
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
