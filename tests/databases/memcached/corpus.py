#!/usr/bin/env python3
"""What memcached can do, by Python's drivers and by words on a socket.

    corpus.py PORT MEMCACHED_PORT DRIVER

DRIVER is pymemcache, python-memcached, aiomcache or meta. Answers `/NAME` for every name of that driver in GROUPS.
"""

import asyncio
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from web import always, serve  # noqa: E402

LARGE = "0123456789abcdef" * 5000
BINARY = b"\x00\xff\r\nEND\r\n\x80"
COMMON = ["basics", "counters", "many", "binary"]
GROUPS = {
    "pymemcache": [*COMMON, "cas", "silent", "server"], "python-memcached": [*COMMON, "cas"], "aiomcache": COMMON,
    "meta": ["basics", "quiet", "arithmetic", "pipeline", "bad"],
}
# Lines on the socket, and how many lines end the reply.
META = {
    "basics": [("ms m:1 5 T60 F3\r\nhello\r\n", 1), ("mg m:1 v f t s k Oabc\r\n", 2), ("mg nobody v\r\n", 1), ("me m:1 \r\n", 1), ("md m:1 k\r\n", 1), ("md m:1\r\n", 1)],
    "quiet": [("ms q:1 1 q\r\nx\r\nms q:2 1\r\ny\r\nmg q:1 v k q\r\nmg none v k q\r\nmg q:2 v k q\r\nmd none q\r\nmn\r\n", 7)],
    "arithmetic": [("ma n N0 J10 v\r\n", 2), ("ma n D5 v t\r\n", 2), ("ma n MD D3\r\n", 1), ("ma nobody v\r\n", 1)],
    "pipeline": [("set p 0 0 1 noreply\r\na\r\nappend p 0 0 1 noreply\r\nb\r\nget p\r\ngets p nobody\r\n", 6), ("gat 60 p\r\n", 3)],
    "bad": [("nonsense\r\n", 1), ("incr p x\r\n", 1), ("set p\r\n", 1), ("stats nonsense\r\n", 1), ("verbosity 1\r\n", 1)],
}


class Pymemcache:
    def __init__(self, port):
        from pymemcache.client.base import Client
        self.db = Client(("127.0.0.1", port), default_noreply=False)

    def basics(self):
        db = self.db
        return [
            db.set("a", "one two"), db.get("a"), db.get("nobody"), db.add("a", "x"), db.replace("a", "y", expire=100), db.append("a", "z"),
            db.prepend("a", "w"), db.get("a"), db.touch("a", 50), db.delete("a"), db.delete("a"), db.set("json", '{"total": 12.30}'), db.get("json"),
        ]

    def counters(self):
        db = self.db
        return [db.set("n", "18446744073709551614"), db.incr("n", 1), db.incr("n", 1), db.decr("n", 5), db.incr("nobody", 1)]

    def many(self):
        return [self.db.set_many({"x": "1", "y": "2"}), self.db.get_many(["x", "nobody", "y"]), self.db.delete_many(["x", "y"])]

    def binary(self):
        return [self.db.set("b", BINARY, flags=16), self.db.get("b"), self.db.set("large", LARGE), len(self.db.get("large"))]

    def cas(self):
        self.db.set("c", "1")
        value, mark = self.db.gets("c")
        return [value, self.db.cas("c", "2", mark), self.db.cas("c", "3", mark), self.db.cas("nobody", "3", mark), self.db.get("c")]

    def silent(self):
        self.db.set("s", "1", noreply=True)
        self.db.incr("s", 2, noreply=True)
        return [self.db.get("s"), self.db.delete("s", noreply=True), self.db.get("s")]

    def server(self):
        return [self.db.version(), self.db.flush_all(), self.db.get("json"), sorted(self.db.stats("settings"))[:3]]


class PythonMemcached:
    def __init__(self, port):
        import memcache
        self.db = memcache.Client([f"127.0.0.1:{port}"], cache_cas=True)

    def basics(self):
        db = self.db
        return [db.set("a", "one"), db.get("a"), db.get("nobody"), db.add("a", "x"), db.replace("a", "y", time=100), db.append("a", "z"), db.get("a"), db.touch("a", 50), db.delete("a")]

    def counters(self):
        return [self.db.set("n", 5), self.db.incr("n"), self.db.decr("n", 3), self.db.get("n"), self.db.incr("nobody")]

    def many(self):
        return [self.db.set_multi({"x": 1, "y": "2"}), self.db.get_multi(["x", "nobody", "y"]), self.db.delete_multi(["x", "y"])]

    def binary(self):
        return [self.db.set("b", BINARY), self.db.get("b"), self.db.set("list", [1, None, "x"]), self.db.get("list"), self.db.set("large", LARGE, min_compress_len=10), len(self.db.get("large"))]

    def cas(self):
        return [self.db.set("c", "1"), self.db.gets("c"), self.db.cas("c", "2"), self.db.get("c")]


class Aiomcache:
    def __init__(self, port):
        self.loop, self.port = asyncio.new_event_loop(), port
        self.db = self.loop.run_until_complete(self.client())

    async def client(self):
        import aiomcache
        return aiomcache.Client("127.0.0.1", self.port)

    def each(self, *calls):
        return [self.loop.run_until_complete(call) for call in calls]

    def basics(self):
        db = self.db
        return self.each(db.set(b"a", b"one"), db.get(b"a"), db.get(b"nobody"), db.add(b"a", b"x"), db.replace(b"a", b"y"), db.append(b"a", b"z"), db.get(b"a"), db.touch(b"a", 50), db.delete(b"a"))

    def counters(self):
        return self.each(self.db.set(b"n", b"5"), self.db.incr(b"n"), self.db.decr(b"n", 3))

    def many(self):
        async def at_once():
            return await asyncio.gather(*(self.db.get(b"m:%d" % number) for number in range(5)))

        return self.each(self.db.set(b"m:1", b"1"), self.db.multi_get(b"m:0", b"m:1"), at_once())

    def binary(self):
        return self.each(self.db.set(b"b", BINARY), self.db.get(b"b"), self.db.version())


class Meta:
    def __init__(self, port):
        self.stream = socket.create_connection(("127.0.0.1", port), 10).makefile("rwb")

    def __getattr__(self, name):
        return lambda: [self.say(*step) for step in META[name]]

    def say(self, words, lines):
        self.stream.write(words.encode())
        self.stream.flush()
        told = [self.stream.readline().decode() for _ in range(lines)]
        return [line.split(" la=")[0] for line in told]


DRIVERS = {"pymemcache": Pymemcache, "python-memcached": PythonMemcached, "aiomcache": Aiomcache, "meta": Meta}

if __name__ == "__main__":
    driver = DRIVERS[sys.argv[3]](int(sys.argv[2]))
    serve(sys.argv[1], [("GET", r"/(\w+)", always(lambda _, name: getattr(driver, name)()))])
