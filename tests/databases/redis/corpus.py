#!/usr/bin/env python3
"""Runs the commands of corpus.json through redis-py, one by one and in pipelines.

    corpus.py PORT FORM

FORM is `sync` or `async`, a dash, and the version of the protocol: `sync-2`, `async-3`. The server is the
one that the environment's REDIS_URL names. Answers HTTP requests: `/run/GROUP`, `/pipeline/GROUP`,
`/transaction/GROUP` and `/messages`.
"""

import asyncio
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import redis
import redis.asyncio

from commands import group


def told(reply):
    """A reply as text that is the same in every run, whatever the order of sets."""
    if isinstance(reply, (set, frozenset)):
        return f"{{{', '.join(sorted(map(told, reply)))}}}"
    if isinstance(reply, dict):
        return f"{{{', '.join(f'{told(key)}: {told(value)}' for key, value in reply.items())}}}"
    if isinstance(reply, (list, tuple)):
        return f"[{', '.join(map(told, reply))}]"
    return f"{type(reply).__name__}: {reply}" if isinstance(reply, Exception) else repr(reply)


class Sync:
    def __init__(self, protocol):
        self.db = redis.Redis.from_url(os.environ["REDIS_URL"], protocol=protocol)

    def run(self, name):
        replies = []
        for command in group(name):
            try:
                replies.append(self.db.execute_command(*command))
            except redis.RedisError as error:
                replies.append(error)
        return replies

    def pipeline(self, name, transaction=False):
        pipe = self.db.pipeline(transaction=transaction)
        for command in group(name):
            pipe.execute_command(*command)
        return pipe.execute(raise_on_error=False)

    def messages(self):
        """What a listener hears of what this very request publishes, then of patterns."""
        heard = []
        with self.db.pubsub() as listener:
            listener.subscribe("a", "b")
            listener.psubscribe("c.*")
            heard += [listener.get_message(timeout=5) for _ in range(3)]
            for channel, text in (("a", "one"), ("c.d", b"\x00\xff"), ("b", "")):
                heard.append(self.db.publish(channel, text))
                heard.append(listener.get_message(timeout=5))
            listener.ping()
            heard.append(listener.get_message(timeout=5))
            listener.unsubscribe()
            heard += [listener.get_message(timeout=5) for _ in range(2)]
        return heard


class Async:
    def __init__(self, protocol):
        self.loop = asyncio.new_event_loop()
        self.db = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], protocol=protocol)

    async def _run(self, name):
        replies = []
        for command in group(name):
            try:
                replies.append(await self.db.execute_command(*command))
            except redis.RedisError as error:
                replies.append(error)
        return replies

    async def _pipeline(self, name, transaction):
        async with self.db.pipeline(transaction=transaction) as pipe:
            for command in group(name):
                pipe.execute_command(*command)
            return await pipe.execute(raise_on_error=False)

    async def _messages(self):
        heard = []
        async with self.db.pubsub() as listener:
            await listener.subscribe("a")
            heard.append(await listener.get_message(timeout=5))
            for text in ("one", "two"):
                heard.append(await self.db.publish("a", text))
                heard.append(await listener.get_message(timeout=5))
        heard += await asyncio.gather(*(self.db.incr(f"parallel:{number}") for number in range(5)))
        return heard

    def run(self, name):
        return self.loop.run_until_complete(self._run(name))

    def pipeline(self, name, transaction=False):
        return self.loop.run_until_complete(self._pipeline(name, transaction))

    def messages(self):
        return self.loop.run_until_complete(self._messages())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        how, _, name = self.path.strip("/").partition("/")
        act = {
            "run": lambda: self.driver.run(name), "pipeline": lambda: self.driver.pipeline(name),
            "transaction": lambda: self.driver.pipeline(name, True), "messages": lambda: self.driver.messages(),
        }
        try:
            status, text = 200, "\n".join(map(told, act[how]()))
        except Exception as error:  # The tests are to see it.
            status, text = 500, f"{type(error).__name__}: {error}"
        body = text.encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    form, _, version = sys.argv[2].partition("-")
    Handler.driver = {"sync": Sync, "async": Async}[form](int(version))
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
