"""A project with a recording and a past, and `rehearsal serve` over it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "pages"))
from browser import LIMIT, expect  # noqa: E402

REHEARSAL = os.path.abspath(os.environ["REHEARSAL"]) if "REHEARSAL" in os.environ else "rehearsal"
TESTS = 5


class Supplier(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        data = json.dumps({"left": 12}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Project:
    """The recording, and the commands on it."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        folder.mkdir()
        self.env = os.environ | {"REHEARSAL_KEY_FILE": str(folder / "key"), "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.env.pop("GITHUB_ACTIONS", None)

    def start(self, *words, **env):
        return subprocess.Popen([REHEARSAL, *words], cwd=self.folder, env=self.env | env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *words, code=0, **env):
        with self.start(*words, **env) as program:
            said, _ = program.communicate(timeout=LIMIT)
        expect(program.returncode == code, f"rehearsal {' '.join(words)}: exit code {program.returncode}: {said[-2000:]}")
        return said

    def record(self):
        supplier = ThreadingHTTPServer(("127.0.0.1", 0), Supplier)
        threading.Thread(target=supplier.serve_forever, daemon=True).start()
        self.env["SUPPLIER_URL"] = f"http://127.0.0.1:{supplier.server_address[1]}"
        recorder = self.start("record", "--name", "shop", "--no-verify", "--", sys.executable, str(HERE / "app.py"), str(self.port))
        try:
            deadline = time.monotonic() + LIMIT
            while True:
                try:
                    urlopen(f"http://127.0.0.1:{self.port}/orders/0", timeout=LIMIT).read()
                    break
                except OSError:
                    expect(recorder.poll() is None and time.monotonic() < deadline, "the app does not listen")
                    time.sleep(0.05)
            for number in range(1, TESTS):
                urlopen(f"http://127.0.0.1:{self.port}/orders/{number}", timeout=LIMIT).read()
            recorder.send_signal(signal.SIGINT)
            said, _ = recorder.communicate(timeout=LIMIT)
            expect(recorder.returncode == 0, f"recording failed: {said}")
        finally:
            recorder.kill()
            recorder.wait()
            supplier.shutdown()
            supplier.server_close()

    def runs(self):
        """The folders of the runs that are kept, the newest last."""
        return sorted(path for path in (self.folder / "rehearsal" / "runs").iterdir() if path.is_dir())

    def tests(self):
        """The files of the tests with their bytes."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / "rehearsal" / "shop" / "tests").iterdir())}


class Server:
    """`rehearsal serve`, until it is told to end."""

    def __init__(self, project):
        self.program = project.start("serve")
        self.url = self.program.stdout.readline().strip()
        expect(self.url.startswith("http://127.0.0.1:"), f"serve says {self.url!r}")
        self.base, _, self.token = self.url.partition("/?token=")
        self.host = self.base.removeprefix("http://")
        self.port = int(self.host.partition(":")[2])

    def raw(self, data, read=True):
        """Sends bytes; all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT) as connection:
            try:
                connection.sendall(data)
            except OSError:
                # It may refuse before all was sent.
                pass
            said = b""
            while read:
                try:
                    more = connection.recv(65536)
                except OSError:
                    break
                said += more
                if not more:
                    break
        return said

    def ask(self, head, cookie=None, host=None, body=b""):
        """Asks by a request line and headers; the status and all that was said."""
        lines = [head, f"Host: {self.host if host is None else host}", "Connection: close"]
        lines += [f"Cookie: {cookie}"] if cookie else []
        lines += [f"Content-Length: {len(body)}", "Content-Type: application/x-www-form-urlencoded"] if head.startswith("POST") else []
        said = self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/1.1 ") else 0, said.decode(errors="replace")

    def cookie(self):
        status, said = self.ask(f"GET /?token={self.token} HTTP/1.1")
        expect(status == 200, f"the token is refused: {said[:300]}")
        return next(line.split(": ", 1)[1].split(";")[0] for line in said.splitlines() if line.lower().startswith("set-cookie"))

    def page(self, path, cookie):
        status, said = self.ask(f"GET {path} HTTP/1.1", cookie)
        expect(status == 200, f"{path}: {status} {said[-800:]}")
        return said

    def stop(self):
        self.program.kill()
        self.program.wait()
        self.program.stdout.close()
