#!/usr/bin/env python3
"""Changes an app while `rehearsal test --watch` looks on.

    run.py [--repeat N] [--keep] [CASE ...]

Records an app, watches it, breaks it, mends it, replaces it as a build does, edits a test, and ends the watch. After each
change the right tests must have been run, what failed before first.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Exit code 0 when all passed, 1 when one failed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, ask, free_port, main  # noqa: E402

LIMIT = 60  # seconds
PATHS = ["one", "two", "three"]


class Nothing(Server):
    """The app needs nobody."""

    def start(self):
        self.process = None


class Watch:
    """A watch that runs; `await_` waits until it says something new."""

    def __init__(self, stand, options=()):
        self.log = stand.folder / "watch.log"
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                [stand.program, "test", "three", "--watch", "--color", "never", *options], cwd=stand.folder,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )
        self.seen = 0

    def await_(self, *words):
        """What was said since the last time, when all the words are in it and it waits again; and how long that took."""
        began = time.monotonic()
        while True:
            text = self.log.read_text("utf-8", "replace")[self.seen:]
            if "waiting for changes" in text and all(word in text for word in words):
                self.seen += len(text)
                return text, time.monotonic() - began
            if time.monotonic() - began > LIMIT or self.process.poll() is not None:
                raise Failed(f"it does not say {words}:\n{text[-3000:]}")
            time.sleep(0.01)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(LIMIT)


def watched(stand):
    app, port = stand.folder / "app.py", free_port()
    source = (HERE / "app.py").read_text("utf-8")
    app.write_text(source, "utf-8")
    app.chmod(0o755)
    with stand.recording("three", [str(app), str(port)], port):
        for path in PATHS:
            ask(port, "GET", f"/{path}", None, 200, "answer")
    watch = Watch(stand)
    took = []
    try:
        watch.await_("3 tests: 3 passed", "all 3 pass")
        app.write_text(source.replace('"/two": 2', '"/two": 7'), "utf-8")
        text, seconds = watch.await_("app.py changed", "1 of 3 fail", "GET /two")
        took.append(seconds)
        # Still broken, in another way: only what failed is run.
        app.write_text(source.replace('"/two": 2', '"/two": 8'), "utf-8")
        text, seconds = watch.await_("app.py changed", "1 of 3 fail")
        took.append(seconds)
        if text.count("✗ 2") < 1 or "2 tests" in text or "3 tests" in text:
            raise Failed(f"not only what failed was run:\n{text}")
        # As a build does it: beside it, then into its place. What failed is run, then the others.
        new = stand.folder / "app.new"
        new.write_text(source, "utf-8")
        new.chmod(0o755)
        new.rename(app)
        text, seconds = watch.await_("app.py changed", "1 test: 1 passed", "2 tests: 2 passed", "all 3 pass")
        took.append(seconds)
        [test] = (stand.folder / "rehearsal" / "three" / "tests").glob("0003-*")
        recorded = test.read_text("utf-8")
        test.write_text(recorded.replace("answer: 3", "answer: 4"), "utf-8")
        watch.await_(f"{test.name} changed", "1 of 3 fail", "GET /three")
        test.write_text(recorded, "utf-8")
        watch.await_("changed", "all 3 pass")
        app.write_text("#!/bin/sh\nexit 3\n", "utf-8")
        watch.await_("app.py changed", "could not be run")
        app.write_text(source, "utf-8")
        watch.await_("app.py changed", "all 3 pass")
        if (code := watch.end()) != 130:
            raise Failed(f"it ended with exit code {code}, not 130")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(watch.process.pid, signal.SIGKILL)
        watch.process.wait()
    return f"from a change to its verdict {min(took):.2f} to {max(took):.2f} s"


def listed(stand):
    """Tests from a list, and from standard input."""
    [test] = (stand.folder / "rehearsal" / "three" / "tests").glob("0002-*")
    name = f"rehearsal/three/tests/{test.name}\n"
    (stand.folder / "list").write_text(name, "utf-8")
    for list_, text in (("list", None), ("-", name)):
        done = subprocess.run([stand.program, "test", "--tests-from", list_], cwd=stand.folder, check=False, input=text, capture_output=True, text=True, timeout=LIMIT)
        if done.returncode != 0 or "1 test: 1 passed" not in done.stdout:
            raise Failed(f"exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    done = subprocess.run([stand.program, "test", "--tests-from", "-"], cwd=stand.folder, check=False, input="other\n", capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 2 or "find a test that - lists" not in done.stderr:
        raise Failed(f"exit code {done.returncode}:\n{done.stderr}")
    return "from a file, from standard input, none"


def cases(stand, _):
    yield "watch", lambda: watched(stand)
    yield "tests-from", lambda: listed(stand)


if __name__ == "__main__":
    sys.exit(main("watch", __doc__.split("\n\n")[0], Nothing, lambda cache: None, cases))
