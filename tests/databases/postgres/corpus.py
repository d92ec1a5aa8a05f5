#!/usr/bin/env python3
"""The same statements by several drivers: an app whose every answer is what the driver understood.

    corpus.py PORT DRIVER

DRIVER is psycopg, psycopg-binary, psycopg2, sqlalchemy, pg8000 or asyncpg. The database is named by the PG… variables.
"""

import asyncio
import io
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import unquote

# A value of each type, as SQL.
VALUES = {
    "bool": ["true", "false", "NULL::bool"],
    "int2": ["(-32768)::int2", "32767::int2"],
    "int4": ["0", "(-2147483648)::int4"],
    "int8": ["9223372036854775807", "(-1)::int8"],
    "float4": ["1.5::float4", "1e-7::float4", "123456.7::float4", "1e10::float4", "'NaN'::float4"],
    "float8": ["0.1::float8", "1e15::float8", "1e14::float8", "-1.25e-5::float8", "'-Infinity'::float8", "1.7976931348623157e308::float8"],
    "numeric": ["0.00", "-12345678901234567890.123450", "1e10::numeric", "0.00012", "10000::numeric(10,2)", "'NaN'::numeric", "99990000"],
    "text": ["''", "'it''s'", "E'tab\\tline\\nü €'", "'null'::varchar(10)", "'ab'::char(5)", "'x'::\"char\"", "'n'::name"],
    "bytea": ["'\\x00ff41'::bytea", "''::bytea", "'plain'::bytea"],
    "date": ["date '2024-02-29'", "date '1969-12-31'", "date '0001-01-01'"],
    "time": ["time '04:05:06.789'", "time '00:00'", "timetz '23:59:59+05:30'"],
    "timestamp": ["timestamp '2024-02-29 12:34:56.000001'", "timestamp '1999-12-31 23:59:59'", "timestamptz '2024-07-01 00:00:00+02'"],
    "interval": ["interval '1 year 2 months 3 days 04:05:06.7'", "interval '-1 day 2 hours'", "interval '0'", "interval '-14 months'"],
    "uuid": ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid"],
    "json": ["'{\"a\": [1, 2.50]}'::json", "'{\"b\":null,\"a\":1}'::jsonb", "'\"x\"'::jsonb"],
    "net": ["'10.1.2.3'::inet", "'10.1.0.0/16'::cidr", "'::1/64'::inet", "'08:00:2b:01:02:03'::macaddr"],
    "bits": ["B'10110'", "B'1'::varbit(9)"],
    "array": ["ARRAY[1,2,NULL]", "'{}'::text[]", "ARRAY['a b','','NULL',NULL,'q\"\\']", "ARRAY[[1,2],[3,4]]", "ARRAY[1.50,2]::numeric[]", "ARRAY[date '2024-01-01']", "ARRAY['\\x01'::bytea]"],
    "enum": ["'busy'::mood", "ARRAY['busy']::mood[]"],
    "range": [
        "'[1,5)'::int4range", "'empty'::int8range", "'(,2.5]'::numrange", "'[2024-01-01,)'::daterange", "tsrange('2024-01-01', '2024-02-01 10:00')",
        "'{[1,3),[5,7)}'::int4multirange", "'{}'::nummultirange", "ARRAY['[1,2)']::int4range[]",
    ],
    "composite": ["ROW(1, 'a b', NULL)", "(SELECT place FROM places)", "ARRAY['busy','idle']::mood[]", "'{}'::mood[]"],
    "far": ["date '0001-12-31 BC'", "timestamp 'infinity'", "date '12345-01-01'", "timestamptz '0044-03-15 01:02:03 BC'", "interval '-1 year -2 months 1 day -00:00:00.000001'"],
    "other": ["'(1,2)'::point", "1::oid", "'orders'::regclass::text", "'12.34'::float8::numeric::money::text"],
}

# Statements with parameters, as (SQL with $1, values).
PARAMS = {
    "integer": ("SELECT $1::int4 + 1", [41]),
    "text": ("SELECT $1::text || '!'", ["ü'x"]),
    "bytes": ("SELECT $1::bytea", [b"\x00\xff"]),
    "null": ("SELECT $1::text IS NULL", [None]),
    "float": ("SELECT $1::float8", [0.1]),
    "bool": ("SELECT NOT $1::bool", [True]),
    "list": ("SELECT $1::int4[]", [[1, 2, 3]]),
}


def selection(name):
    return f"SELECT {', '.join(VALUES[name])}"


def shown(value):
    if isinstance(value, memoryview):
        value = bytes(value)
    if isinstance(value, list):
        return f"list [{', '.join(map(shown, value))}]"
    return f"{type(value).__name__} {value!r}"


class Psycopg:
    def __init__(self, binary):
        import psycopg
        self.db, self.binary = psycopg.connect("", autocommit=True), binary

    def run(self, sql, params=None):
        for number in range(len(params or []), 0, -1):
            sql = sql.replace(f"${number}", "%s")
        cursor = self.db.execute(sql, params, binary=self.binary)
        return [[shown(value) for value in row] for row in cursor.fetchall()]


    def own(self):
        """Batches, a portal of the server's, a pipeline with an error in it, savepoints, and what others notify."""
        import psycopg
        db, told = self.db, []
        with db.cursor() as cursor:
            cursor.executemany("INSERT INTO ledger VALUES (%s, %s) RETURNING order_id", [(1, 1), (2, 2)], returning=True)
            told.append(cursor.fetchone())
            while cursor.nextset():
                told.append(cursor.fetchone())
        try:
            with db.pipeline():
                db.execute("SELECT 1")
                db.execute("SELECT 1 / (SELECT 0)")
                db.execute("SELECT 2")
        except psycopg.Error as error:
            told.append([error.sqlstate, error.diag.message_primary])
        with db.transaction(force_rollback=True), db.cursor("walk", scrollable=True) as walk:
            walk.execute("SELECT generate_series(1, 5)")
            told.append(walk.fetchmany(2))
            walk.scroll(-1)
            told.append(walk.fetchall())
        db.execute("LISTEN news")
        with psycopg.connect("", autocommit=True) as other:
            for text in ("one", "it's two"):
                other.execute("SELECT pg_notify('news', %s)", [text])
                told += [[heard.channel, heard.payload] for heard in db.notifies(timeout=30, stop_after=1)]
        db.execute("UNLISTEN news")
        return told + [db.execute("DELETE FROM ledger").rowcount]


