#!/usr/bin/env python3
"""Records a shop, changes seven things in it, and reviews its tests back to green.

    run.py [--repeat N] [--keep]

The environment's REHEARSAL is the program's path (`rehearsal` if unset). `--repeat` is heeded for the kills: each is at
another moment. Exit code 0 when all passed, 1 when one failed.
"""

import argparse
import difflib
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

HERE = Path(__file__).resolve().parent
REHEARSAL = os.path.abspath(os.environ["REHEARSAL"]) if "REHEARSAL" in os.environ else "rehearsal"
TESTS, CHANGES, KINDS = 60, 200, 7
LIMIT = 120


class Failed(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


class Supplier(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        length = int(self.headers.get("content-length", 0))
        asked = json.loads(self.rfile.read(length)) if length else {}
        data = json.dumps({"path": self.path, "id": f"ch-{asked.get('order', 0)}"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stand:
    """A project with a recording of the shop, and the commands on it."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.env = os.environ | {"REHEARSAL_KEY_FILE": str(folder / "key"), "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.env.pop("GITHUB_ACTIONS", None)

    def rehearsal(self, *words, code=None, env=None):
        done = subprocess.run(
            [REHEARSAL, *map(str, words)], cwd=self.folder, env=self.env | (env or {}), capture_output=True, text=True, timeout=LIMIT
        )
        if code is not None and done.returncode != code:
            raise Failed(f"rehearsal {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    def record(self):
        suppliers = [ThreadingHTTPServer(("127.0.0.1", 0), Supplier) for _ in range(2)]
        for supplier in suppliers:
            threading.Thread(target=supplier.serve_forever, daemon=True).start()
        for name, supplier in zip(["WAREHOUSE", "PAYMENTS"], suppliers):
            self.env[f"{name}_URL"] = f"http://127.0.0.1:{supplier.server_address[1]}"
        words = ["record", "--name", "shop", "--no-verify", "--", sys.executable, HERE / "shop.py", self.port]
        with subprocess.Popen(
            [REHEARSAL, *map(str, words)], cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as recorder:
            try:
                self.use(recorder)
                recorder.send_signal(signal.SIGINT)
                said, _ = recorder.communicate(timeout=LIMIT)
                expect(recorder.returncode == 0, f"recording failed: {said}")
            finally:
                recorder.kill()
                for supplier in suppliers:
                    supplier.shutdown()
                    supplier.server_close()

    def use(self, recorder):
        deadline = time.monotonic() + LIMIT
        while True:
            expect(recorder.poll() is None and time.monotonic() < deadline, "the shop does not listen")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            select.select([], [], [], 0.05)
        base = f"http://127.0.0.1:{self.port}"
        for number in range(1, 21):
            for path in [f"/products/{number}", f"/orders/{number}"]:
                urlopen(base + path, timeout=LIMIT).read()
            body = json.dumps({"number": number}).encode()
            urlopen(Request(f"{base}/orders", body, {"content-type": "application/json"}), timeout=LIMIT).read()

    def test(self, changed=True, go_on=True, code=1):
        words = ["test", "shop", *(["--go-on"] if go_on else [])]
        return self.rehearsal(*words, code=code, env={"CHANGED": "1" if changed else "0"})

    def review(self):
        return json.loads(self.rehearsal("review", "--json").stdout)

    def files(self):
        return {path.name: path.read_bytes() for path in sorted((self.folder / "rehearsal/shop/tests").iterdir()) if path.suffix == ".yaml"}

    def put(self, files):
        for name, data in files.items():
            (self.folder / "rehearsal/shop/tests" / name).write_bytes(data)

    def last_run(self):
        return max(path.parent for path in (self.folder / "rehearsal/runs").glob("*/events.jsonl"))

    def decided(self):
        file = self.last_run() / "decisions.jsonl"
        return file.read_text().splitlines() if file.exists() else []

    def reset(self, files):
        """As if nothing had been decided of the last run."""
        self.put(files)
        (self.last_run() / "decisions.jsonl").unlink(missing_ok=True)
        shutil.rmtree(self.last_run() / "originals", ignore_errors=True)

    def press(self, keys):
        """Presses keys in a terminal, each when it is asked for; what was said, and the exit code."""
        leader, follower = pty.openpty()
        program = subprocess.Popen([REHEARSAL, "review"], cwd=self.folder, env=self.env | {"TERM": "xterm"}, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        said, asked, deadline = b"", 0, time.monotonic() + LIMIT
        try:
            while True:
                expect(time.monotonic() < deadline, f"the review hangs: {said[-800:]!r}")
                if select.select([leader], [], [], 1)[0]:
                    try:
                        data = os.read(leader, 65536)
                    except OSError:
                        break
                    if not data:
                        break
                    said += data
                while keys and said.count(b"[?]") > asked:
                    asked += 1
                    os.write(leader, keys.pop(0).encode())
            return said.decode(errors="replace"), program.wait(LIMIT)
        finally:
            program.kill()
            program.wait()
            os.close(leader)


def commented(text):
    """What people do to files: comments, blank lines, another spacing."""
    text = text.replace("test: ", "test:   ", 1).replace("\nresponse:\n", "\n\n# What the shop says.\nresponse:\n", 1)
    text = re.sub(r"(  - edge: warehouse)\n", r"  # The warehouse.\n\1   # why\n", text, count=1)
    return "# Mine, kept by hand.\n" + text + "# The end.\n"


def lines(before, after):
    """The lines that went and came."""
    gone, new = [], []
    for line in difflib.unified_diff(before.decode().splitlines(), after.decode().splitlines(), n=0, lineterm=""):
        if line.startswith("-") and not line.startswith("---"):
            gone.append(line[1:])
        if line.startswith("+") and not line.startswith("+++"):
            new.append(line[1:])
    return gone, new


def seven_decisions(stand):
    before = stand.files()
    stand.test()
    review = stand.review()
    places = sum(len(cause["tests"]) for cause in review["causes"])
    kinds = sorted({cause["kind"] for cause in review["causes"]})
    expect(len(before) == TESTS and places >= CHANGES, f"{len(before)} tests, {places} changes")
    expect(len(review["causes"]) == KINDS, f"causes: {[cause['title'] for cause in review['causes']]}")
    expect(not review["held_back"] and not review["others"], "something is held back")
    proposals = sum(cause["proposal"] for cause in review["causes"])
    return f"{places} changes in {len(before)} tests are {len(review['causes'])} causes, {proposals} of structure: {', '.join(kinds)}"


def accepted_by_keys(stand):
    before = stand.files()
    stand.test()
    decisions = len(stand.review()["causes"])
    said, code = stand.press(["a"] * 20)
    expect(code == 0, f"exit code {code}: {said[-1500:]}")
    expect(decisions <= KINDS, f"{decisions} decisions")
    after = stand.files()
    only_what_was_accepted(before, after)
    stand.test(code=0, go_on=False)
    expect(b"ghp_" not in b"".join(after.values()), "a token was written")
    # The way back: each decision, last first.
    for _ in range(decisions):
        stand.rehearsal("review", "--undo", code=0)
    expect(stand.files() == before, "undoing does not give back the same bytes")
    stand.test(changed=False, code=0, go_on=False)
    return f"green by {decisions} keys; {sum(after[name] != before[name] for name in before)} files changed, and changed back"


def only_what_was_accepted(before, after):
    allowed = re.compile(r"total|sum|legacy|currency|api_key|address|customer|status: 20|charges|warehouse|/stock|/rates|headers|body|response|name: Ada")
    for name in before:
        gone, new = lines(before[name], after[name])
        # The lines of a call that moved went and came.
        stay = set(gone) & set(new)
        odd = [line for line in gone + new if line not in stay and not allowed.search(line) and line.strip() and "content-type" not in line]
        expect(not odd, f"{name}: lines that nobody accepted: {odd}")
        for kept in ["# Mine, kept by hand.", "# What the shop says.", "# The end.", "test:   "]:
            expect(kept.encode() in after[name], f"{name} lost {kept!r}")
        expect(len(gone) <= 24 and len(new) <= 24, f"{name}: {len(gone)} lines went, {len(new)} came")


def killed(stand, times):
    """Kills it at many moments: each file is as it was or as it should be, and the next review finishes."""
    before = stand.files()
    stand.test()
    began = time.monotonic()
    stand.rehearsal("review", "--accept", code=0)
    took, wanted = time.monotonic() - began, stand.files()
    stand.reset(before)
    # After each decision a file may be as that one leaves it.
    steps = {name: {data} for name, data in before.items()}
    for cause in stand.review()["causes"]:
        stand.rehearsal("review", "--accept-matching", cause["cause"])
        for name, data in stand.files().items():
            steps[name].add(data)
    stand.reset(before)
    torn = 0
    for attempt in range(times):
        program = subprocess.Popen([REHEARSAL, "review", "--accept"], cwd=stand.folder, env=stand.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            program.wait(took * (attempt + 1) / times)
        except subprocess.TimeoutExpired:
            program.kill()
        program.wait()
        now = stand.files()
        for name, data in now.items():
            expect(data in steps[name], f"killed: {name} is neither as it was nor as it should be")
        torn += len({data == wanted[name] for name, data in now.items()}) == 2
        stand.rehearsal("review", "--accept", code=0)
        expect(stand.files() == wanted, "the next review does not finish what was begun")
        stand.reset(before)
    left = [path.name for path in (stand.folder / "rehearsal/shop/tests").iterdir() if path.suffix == ".new"]
    expect(not left, f"left behind: {left}")
    return f"killed at {times} moments of {took:.2f} s, {torn} times between two files"


def changed_since(stand):
    """A file that somebody changed after the run is refused, with its name; the others are accepted."""
    before = stand.files()
    stand.test()
    name = next(name for name in before if "get-orders-7" in name)
    edited = before[name].replace(b'total: "7.50"', b'total: "8.50"')
    expect(edited != before[name], "there is no total to change")
    stand.put({name: edited})
    done = stand.rehearsal("review", "--accept-matching", "response.body.total", code=1)
    expect("was changed since the run" in done.stdout and name in done.stdout, done.stdout[-2000:])
    expect(stand.files()[name] == edited, "what somebody changed was overwritten")
    stand.rehearsal("review", "--undo", code=0)
    expect(stand.files() == before | {name: edited}, "undone is not as before")
    stand.put(before)
    return f"{name} refused, {len(before) - 1} others as asked"


def ignored_and_rejected(stand):
    before = stand.files()
    stand.test()
    stand.rehearsal("review", "--ignore-matching", "response.status", code=1)
    changed = {name: data for name, data in stand.files().items() if data != before[name]}
    expect(len(changed) == 20, f"{len(changed)} files")
    for name, data in changed.items():
        gone, new = lines(before[name], data)
        expect(not gone and new and all("noise" in line or "response.status" in line for line in new), f"{name}: {gone} {new}")
    said, code = stand.press(["t", "?", "r", "o", "a", "u", "q"])
    expect(code == 1 and "undone: accepted" in said and "rejected in" in said, said[-2500:])
    for _ in stand.decided():
        stand.rehearsal("review", "--undo", code=0)
    expect(stand.files() == before, "undone is not as before")
    expect("nothing was decided" in stand.rehearsal("review", "--undo", code=2).stderr, "there is something to undo")
    return "one ignored in 20 files, one rejected, one by one, undone"


def without_going_on(stand):
    """Without --go-on what follows from a refused call is held back, and two runs are enough."""
    before = stand.files()
    stand.test(go_on=False)
    review = stand.review()
    expect(len(review["held_back"]) == 20, f"{len(review['held_back'])} held back")
    decisions = 0
    for _ in range(3):
        decisions += len([cause for cause in stand.review()["causes"] if not cause["decision"]])
        stand.rehearsal("review", "--accept")
        if stand.rehearsal("test", "shop", env={"CHANGED": "1"}).returncode == 0:
            break
    else:
        raise Failed("still not green after three rounds")
    stand.put(before)
    return f"green by {decisions} decisions in rounds"


def run(arguments, folder):
    stand = Stand(folder)
    stand.record()
    stand.put({name: commented(data.decode()).encode() for name, data in stand.files().items()})
    stand.test(changed=False, code=0, go_on=False)

    cases = [
        ("causes", lambda: seven_decisions(stand)),
        ("accepted and undone", lambda: accepted_by_keys(stand)),
        ("killed", lambda: killed(stand, max(4, arguments.repeat * 2))),
        ("changed since", lambda: changed_since(stand)),
        ("ignored, rejected", lambda: ignored_and_rejected(stand)),
        ("in rounds", lambda: without_going_on(stand)),
    ]
    failed = 0
    original = stand.files()
    for name, case in cases:
        began = time.monotonic()
        try:
            said = case()
            print(f"ok     {name}: {said} ({time.monotonic() - began:.1f} s)", flush=True)
        except (Failed, subprocess.SubprocessError, StopIteration, json.JSONDecodeError) as problem:
            failed += 1
            print(f"FAILED {name}: {problem}", flush=True)
            stand.put(original)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeat", type=int, default=3, help="half of how many times it is killed (3)")
    parser.add_argument("--keep", action="store_true", help="keep the project")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="review-"))
    try:
        return 1 if run(arguments, folder) else 0
    finally:
        if arguments.keep:
            print(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
