"""A program that alters a table while it is recorded: `altered.py PORT`. Each request has connections of its own.

GET /things selects all, POST /alter adds a column, POST /both does the one before and after the other.
"""

import asyncio
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import asyncpg


async def things():
    db = await asyncpg.connect()
    try:
        return [dict(row) for row in await db.fetch("SELECT * FROM things ORDER BY id")]
    finally:
        await db.close()


async def alter(column):
    db = await asyncpg.connect()
    try:
        await db.execute(f"ALTER TABLE things ADD {column} int NOT NULL DEFAULT 7")
    finally:
        await db.close()


async def act(path):
    if path == "/things":
        return await things()
    if path == "/alter":
        await alter("size")
        return "altered"
    before = await things()
    await alter("weight")
    return before + await things()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(asyncio.run(act(self.path))).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *words):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
