#!/usr/bin/env python3
"""Records a part of the traffic, goes on in another recording when one is full, finds tests that cover the same, selects those that cover most, and replays one test
of many without reading the others.

    run.py [--repeat N] [--keep] [CASE ...]

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Exit code 0 when all passed, 1 when one failed.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, ask, free_port, main  # noqa: E402

LIMIT = 120  # seconds
REQUESTS = [("/items/1", 200), ("/items/2", 200), ("/items/3", 200), ("/items/91", 404), ("/others/4", 200), ("/items/92", 404), ("/others/5", 200), ("/items/6", 200)]


class Nothing(Server):
    """The app needs nobody."""

    def start(self):
        self.process = None


def recorded(stand, name, options=(), requests=REQUESTS):
    """The numbers of the tests that are kept."""
    port = free_port()
    with stand.recording(name, [sys.executable, str(HERE / "app.py"), str(port)], port, options=options):
        for path, status in requests:
            ask(port, "GET", path, None, status, "{")
    return numbers(stand, name)


def numbers(stand, name):
    return sorted(int(file.name[:4]) for file in (stand.folder / "rehearsal" / name / "tests").iterdir())


def run(stand, *words, code=0, text=None):
    done = subprocess.run([stand.program, *words], cwd=stand.folder, check=False, input=text, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != code:
        raise Failed(f"{words}: exit code {done.returncode}, not {code}:\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def expect(found, expected):
    if found != expected:
        raise Failed(f"{found} is not {expected}")


def green(stand, name, count):
    out, _ = run(stand, "test", name)
    if f"{count} passed" not in out:
        raise Failed(out)


def bytes_read(stand, *words):
    """How much a command and what it starts read, from files and from connections."""
    with open(stand.folder / "said.txt", "w+b") as said:
        process = subprocess.Popen([stand.program, *words], cwd=stand.folder, stdout=said, stderr=said)
        # It is not taken from the process table yet, so that it can be looked at.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        counts = dict(line.split(": ") for line in open(f"/proc/{process.pid}/io").read().splitlines())
        if process.wait():
            said.seek(0)
            raise Failed(said.read().decode())
    return int(counts["rchar"])


def filtered(stand):
    def long(numbers):
        return [(f"/long/{number}", 200) for number in numbers]

    recorded(stand, "few", requests=long(range(2)))
    recorded(stand, "many", requests=long(range(300)))
    folder = stand.folder / "rehearsal" / "many"
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    run(stand, "test", "many", "--test", "151")
    # As long as the files are new, their content is looked at.
    deadline = time.monotonic() + 60
    while True:
        few, many = (bytes_read(stand, "test", name, "--test", "2") for name in ("few", "many"))
        if many - few < size / 20:
            return f"{many - few} bytes more than of two tests, of {size}"
        if time.monotonic() > deadline:
            raise Failed(f"to replay one test of 300, {many - few} of {size} bytes are read")


def rotated(stand):
    requests = [(f"/long/{number}", 200) for number in range(40)]
    size = len("item 39 " * 2000)
    recorded(stand, "turn", ["--rotate", f"{10 * size}B"], requests)
    folders = sorted((stand.folder / "rehearsal").glob("turn*"), key=lambda folder: (len(folder.name), folder.name))
    names = [folder.name for folder in folders]
    expect(names, ["turn", *(f"turn-{part}" for part in range(2, len(names) + 1))])
    if not 3 <= len(names) <= 5:
        raise Failed(f"40 tests of {size} bytes are in {names}")
    parts = [numbers(stand, name) for name in names]
    expect([number for part in parts for number in part], list(range(1, 41)))
    for name, part in zip(names, parts):
        green(stand, name, len(part))
    # Each says how long its own answers took.
    manifests = [(stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8") for name in names]
    expect([f"calls: {len(part)}\n" in manifest.partition("latency:")[2] for manifest, part in zip(manifests, parts)], [True] * len(names))
    # What is there is left alone, and a size has to be one.
    recorded(stand, "turn-7", requests=requests[:1])
    recorded(stand, "turn", ["--append", "--rotate", "1B"], requests[:1])
    expect(numbers(stand, "turn-7"), [1])
    for bad in ("0MB", "ten", "-1"):
        run(stand, "record", "--rotate", bad, "--", "true", code=2)
    return f"{len(names)} parts, each replayed alone"


def sampled(stand):
    expect(recorded(stand, "quarter", ["--sample", "25%"]), [1, 5])
    green(stand, "quarter", 2)
    expect(recorded(stand, "kinds", ["--unique-by", "route+status+shape"]), [1, 4, 5])
    green(stand, "kinds", 3)
    for bad in (["--sample", "0%"], ["--sample", "2"], ["--unique-by", "colour"]):
        run(stand, "record", *bad, "--", "true", code=2)
    return "a quarter, one of each kind, bad values refused"


def deduped(stand):
    expect(recorded(stand, "all"), [1, 2, 3, 4, 5, 6, 7, 8])
    out, _ = run(stand, "dedup", "all")
    for words in ("all 1 · GET /items/1 covers 2, 3, 8", "all 4 · GET /items/91 covers 6", "3 of 8 tests: 5 tests could go"):
        if words not in out:
            raise Failed(f"it does not say {words!r}:\n{out}")
    expect(len(numbers(stand, "all")), 8)
    run(stand, "dedup", "all", "--by", "status", "--apply")
    expect(numbers(stand, "all"), [1, 4])
    green(stand, "all", 2)
    out, _ = run(stand, "dedup", "all")
    if "2 of 2 tests: nothing to remove" not in out:
        raise Failed(out)
    return "told, then removed"


def selected(stand):
    recorded(stand, "most")
    out, told = run(stand, "select", "most", "--budget", "60s")
    expect(sorted(int(line.rpartition("/")[2][:4]) for line in out.splitlines()), [1, 4, 5])
    if "3 of 8 tests cover 5 of 5 operations and variants" not in told:
        raise Failed(told)
    passed, _ = run(stand, "test", "--tests-from", "-", text=out)
    if "3 tests: 3 passed" not in passed:
        raise Failed(passed)
    run(stand, "select", "--budget", "soon", code=2)
    # What fails is worth its time though another test covers the same.
    [file] = (stand.folder / "rehearsal" / "most" / "tests").glob("0003-*")
    text = file.read_text("utf-8")
    file.write_text(text.replace("item 3", "item 33"), "utf-8")
    run(stand, "test", "most", code=1)
    out, _ = run(stand, "select", "most", "--budget", "60s")
    if file.name not in out:
        raise Failed(f"the test that fails is not selected:\n{out}")
    return "what covers most, and what failed"


def cases(stand, _):
    yield "sample", lambda: sampled(stand)
    yield "dedup", lambda: deduped(stand)
    yield "select", lambda: selected(stand)
    yield "rotate", lambda: rotated(stand)
    yield "filter", lambda: filtered(stand)


if __name__ == "__main__":
    sys.exit(main("scale", __doc__.split("\n\n")[0], Nothing, lambda cache: None, cases))
