#!/usr/bin/env python3
"""Records apps that listen on a Unix socket and call one, and replays them with that gone.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

The apps are run by gunicorn, uvicorn, Node and Go, and called by curl. The environment's REHEARSAL is the
program's path (`rehearsal` if unset). Servers are installed into the cache folder. Exit code 0 when all passed,
1 when one failed.
"""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, install_once, install_python, main, run_tool  # noqa: E402

PACKAGES = ["gunicorn==23.*", "uvicorn==0.34.*"]
TOOLS = [("go", "golang-go"), ("node", "nodejs"), ("curl", "curl")]
# Path, status and what the answer has.
REQUESTS = [("/shop/chair", 200, "chair"), ("/shop/none", 404, "no such article"), ("/shop/globe", 200, "globe")]


def reached(path):
    """Whether somebody listens on a socket."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


class Stock(Server):
    """The service that all apps call, and the place of their own socket."""

    def __init__(self, folder):
        super().__init__(folder)
        self.path, self.app = folder / "stock.sock", folder / "shop.sock"
        self.env |= {"STOCK": str(self.path), "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}

    def command(self):
        return [sys.executable, HERE / "stock.py", self.path]

    def ready(self):
        return reached(self.path)

    def stop(self):
        super().stop()
        self.path.unlink(missing_ok=True)


def called(path, asked, status, part):
    """Calls the app on its socket, and raises unless it answers so."""
    words = ["curl", "-sS", "--max-time", "60", "--unix-socket", str(path), "-w", "\n%{http_code}", f"http://shop{asked}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if not done.stdout.endswith(f"\n{status}") or part not in done.stdout:
        raise Failed(f"{asked} was answered with {done.stdout!r} {done.stderr}, not {status} and {part!r}")


def works(stand, name, command, rights):
    """An app recorded, its socket's rights being the ones that it gives; replayed alone, side by side, and while another program has the path."""
    path = stand.server.app
    command = [str(word).replace("{path}", str(path)) for word in command]
    stand.server.start()
    try:
        with stand.recording(name, command, lambda: reached(path)):
            about = path.stat()
            if not stat.S_ISSOCK(about.st_mode) or about.st_mode & 0o777 != rights:
                raise Failed(f"{path} has the rights {about.st_mode:o}, not {rights:o}")
            for request in REQUESTS:
                called(path, *request)
    finally:
        stand.server.stop()
    if path.exists():
        raise Failed(f"{path} is still there")
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    if f"unix:{path}" not in manifest:
        raise Failed(f"recording.yaml does not have the socket:\n{manifest}")
    passes(stand, name)
    passes(stand, name, copies=4)
    with socket.socket(socket.AF_UNIX) as others:
        others.bind(str(path))
        others.listen()
        before = path.stat()
        passes(stand, name)
        after = path.stat()
        if (before.st_ino, before.st_mode) != (after.st_ino, after.st_mode) or not reached(path):
            raise Failed(f"{path} was another program's and is not as it was")
    path.unlink()
    code, printed, _ = stand.test(name, f"test-{name}-bug.log", {"BUG": "yes"})
    if code != 1 or "2 failed" not in printed or "/stock/lamp" not in printed:
        raise Failed(f"the defect ended with exit code {code}:\n{printed[-3000:]}")
    return f"{len(REQUESTS)} tests, {stand.repeat} runs of three kinds green, its defect red"


def passes(stand, name, copies=1):
    for number in range(stand.repeat):
        code, printed, _ = stand.test(name, f"test-{name}-{number + 1}.log", copies=copies)
        if code != 0 or f"{len(REQUESTS)} passed" not in printed:
            raise Failed(f"run {number + 1} of {stand.repeat} on {copies} ended with exit code {code}:\n{printed[-3000:]}")
    if stand.server.app.exists() and not reached(stand.server.app):
        raise Failed(f"{stand.server.app} was left behind")


def install(cache):
    """The folder with Python's servers and the Go program."""
    def fill(folder):
        install_python(folder / "python", PACKAGES)
        run_tool(["go", "build", "-o", folder / "shop-go", "."], HERE / "go")

    install_once(cache, [*PACKAGES, (HERE / "go/main.go").read_text("utf-8")], TOOLS, fill)
    return cache


def cases(stand, tools):
    python = tools / "python/bin"
    commands = {
        "gunicorn": ([python / "gunicorn", "--workers", "2", "--umask", "007", "--bind", "unix:{path}", "shop:wsgi"], 0o770),
        "uvicorn": ([python / "uvicorn", "--uds", "{path}", "shop:asgi"], 0o666),
        "node": (["node", HERE / "shop.mjs", "{path}"], 0o777),
        "go": ([tools / "shop-go", "{path}"], 0o660),
    }
    for name, (command, rights) in commands.items():
        yield name, lambda name=name, command=command, rights=rights: works(stand, name, command, rights)


if __name__ == "__main__":
    sys.exit(main("sockets", __doc__.splitlines()[0], Stock, install, cases))
