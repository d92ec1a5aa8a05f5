"""Requests with whatever bytes are allowed in them, the lines of curl that the page has for them, and what those send."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from browser import LIMIT, expect

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import free_port  # noqa: E402

EVIL = "\"><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
# Each: method, target, headers, body.
REQUESTS = [
    ("GET", "/plain?a=1&b=%20c", [], b""),
    ("GET", "/quotes?it='$(touch${IFS}taken)'&`id`[1-3]{a,b}\\&%27", [("X-Evil", "'; touch taken; echo '"), ("X-Empty", "")], b""),
    ("POST", "/a/../b/./c", [("Content-Type", "text/plain")], ("@/etc/passwd " + EVIL).encode()),
    ("POST", "/json", [("Content-Type", "application/json")], b'{"it":"O\'Brien","n":1.10}'),
    ("PUT", "/binary", [("Content-Type", "application/octet-stream")], bytes(range(256)) + b"%s%n\\x41\\101-\n"),
    ("POST", "/lines", [("Content-Type", "text/plain")], b"-first\nsecond\r\n\tthird \x1b[2J\x1b]0;taken\x07 \xe2\x80\xaehidden\n"),
    ("DELETE", "/latin", [("X-Latin", "gr\xfc\xdfe"), ("X-Tab", "a\tb")], b""),
    ("HEAD", "/head", [], b""),
    ("POST", "/nothing", [("Content-Type", "text/plain")], b""),
]
# Answers each request; with BUG it answers something else. What it logs tries to act on whoever shows it.
APP = f"""
import os, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    connection, _ = server.accept()
    stream = connection.makefile("rb")
    while line := stream.readline():
        length = 0
        while (field := stream.readline().strip()):
            name, _, value = field.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        stream.read(length)
        print("\\x1b[2J\\x1b]0;taken\\x07\\u202e", {EVIL!r}, line, flush=True)
        body = (os.environ.get("BUG", "fine") + " " + {EVIL!r} + "\\x1b[31m").encode()
        head = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/html\\r\\nX-Said: \\"><script>1</script>\\r\\n"
        connection.sendall(head + b"Content-Length: %d\\r\\n\\r\\n" % len(body) + (b"" if line.startswith(b"HEAD") else body))
"""


def written(port, method, target, headers, body):
    head = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{name}: {value}" for name, value in headers)]
    head += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def message(stream):
    """The next message of a stream as it is: its first line, its fields sorted, its body; none at the end."""
    first = stream.readline()
    if not first:
        return None
    fields, length = [], 0
    while field := stream.readline().strip(b"\r\n"):
        name, _, value = field.partition(b":")
        fields.append((name.lower(), value.strip(b" ")))
        length = int(value) if name.lower() == b"content-length" else length
    return first, sorted(fields), stream.read(length) if not first.startswith(b"HTTP/") or length < 1 << 20 else b""


def say_all(port):
    """Sends every request on one connection, each when the last was answered."""
    with socket.create_connection(("127.0.0.1", port), LIMIT) as connection:
        stream = connection.makefile("rb")
        for request in REQUESTS:
            connection.sendall(written(port, *request))
            length = 0
            expect(stream.readline().startswith(b"HTTP/1.1 200"), f"{request[:2]} is not answered")
            while field := stream.readline().strip():
                name, _, value = field.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            stream.read(0 if request[0] == "HEAD" else length)


def page(rehearsal, folder):
    """The page of a run in which each of these requests fails, and the port on which the app listened."""
    port = free_port()
    (folder / "app.py").write_text(APP, "utf-8")
    app = [sys.executable, str(folder / "app.py"), str(port)]
    env = os.environ | {"REHEARSAL_KEY_FILE": str(folder / "key"), "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    words = [rehearsal, "record", "-C", str(folder), "--name", "hostile", "--no-verify", "--until-idle", "1s", "--", *app]
    log = (folder / "record.log").open("wb")
    recording = subprocess.Popen(words, env=env, stdout=log, stderr=log)
    try:
        until = time.monotonic() + LIMIT
        while True:
            expect(recording.poll() is None and time.monotonic() < until, f"record: {(folder / 'record.log').read_text()[-500:]}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        say_all(port)
        recording.wait(LIMIT)
    finally:
        if recording.poll() is None:
            recording.kill()
            recording.wait()
        log.close()
    path, said = folder / "hostile.html", folder / "hostile.txt"
    words = [rehearsal, "test", "-C", str(folder), "--format", "human", "--output", str(said), "--format", "html", "--output", str(path)]
    done = subprocess.run(words, env=env | {"BUG": "wrong"}, capture_output=True, timeout=LIMIT * 2)
    expect(done.returncode == 1, f"test: exit code {done.returncode}{done.stderr[-500:]}")
    expect(not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80\xae", said.read_bytes()), "control characters reach the terminal")
    return path, port


class Listener:
    """Hears what is sent to a port, one message a connection."""

    def __init__(self, port):
        self.server, self.heard = socket.create_server(("127.0.0.1", port)), []
        self.server.settimeout(LIMIT)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                with connection:
                    connection.settimeout(LIMIT)
                    self.heard.append(message(connection.makefile("rb")))
                    connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def close(self):
        # One that waits is woken by a connection that says nothing.
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join()


LINES = """[...document.querySelectorAll('details.test')].map(test => [...test.querySelectorAll('.again')]
  .filter(it => it.textContent.startsWith('send it by hand')).map(it => it.querySelector('code').textContent)[0])"""


def check(browser, rehearsal, folder):
    """Opens that page, takes the lines that it offers, runs them in a shell, and compares what arrives."""
    path, port = page(rehearsal, folder)
    browser.show(1280, 900, False)
    browser.open(path)
    browser.run("document.querySelectorAll('details').forEach(it => it.open = true)")
    expect("taken" not in browser.run("document.title") and not browser.complaints(), f"recorded text acts: {browser.complaints()}")
    expect(browser.run("document.querySelectorAll('details.test img, details.test script').length") == 0, "recorded text is markup")
    text = browser.run("document.body.textContent")
    expect("\\x1b[2J" in text and "\\u{202e}" in text and "\x1b" not in text, "the log is not shown by its escapes")
    lines = browser.run(LINES)
    expect(len(lines) == len(REQUESTS) and all(lines), f"{len(lines)} lines: {lines}")
    place = folder / "shell"
    place.mkdir()
    listener = Listener(port)
    try:
        for line, request in zip(lines, REQUESTS):
            expect(not re.search(r"[^\x20-\x7e\u00a1-\uffff]", line), f"not one line that can be pasted: {line!r}")
            listener.heard.clear()
            done = subprocess.run(["sh", "-c", line], cwd=place, capture_output=True, timeout=LIMIT)
            expect(done.returncode == 0, f"{line}: exit code {done.returncode}{done.stderr[-300:]}")
            sent = (folder / "sent").open("w+b")
            sent.write(written(port, *request))
            sent.seek(0)
            with sent:
                expect(listener.heard == [message(sent)], f"{line}\nsends {listener.heard}")
    finally:
        listener.close()
    expect(not list(place.iterdir()), "a line ran what it should have sent")
    return f"{len(lines)} requests arrive byte for byte"


