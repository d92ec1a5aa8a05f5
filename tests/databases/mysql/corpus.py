#!/usr/bin/env python3
"""The same statements by several drivers: an app whose every answer is what the driver understood.

    corpus.py PORT DRIVER

DRIVER is pymysql, mysqlclient, connector-c, connector-pure, connector-prepared, connector-cursor,
sqlalchemy or aiomysql. The database is named by the DB_… variables.
"""

import asyncio
import datetime
import json
import os
import sys
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import unquote

# A table of each kind of types: its columns, and rows of values as SQL.
KINDS = {
    "integers": (
        "a tinyint, b tinyint unsigned, c smallint, d mediumint, e int, f int unsigned, g bigint, h bigint unsigned, i int(5) zerofill, j year, k bool",
        ["-128, 255, -32768, -8388608, -2147483648, 4294967295, -9223372036854775808, 18446744073709551615, 42, 1901, 1",
         "127, 0, 32767, 8388607, 2147483647, 0, 9223372036854775807, 0, 0, 2155, 0"],
    ),
    "floats": (
        "a float, b double, c float(7,2), d double(10,3)",
        ["1.5, 0.1, 12.5, 3.25", "-1e10, 1.7976931348623157e308, -99999.99, 0", "123456.7, 1e15, 0, 1e6", "1e-7, -1.25e-5, 0.01, -0.001", "0, 1e14, 1, 1"],
    ),
    "decimals": (
        "a decimal(10,2), b decimal(65,30), c decimal(5) unsigned",
        ["-12.30, 12345678901234567890.123450, 99999", "0, -0.000000000000000000000000000001, 0"],
    ),
    "texts": (
        "a char(5), b varchar(20), c tinytext, d text, e mediumtext, f longtext, g enum('idle','busy'), h set('x','y','z')",
        ["'ab', 'it''s', 'ü €', '', 'null', '😀', 'busy', 'x,z'", "'', '42', 'true', REPEAT('long ', 60), 'a\\nb', '~', 'idle', ''"],
    ),
    "bytes": (
        "a binary(4), b varbinary(10), c tinyblob, d blob, e longblob",
        ["'ab', x'00ff', x'', 'plain', REPEAT(x'80', 300)", "x'01020304', 'text', x'fe', x'fb', x'fc00'"],
    ),
    "bits": ("a bit(1), b bit(10), c bit(64)", ["b'1', b'1010', ~0", "b'0', 0, 1"]),
    "dates": (
        "a date, b datetime, c datetime(6), d timestamp NULL, e timestamp(3) NULL, f time, g time(6), h year",
        ["'2024-02-29', '2024-02-29 12:34:56', '1999-12-31 23:59:59.000001', '2024-07-01 00:00:00', '2024-07-01 01:02:03.5', '04:05:06', '-838:59:59.000000', 0",
         "'9999-12-31', '2024-01-01', '2024-01-01 00:00:00.5', '2001-01-01 00:00:01', '2001-01-01', '00:00:00', '100:00:00.25', 2024"],
    ),
    "zeros": ("a date, b datetime, c datetime(3)", ["'0000-00-00', '0000-00-00', 0", "'2024-00-00', '2024-01-00 00:00:00', '2024-00-01 00:00:00.5'"]),
    "json": ("a json, b json", ["'{\"a\": [1, 2.50], \"b\": null}', '\"x\"'"]),
    "others": ("a uuid, b inet6, c point", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1', POINT(1, 2)"]),
}

# Statements with parameters.
PARAMS = {
    "integer": ("SELECT ? + 1", [41]),
    "large": ("SELECT ? + 0", [2**62]),
    "text": ("SELECT CONCAT(?, '!')", ["ü'x\\ \""]),
    "bytes": ("SELECT HEX(?)", [b"\x00\xff'\\"]),
    "null": ("SELECT ? IS NULL", [None]),
    "float": ("SELECT ? + 0e0", [0.1]),
    "bool": ("SELECT NOT ?", [True]),
    "decimal": ("SELECT ? * 2", [Decimal("12.30")]),
    "date": ("SELECT DATE_ADD(?, INTERVAL 1 DAY)", [datetime.date(2024, 2, 28)]),
    "moment": ("SELECT DATE_ADD(?, INTERVAL 1 SECOND)", [datetime.datetime(2024, 2, 28, 23, 59, 59, 500000)]),
    "span": ("SELECT ADDTIME(?, '00:00:01')", [datetime.timedelta(hours=-30, microseconds=250000)]),
    "list": ("SELECT 3 IN (?, ?, ?)", [1, 2, 3]),
    "long": ("SELECT LENGTH(?), MD5(?)", ["x" * 70000, b"\x80" * 300]),
}

SCHEMA = "SET sql_mode = '';\n" + "".join(
    f"CREATE TABLE {name} (id int PRIMARY KEY, {columns});\n"
    + "".join(f"INSERT INTO {name} VALUES ({number}, {row});\n" for number, row in enumerate(rows, 1))
    + f"INSERT INTO {name} (id) VALUES ({len(rows) + 1});\n"
    for name, (columns, rows) in KINDS.items()
)


def selection(name):
    return f"SELECT * FROM {name} WHERE id >= ? ORDER BY id"


def shown(value):
    if isinstance(value, (memoryview, bytearray)):
        value = bytes(value)
    return f"{type(value).__name__} {sorted(value) if isinstance(value, set) else value!r}"


def address():
    env = os.environ
    return {"host": env["DB_HOST"], "port": int(env["DB_PORT"]), "user": env["DB_USER"], "password": env["DB_PASSWORD"], "database": env["DB_NAME"]}


class ByCursor:
    """A driver of PEP 249. `cursor` are options of its cursors; `mark` is how it spells a parameter."""

    def __init__(self, connect, mark="%s", **cursor):
        self.db, self.mark, self.cursor = connect(), mark, cursor

    def run(self, sql, params):
        cursor = self.db.cursor(**self.cursor)
        cursor.execute(sql.replace("?", self.mark), params)
        rows = [[shown(value) for value in row] for row in cursor.fetchall()]
        columns = [[str(part) for part in column[:2]] for column in cursor.description]
        cursor.close()
        return [columns, *rows]

    def write(self):
        told = []
        cursor = self.db.cursor(**self.cursor)
        cursor.execute(f"INSERT INTO ledger (order_id, amount) VALUES ({self.mark}, {self.mark})", (1, Decimal("2.50")))
        told.append(cursor.rowcount)
        if not self.cursor:
            cursor.executemany("INSERT INTO ledger (order_id, amount) VALUES (%s, %s)", [(2, "1.5"), (3, "2")])
            told.append(cursor.rowcount)
        cursor.execute("INSERT INTO orders (item, amount, due) VALUES ('cup', 1, '2024-01-01')")
        told.append(cursor.lastrowid)
        try:
            cursor.execute("INSERT INTO orders (item, amount, due) VALUES ('cup', 1, '2024-01-01')")
        except Exception as error:
            told.append(f"{type(error).__name__}: {error}")
        cursor.execute("UPDATE ledger SET amount = 3 WHERE order_id = 1")
        told.append(cursor.rowcount)
        cursor.close()
        self.db.rollback()
        return told


def connector(pure):
    import mysql.connector
    return mysql.connector.connect(**address(), use_pure=pure, ssl_disabled=True)


class Connector(ByCursor):
    """Resets its session as its pool does, and asks for rows by a procedure."""

    def run(self, sql, params):
        self.db.cmd_reset_connection()
        self.db.ping(reconnect=False)
        return super().run(sql, params)


def pymysql():
    import pymysql
    return pymysql.connect(**address())


def mysqlclient():
    import MySQLdb
    return MySQLdb.connect(**{key if key not in ("password", "database") else {"password": "passwd", "database": "db"}[key]: value for key, value in address().items()}, charset="utf8mb4")


class Sqlalchemy:
    def __init__(self):
        import sqlalchemy
        self.sqlalchemy = sqlalchemy
        url = sqlalchemy.URL.create("mysql+pymysql", **{"username" if key == "user" else key: value for key, value in address().items()})
        self.engine = sqlalchemy.create_engine(url, pool_pre_ping=True)

    def run(self, sql, params):
        inspector = self.sqlalchemy.inspect(self.engine)
        told = [[f"{column['name']} {column['type']}" for column in inspector.get_columns("orders")]]
        with self.engine.begin() as db:
            rows = db.exec_driver_sql(sql.replace("?", "%s"), tuple(params))
            return told + [[shown(value) for value in row] for row in rows]

    def write(self):
        table = self.sqlalchemy.Table("orders", self.sqlalchemy.MetaData(), autoload_with=self.engine)
        with self.engine.connect() as db:
            done = db.execute(table.insert().values(item="cup", amount=Decimal("2.5"), due=datetime.date(2024, 1, 1)))
            told = [done.inserted_primary_key[0]]
            told += [shown(value) for value in db.execute(self.sqlalchemy.select(table).where(table.c.item.in_(["cup", "pen"]))).all()[-1]]
            db.rollback()
        return told


class Aiomysql:
    def __init__(self):
        import aiomysql
        self.loop = asyncio.new_event_loop()
        words = {"db" if key == "database" else key: value for key, value in address().items()}
        self.pool = self.loop.run_until_complete(aiomysql.create_pool(**words, minsize=1, maxsize=2))

    async def ask(self, sql, params):
        async with self.pool.acquire() as db, db.cursor() as cursor:
            await cursor.execute(sql.replace("?", "%s"), params)
            return [[shown(value) for value in row] for row in await cursor.fetchall()]

    def run(self, sql, params):
        return self.loop.run_until_complete(self.ask(sql, params))

    def write(self):
        return self.run("SELECT COUNT(*) FROM orders", None)


DRIVERS = {
    "pymysql": lambda: ByCursor(pymysql),
    "mysqlclient": lambda: ByCursor(mysqlclient),
    "connector-c": lambda: Connector(lambda: connector(False)),
    "connector-pure": lambda: Connector(lambda: connector(True)),
    "connector-prepared": lambda: Connector(lambda: connector(True), "?", prepared=True),
    "connector-c-prepared": lambda: Connector(lambda: connector(False), "?", prepared=True),
    "sqlalchemy": Sqlalchemy,
    "aiomysql": Aiomysql,
}


class Handler(BaseHTTPRequestHandler):
    db = None

    def do_GET(self):
        kind, name = unquote(self.path).strip("/").split("/")
        Handler.db = Handler.db or DRIVERS[sys.argv[2]]()
        try:
            if kind == "write":
                told = Handler.db.write()
            else:
                told = Handler.db.run(*((selection(name), [0]) if kind == "values" else PARAMS[name]))
        except Exception as error:  # What a driver cannot read, it must not be able to read again.
            told, Handler.db = f"{type(error).__name__}: {error}", None
        text = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
