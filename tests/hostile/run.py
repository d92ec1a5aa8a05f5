#!/usr/bin/env python3
"""Attacks an app directly and with us between: it ends or goes on as it does without us, and our memory stays bounded.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

The attacks are floods, bombs and oversized frames over HTTP/2, HTTP/1.1 and WebSocket; see `attacks.py`. After each the app must
answer as before, and `record` end as usual; what cannot be read must be said in a line. The environment's REHEARSAL is
the program's path (`rehearsal` if unset). Clients are installed into the cache folder. Exit code 0 when all passed, 1
when one failed.
"""

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

import attacks  # noqa: E402
from stand import Failed, Server, free_port, install_once, listens, main, run_tool, wait_until  # noqa: E402

# What we may hold at most, in MiB: bodies of 16 MiB of which four may wait, and what a debug build holds anyway.
MOST = 192
LIMIT = 60  # seconds
# What must be said of an attack that cannot be read, if it must.
SAID = {
    "empty_continuations": "a field section in more than", "header_bomb": "a field section",
    "oversized_frame": "a frame", "socket_bomb": "a message, decompressed,",
}


class Nobody(Server):
    """The app calls nobody."""

    def __init__(self, folder, cache):
        super().__init__(folder)
        self.env["MODULES"] = str(cache / "node")


def attack(port, pieces, asks):
    """Says all pieces, then `asks`; whether the app answers that, or ends the connection by a word (GOAWAY) or without."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), LIMIT)) as connection:
        heard = Heard(connection, asks[-8:])
        with contextlib.suppress(ConnectionError):
            for piece in [*pieces(), asks]:
                if heard.verdict:
                    break
                connection.settimeout(LIMIT)
                connection.sendall(piece)
                heard.all_there_is()
        while not heard.verdict:
            connection.settimeout(LIMIT)
            heard.more()
        return heard.verdict


class Heard:
    """What an app says over HTTP/2, as far as it matters."""

    def __init__(self, connection, pong):
        self.connection, self.pong, self.tail, self.verdict = connection, pong, b"", None

    def more(self):
        try:
            part = self.connection.recv(1 << 16)
        except ConnectionError:
            part = b""
        self.tail = self.tail[-64:] + part
        if not part or re.search(rb"\0\0[\x08-\xff]\x07\0\0\0\0\0", self.tail):
            self.verdict = "ends"
        elif self.pong in self.tail:
            self.verdict = "goes on"

    def all_there_is(self):
        """Takes what has come, so that nobody waits for us."""
        self.connection.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while not self.verdict:
                self.more()


def over_http1(port, pieces):
    """Says all pieces; the status of an answer, or with which code the WebSocket was closed."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), LIMIT)) as connection:
        connection.settimeout(LIMIT)
        heard = b""
        for piece in pieces():
            with contextlib.suppress(ConnectionError, BrokenPipeError):
                connection.sendall(piece)
        while not (found := re.search(rb"\d+ bytes|\x88[^\x00-\x01](..)", heard, re.S)):
            part = connection.recv(1 << 16)
            if not part:
                return "ends"
            heard += part
    return str(int.from_bytes(found[1])) if found[1] else found[0].decode()


def done_to(ports, name):
    """What an attack does to an app on these ports."""
    pieces = getattr(attacks, name)
    if pieces in attacks.OVER_HTTP1:
        return over_http1(ports[1], pieces)
    return attack(ports[0], pieces, attacks.frame(attacks.PING, 0, 0, b"are you?"))


def healthy(port):
    done = subprocess.run(
        ["curl", "-sS", "--http2-prior-knowledge", "-d", "hello", f"http://127.0.0.1:{port}/"], check=False, capture_output=True, text=True, timeout=LIMIT,
    )
    if done.stdout != "5 bytes":
        raise Failed(f"the app does not answer as before: {done.stdout} {done.stderr}")


def peak(name):
    """The most memory that the `record` of this name has held, in MiB."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if words[1:4] == [b"record", b"--name", name.encode()]:
                status = (folder / "status").read_text()
                return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024
    raise Failed("record is not there any more")


def directly(stand, name):
    ports = [free_port(), free_port()]
    words = ["node", str(HERE / "app.mjs"), *map(str, ports)]
    process = subprocess.Popen(words, env=stand.server.env, cwd=stand.folder, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: all(map(listens, ports)), process, "the app")
        return done_to(ports, name)
    finally:
        process.kill()
        process.wait()


def wait_for(port):
    """Until something listens."""
    until = time.monotonic() + LIMIT
    while not listens(port):
        if time.monotonic() > until:
            raise Failed("the app did not start")
        time.sleep(0.05)


def withstands(stand, name):
    wanted = directly(stand, name)
    ports = [free_port(), free_port()]
    log = stand.folder / f"record-{name}.log"
    try:
        with stand.recording(name, ["node", str(HERE / "app.mjs"), *map(str, ports)], ports[1]):
            wait_for(ports[0])
            found = done_to(ports, name)
            healthy(ports[0])
            most = peak(name)
    except Failed as why:
        if "was not read" not in str(why):
            raise
    text = log.read_text("utf-8", "replace")
    if found != wanted:
        raise Failed(f"the app {wanted} without us, and with us it {found}")
    if most > MOST:
        raise Failed(f"we held {most} MiB")
    if SAID.get(name, "") not in text:
        raise Failed(f"nobody is told {SAID[name]!r}:\n{text[-2000:]}")
    return f"the app {wanted}, as without us; we held {most} MiB at most"


def cases(stand, _):
    for pieces in attacks.OVER_HTTP2 + attacks.OVER_HTTP1:
        name = pieces.__name__
        yield name, lambda name=name: withstands(stand, name)


def install(cache):
    """What the app needs."""
    install_once(cache, [(HERE / "package.json").read_text("utf-8")], [("node", "nodejs"), ("npm", "npm"), ("curl", "curl")], fill)
    return cache


def fill(cache):
    (cache / "node").mkdir()
    shutil.copy(HERE / "package.json", cache / "node")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], cache / "node")


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["cache"] = cache
        return install(cache)

    sys.exit(main("hostile", __doc__.split("\n\n")[0], lambda folder: Nobody(folder, store["cache"]), installed, cases))