class Psycopg2:
    def __init__(self):
        import psycopg2
        self.db = psycopg2.connect("")

    def run(self, sql, params=None):
        for number in range(len(params or []), 0, -1):
            sql = sql.replace(f"${number}", "%s")
        with self.db, self.db.cursor() as cursor:
            cursor.execute(sql, params)
            return [[shown(value) for value in row] for row in cursor.fetchall()]


class Sqlalchemy:
    def __init__(self):
        import sqlalchemy
        self.sqlalchemy = sqlalchemy
        self.engine = sqlalchemy.create_engine("postgresql+psycopg://", pool_pre_ping=True)

    def run(self, sql, params=None):
        inspector = self.sqlalchemy.inspect(self.engine)
        told = [[f"{column['name']} {column['type']}" for column in inspector.get_columns("orders")]]
        with self.engine.begin() as db:
            for number in range(len(params or []), 0, -1):
                sql = sql.replace(f"${number}", "%s")
            rows = db.exec_driver_sql(sql, tuple(params)) if params else db.exec_driver_sql(sql)
            return told + [[shown(value) for value in row] for row in rows]


class Pg8000:
    def __init__(self):
        import pg8000.native
        self.db = pg8000.native.Connection(
            os.environ["PGUSER"], host=os.environ["PGHOST"], port=int(os.environ["PGPORT"]),
            database=os.environ["PGDATABASE"], password=os.environ.get("PGPASSWORD"),
        )

    def run(self, sql, params=None):
        named = {f"p{number}": value for number, value in enumerate(params or [], 1)}
        for number in range(len(named), 0, -1):
            sql = sql.replace(f"${number}", f":p{number}")
        # In this driver a colon begins a parameter, and two of them do not.
        return [[shown(value) for value in row] for row in self.db.run(sql, **named)]


class Asyncpg:
    def __init__(self):
        import asyncpg
        self.loop = asyncio.new_event_loop()
        self.db = self.loop.run_until_complete(asyncpg.connect())

    def run(self, sql, params=None):
        # This driver sends what it copies in without waiting for the server to want it.
        self.loop.run_until_complete(self.db.copy_records_to_table("ledger", records=[(1, 2), (3, 4)]))
        rows = self.loop.run_until_complete(self.db.fetch(sql, *(params or [])))
        return [[shown(value) for value in row] for row in rows]

    def own(self):
        return self.loop.run_until_complete(self.acts())

    async def acts(self):
        """Batches, a cursor, savepoints, errors, copying both ways, a prepared statement, and what others notify."""
        import asyncpg
        db, told, heard = self.db, [], asyncio.Queue()
        await db.executemany("INSERT INTO ledger VALUES ($1, $2)", [(1, 1), (2, 2)])
        try:
            await db.executemany("INSERT INTO ledger VALUES ($1, $2)", [(3, 3), (4, None)])
        except asyncpg.PostgresError as error:
            told.append([error.sqlstate, str(error)])
        async with db.transaction(isolation="repeatable_read"):
            told.append([row[0] async for row in db.cursor("SELECT generate_series(1, $1::int)", 5, prefetch=2)])
            cursor = await db.cursor("SELECT id FROM orders ORDER BY id")
            told += [await cursor.forward(1), [tuple(row) for row in await cursor.fetch(5)]]
            try:
                async with db.transaction():
                    await db.execute("SELECT nothing FROM orders")
            except asyncpg.UndefinedColumnError as error:
                told.append([error.sqlstate, error.position])
        told.append(await db.copy_from_query("SELECT order_id, amount FROM ledger ORDER BY 1", output=io.BytesIO(), format="csv"))
        statement = await db.prepare("SELECT item, amount FROM orders WHERE id = $1")
        told.append([[column.name, column.type.name] for column in statement.get_attributes()])
        told += [str(await statement.fetchval(number)) for number in (1, 2, 99)]
        await db.add_listener("news", lambda _, process, channel, text: heard.put_nowait([channel, text]))
        other = await asyncpg.connect()
        for text in ("one", "it's two"):
            await other.execute("SELECT pg_notify('news', $1)", text)
            told.append(await asyncio.wait_for(heard.get(), 30))
        await other.close()
        await db.reset()
        return told + [await db.execute("DELETE FROM ledger")]


DRIVERS = {"psycopg": lambda: Psycopg(False), "psycopg-binary": lambda: Psycopg(True), "psycopg2": Psycopg2, "sqlalchemy": Sqlalchemy, "pg8000": Pg8000, "asyncpg": Asyncpg}


class Handler(BaseHTTPRequestHandler):
    db = None

    def do_GET(self):
        kind, name = unquote(self.path).strip("/").split("/")
        Handler.db = Handler.db or DRIVERS[sys.argv[2]]()
        try:
            told = [Handler.db.own() if kind == "own" else Handler.db.run(*((selection(name), None) if kind == "values" else PARAMS[name]))]
        except Exception as error:  # What a driver cannot read, it must not be able to read again.
            told = [f"{type(error).__name__}: {error}"]
        text = json.dumps(told, default=str).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
