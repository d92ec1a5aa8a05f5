"""Chromium without a window, driven by its DevTools protocol: opens pages, works with them, and tells what it minds.

What is opened may ask nothing of any other machine: there is no network for it.
"""

import base64
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path
from urllib.request import urlopen

LIMIT = 60


class Failed(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


class Socket:
    """A WebSocket (RFC 6455), as far as DevTools need it."""

    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.socket.sendall((head + f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.stream = self.socket.makefile("rb")
        expect(b"101" in self.stream.readline(), "DevTools refuse")
        while self.stream.readline().strip():
            pass

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        length = len(data)
        head = struct.pack("!BB", 0x81, 0x80 | length) if length < 126 else struct.pack("!BBH", 0x81, 0xFE, length) if length < 65536 else struct.pack("!BBQ", 0x81, 0xFF, length)
        self.socket.sendall(head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data)))

    def receive(self):
        said = b""
        while True:
            first, second = self.stream.read(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self.stream.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.stream.read(8))
            said += self.stream.read(length)
            if first & 0x80:
                return said.decode(errors="replace")


class Browser:
    """Chromium without a window and without a network."""

    def __init__(self, folder):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        expect(program, "install chromium")
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0"]
        words += [f"--user-data-dir={folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking", "about:blank"]
        self.log = (folder / "chromium.log").open("w+b")
        self.program = subprocess.Popen([program, *words], stdout=self.log, stderr=self.log)
        file, deadline = folder / "profile" / "DevToolsActivePort", time.monotonic() + LIMIT
        while not (file.exists() and len(file.read_text().splitlines()) == 2):
            expect(self.program.poll() is None and time.monotonic() < deadline, f"Chromium does not start: {self.said()}")
            time.sleep(0.05)
        port = int(file.read_text().splitlines()[0])
        pages = json.loads(urlopen(f"http://127.0.0.1:{port}/json/list", timeout=LIMIT).read())
        page = next(page for page in pages if page["type"] == "page")
        self.socket = Socket(port, re.sub(r"^ws://[^/]*", "", page["webSocketDebuggerUrl"]))
        self.number, self.events = 0, []
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.ask(f"{domain}.enable")

    def said(self):
        self.log.seek(0)
        return self.log.read()[-500:]

    def ask(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("id") == self.number:
                expect("error" not in message, f"{method}: {message.get('error')}")
                return message["result"]
            self.events.append(message)

    def run(self, code):
        """The value of an expression in the page."""
        result = self.ask("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        expect("exceptionDetails" not in result, f"{code}: {result.get('exceptionDetails')}")
        return result["result"].get("value")

    def open(self, place):
        """Opens a file or an address; the seconds until it could be used."""
        self.events.clear()
        began = time.monotonic()
        self.ask("Page.navigate", url=place if isinstance(place, str) else place.as_uri())
        self.loaded()
        return time.monotonic() - began

    def loaded(self):
        """Waits until the page that is being opened can be used."""
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(json.loads(self.socket.receive()))
        # Two frames later it is painted.
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def wait(self, code, what):
        """Waits until an expression is true, in whichever page is there by then."""
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                if self.run(code):
                    return
            except Failed as problem:
                # Between two pages there is none.
                if not re.search("context|navigated|of null", str(problem)):
                    raise
            expect(time.monotonic() < deadline, f"never came: {what}")
            time.sleep(0.05)

    def worked(self):
        """The seconds of processor time that Chromium's processes have had, all of them together."""
        tree, stats = {self.program.pid}, {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            stats[int(path.parent.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
        grown = True
        while grown:
            more = {pid for pid, (parent, _) in stats.items() if parent in tree} - tree
            tree |= more
            grown = bool(more)
        ticks = sum(stats[pid][1] for pid in tree if pid in stats)
        return ticks / os.sysconf("SC_CLK_TCK")

    def show(self, width, height, dark):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def press(self, key, text=""):
        for kind in ["keyDown", "keyUp"]:
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, text=text if kind == "keyDown" else "")

    def complaints(self, own=("file:", "data:")):
        """What the console says, and what was asked for of anybody else than those whose addresses begin so."""
        said = []
        for event in self.events:
            method, it = event.get("method"), event.get("params", {})
            if method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
                said.append(json.dumps(it)[:300])
            if method == "Network.requestWillBeSent" and not it["request"]["url"].startswith(own):
                said.append(it["request"]["url"])
        return said

    def close(self):
        try:
            self.socket.socket.close()
        finally:
            self.program.terminate()
            try:
                self.program.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self.program.kill()
                self.program.wait()
            self.log.close()
