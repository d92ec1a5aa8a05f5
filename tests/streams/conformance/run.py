#!/usr/bin/env python3
"""Asks whether servers of WebSocket do the same with us between: what is allowed, and what is forbidden.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

The cases are in `frames.py`, the servers are echoes by websockets, aiohttp and ws. Each case is a connection of its own; what
the server says to it, up to the echo of a last message or the end, must be the same. The environment's REHEARSAL is
the program's path (`rehearsal` if unset). Clients are installed into the cache folder. Exit code 0 when all passed, 1
when one failed.
"""

import contextlib
import shutil
import socket
import subprocess
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "databases"))

import frames  # noqa: E402
from stand import Failed, Server, free_port, install_once, install_python, listens, main, run_tool, wait_until  # noqa: E402

PACKAGES = ["websockets==15.*", "aiohttp==3.*"]
LIMIT = 60  # seconds
LAST = b"the last message"
OPENING = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: cGxheWVkIGJ5IHJlY29yZA==\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


class Nobody(Server):
    """The servers call nobody."""

    def __init__(self, folder, cache):
        super().__init__(folder)
        self.env["MODULES"] = str(cache / "node")


def said(port, pieces, more):
    """What the server says to these frames, up to the echo of a last message, its close, or the end."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), LIMIT)) as connection:
        connection.settimeout(LIMIT)
        connection.sendall(OPENING + more + b"\r\n")
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += connection.recv(1 << 16)
        heard = heard.partition(b"\r\n\r\n")[2]
        with contextlib.suppress(ConnectionError):
            for piece in [*pieces, frames.frame(frames.TEXT, LAST)]:
                connection.sendall(piece)
        while not (found := complete(heard)):
            try:
                part = connection.recv(1 << 16)
            except ConnectionError:
                part = b""
            if not part:
                found = [*split(heard), ("ended", b"")]
                break
            heard += part
        # An answer to a ping may come before the echo of what was said earlier.
        is_control = lambda one: one[0] == "ended" or one[0] & 8  # noqa: E731
        data, control = [one for one in found if not is_control(one)], [one for one in found if is_control(one)]
        # How much a server has echoed by the time that it fails the connection is chance.
        return (data if data and data[-1][1] == LAST else []), control


def split(heard):
    """The frames that are complete: the first byte of each, and the content without compression."""
    out, at, unpacker = [], 0, zlib.decompressobj(-15)
    while len(heard) >= at + 2:
        length, head = heard[at + 1] & 127, 2
        if length > 125:
            head = 4 if length == 126 else 10
            length = int.from_bytes(heard[at + 2 : at + head])
        if len(heard) < at + head + length:
            break
        content = heard[at + head : at + head + length]
        out.append((heard[at], unpacker.decompress(content + b"\0\0\xff\xff") if heard[at] & 0x40 else content))
        at += head + length
    return out


def complete(heard):
    """The frames, once the last one is a close or the echo of the last message."""
    out = split(heard)
    for place, (first, content) in enumerate(out):
        if first & 15 == frames.CLOSE or content == LAST:
            return out[: place + 1]
    return None


def all_of(port):
    found = {name: said(port, pieces, b"") for name, pieces in frames.cases()}
    return found | {name: said(port, pieces, DEFLATE) for name, pieces in frames.compressed()}


def conforms(stand, name, command):
    """What a server says directly, it says with us between; and `record` ends as usual."""
    port = free_port()
    words = [str(word).replace("{port}", str(port)) for word in command]
    process = subprocess.Popen(words, env=stand.server.env, cwd=stand.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), process, "the server")
        direct = all_of(port)
    finally:
        process.kill()
        process.wait()
    port, carried = free_port(), {}
    words = [str(word).replace("{port}", str(port)) for word in command]
    try:
        with stand.recording(name, words, port):
            carried |= all_of(port)
    except Failed as why:
        # Much of what is said is no WebSocket, and said to be.
        if "was not read" not in str(why):
            raise
    if differs := {case: (direct[case], carried.get(case)) for case in direct if direct[case] != carried.get(case)}:
        raise Failed(f"{len(differs)} cases differ with us between: {str(differs)[:1500]}")
    closed = sum(1 for data, _ in direct.values() if not data or data[-1][1] != LAST)
    return f"{len(direct)} cases, {closed} of which end the connection: the same with us between"


def cases(stand, python):
    for library in ("websockets", "aiohttp"):
        yield library, lambda library=library: conforms(stand, library, [python, HERE / "echo.py", "{port}", library])
    yield "ws", lambda: conforms(stand, "ws", ["node", HERE / "echo.mjs", "{port}"])


def install(cache):
    """Python with its servers, and what Node needs."""
    install_once(cache, [*PACKAGES, (HERE / "package.json").read_text("utf-8")], [("node", "nodejs"), ("npm", "npm")], fill)
    return str(cache / "python" / "bin" / "python")


def fill(cache):
    install_python(cache / "python", PACKAGES)
    (cache / "node").mkdir()
    shutil.copy(HERE / "package.json", cache / "node")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], cache / "node")


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["cache"] = cache
        return install(cache)

    sys.exit(main("conformance", __doc__.split("\n\n")[0], lambda folder: Nobody(folder, store["cache"]), installed, cases))
