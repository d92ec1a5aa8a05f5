#!/usr/bin/env python3
"""Records and replays real applications that nobody here wrote.

    run.py [--plain] [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Each folder beside this file with a case.json is a case: an application from a
package registry with its versions pinned, the HTTP dependency it needs (played
by upstream.py), and the requests to make. For each case this script

  1. installs the application into the cache folder, once;
  2. starts the dependency and `rehearsal record -- APPLICATION`, makes the
     requests, checks the answers, and ends the recording by SIGINT;
  3. stops the dependency and runs `rehearsal test` N times (10); each must exit
     with 0.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). With
--plain it is not needed: the application then runs twice by itself, and the
two runs must give the same answers and make the same calls, which is what a
recording relies on. A missing tool is a failure, never a skipped case.
Exit code 0 when all passed, 1 when one failed.
"""

import argparse
import contextlib
import gzip
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSTALL_LIMIT, START_LIMIT, STOP_LIMIT, TEST_LIMIT = 600, 60, 20, 120  # seconds


class Failed(Exception):
    """Why a case is red, in words for a person."""


class Case:
    """One application: what case.json says, with the placeholders filled in."""

    def __init__(self, folder, cache, scratch):
        self.name, self.folder = folder.name, folder
        self.said = json.loads((folder / "case.json").read_text("utf-8"))
        self.installed, self.scratch = cache / self.name, scratch / self.name
        self.port, self.upstream_port = free_port(), free_port()

    def fill(self, text):
        values = {
            "case": self.folder,
            "installed": self.installed,
            "scratch": self.scratch,
            "port": self.port,
            "upstream": f"http://127.0.0.1:{self.upstream_port}",
        }
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def command(self):
        return [self.fill(word) for word in self.said["start"]]

    def env(self):
        return os.environ | {name: self.fill(value) for name, value in self.said.get("env", {}).items()}

    def install(self):
        """Installs once; whatever is pinned is part of the stamp, so a new pin installs anew."""
        for tool, package in self.said["needs"].items():
            if shutil.which(tool) is None:
                raise Failed(f"{tool} is not installed: apt-get install {package}")
        copied = [self.folder / name for name in self.said.get("copy", [])]
        digest = hashlib.sha256(json.dumps(self.said["install"]).encode())
        for file in copied:
            digest.update(file.read_bytes())
        stamp = self.installed / "installed.stamp"
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        shutil.rmtree(self.installed, ignore_errors=True)
        self.installed.mkdir(parents=True)
        for file in copied:
            shutil.copy(file, self.installed)
        env = os.environ | {name: self.fill(value) for name, value in self.said.get("install_env", {}).items()}
        with open(self.installed / "install.log", "wb") as log:
            for step in self.said["install"]:
                step = [self.fill(word) for word in step]
                done = subprocess.run(
                    step, cwd=self.installed, env=env, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, timeout=INSTALL_LIMIT, check=False,
                )
                if done.returncode != 0:
                    raise Failed(f"failed to install: {' '.join(step)} (see {log.name})")
        stamp.write_text(digest.hexdigest())

    def write_files(self):
        """Configuration files, filled in, in the scratch folder: the project's folder for rehearsal."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        for name in self.said.get("config", []):
            (self.scratch / name).write_text(self.fill((self.folder / name).read_text("utf-8")), "utf-8")
        if noise := self.said.get("noise"):
            # JSON is YAML too.
            (self.scratch / "rehearsal.yaml").write_text(f"noise: {json.dumps(noise)}\n", "utf-8")

    def without_noise(self, headers, text):
        """An answer as two runs of the application must agree on it; noise in a body names a top-level key."""
        noise = set(self.said.get("noise", []))
        headers = [(name, value) for name, value in headers if name != "date" and f"response.headers.{name}" not in noise]
        with contextlib.suppress(ValueError):
            text = json.loads(text)
        if isinstance(text, dict):
            text = {key: value for key, value in text.items() if f"response.body.{key}" not in noise}
        return headers, text


def free_port():
    """A port that nobody has, below those that the system gives to whoever asks for any."""
    while True:
        port = random.randrange(10000, 32000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextlib.contextmanager
def running(command, log, **options):
    """A process in a group of its own; the group is gone when the block ends, however it ends."""
    with open(log, "ab") as output:
        options = {"stdout": output, "stderr": output} | options
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        yield process
    finally:
        for ending in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, ending)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def upstream(case):
    command = [sys.executable, HERE / "upstream.py", case.folder / "upstream.json", str(case.upstream_port)]
    with running(command, case.scratch / "upstream.log", stdout=subprocess.PIPE) as process:
        if not process.stdout.readline():
            raise Failed("the dependency did not start")
        yield


def wait_until_listening(case, process):
    """Connects only: a request would become part of the recording."""
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise Failed(f"the application ended with exit code {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", case.port), 1):
            return
        time.sleep(0.05)
    raise Failed(f"the application did not listen within {START_LIMIT} s")


def ask(port, method, path, headers=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        text = response.read()
        if response.getheader("content-encoding") == "gzip":
            text = gzip.decompress(text)  # The packed form holds the time of packing.
        return response.status, [(name.lower(), value) for name, value in response.getheaders()], text


def converse(case):
    """Makes the case's requests in turn and checks the answers: [(status, headers, body, calls)]."""
    told = []
    ask(case.upstream_port, "GET", "/__seen")
    for request in case.said["requests"]:
        name = f"{request.get('method', 'GET')} {request['path']}"
        body = request.get("body")
        body = None if body is None else case.fill(json.dumps(body)).encode()
        status, headers, text = ask(
            case.port, request.get("method", "GET"), case.fill(request["path"]), request.get("headers"), body
        )
        if status != request.get("status", 200):
            raise Failed(f"{name}: expected {request.get('status', 200)}, got {status} {text[:300]}")
        for part in request.get("contains", []):
            if case.fill(part).encode() not in text:
                raise Failed(f"{name}: {part!r} is not in {text[:300]}")
        calls = json.loads(ask(case.upstream_port, "GET", "/__seen")[2])
        if sorted(calls) != sorted(request.get("calls", [])):
            raise Failed(f"{name}: expected the calls {request.get('calls', [])}, saw {calls}")
        told.append((status, *case.without_noise(headers, text), sorted(calls)))
    return told


def run_plain(case):
    """The application by itself, twice: what a recording relies on."""
    runs = []
    for _ in range(2):
        with upstream(case), running(
            case.command(), case.scratch / "app.log", cwd=case.scratch, env=case.env()
        ) as process:
            wait_until_listening(case, process)
            runs.append(converse(case))
    for request, first, second in zip(case.said["requests"], *runs):
        if first != second:
            raise Failed(f"{request['path']}: two runs differ:\n  {first}\n  {second}")
    return f"{len(runs[0])} requests, twice the same"


def record(case, program):
    command = [program, "record", "--name", case.name, "--no-verify", "--", *case.command()]
    log = case.scratch / "record.log"
    with upstream(case), running(command, log, cwd=case.scratch, env=case.env()) as process:
        wait_until_listening(case, process)
        converse(case)
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            raise Failed(f"record did not end within {STOP_LIMIT} s of SIGINT (see {log})") from None
    if code != 0:
        raise Failed(f"record ended with exit code {code} (see {log})")
    # Whether connecting without a request leaves a trace is not this script's affair.
    tests = len(list((case.scratch / "rehearsal" / case.name / "tests").glob("*.yaml")))
    if tests != len(case.said["requests"]):
        raise Failed(f"{len(case.said['requests'])} requests were made, {tests} tests were recorded (see {log})")


def run_rehearsal(case, program, repeat):
    record(case, program)
    seconds = []
    for number in range(1, repeat + 1):
        log = case.scratch / f"test-{number}.log"
        began = time.monotonic()
        with open(log, "wb") as output:
            process = subprocess.run(
                [program, "test", case.name], cwd=case.scratch, env=case.env(), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, timeout=TEST_LIMIT, check=False,
            )
        seconds.append(time.monotonic() - began)
        if process.returncode != 0:
            tail = log.read_text("utf-8", "replace")[-3000:]
            raise Failed(f"test run {number} of {repeat} ended with exit code {process.returncode}:\n{tail}")
    return f"{len(case.said['requests'])} tests, {repeat} runs green, {min(seconds):.2f} to {max(seconds):.2f} s"


def run(case, options):
    """One case: (passed, what to say)."""
    try:
        began = time.monotonic()
        case.install()
        installed = time.monotonic() - began
        case.write_files()
        if options.plain:
            verdict = run_plain(case)
        else:
            verdict = run_rehearsal(case, options.program, options.repeat)
        return True, f"{verdict}; installed in {installed:.0f} s"
    except Failed as why:
        return False, str(why)
    except (OSError, http.client.HTTPException, subprocess.TimeoutExpired) as error:
        return False, f"{type(error).__name__}: {error}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--plain", action="store_true", help="run the applications without rehearsal")
    parser.add_argument("--repeat", type=int, default=10, help="how many times to replay (10)")
    parser.add_argument("--cache", type=Path, help="where to install (a folder in the user's cache)")
    parser.add_argument("--keep", action="store_true", help="keep recordings and logs also when all passed")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    options.cache = (options.cache or Path(cache) / "rehearsal-real").resolve()
    options.program = shutil.which(os.environ.get("REHEARSAL", "rehearsal"))
    if options.program is None and not options.plain:
        sys.exit("run.py: there is no rehearsal to run; set REHEARSAL to its path, or give --plain")
    options.program = options.program and str(Path(options.program).resolve())
    return options


def main():
    options = arguments()
    folders = {file.parent.name: file.parent for file in sorted(HERE.glob("*/case.json"))}
    if unknown := [name for name in options.cases if name not in folders]:
        sys.exit(f"run.py: there is no case named {unknown[0]}; there are {', '.join(folders)}")
    scratch = Path(tempfile.mkdtemp(prefix="rehearsal-real-"))
    failed = 0
    for name in options.cases or folders:
        case = Case(folders[name], options.cache, scratch)
        passed, verdict = run(case, options)
        failed += not passed
        print(f"{'ok    ' if passed else 'FAILED'}  {name:15} {case.said['language']:7} {verdict}", flush=True)
    total = len(options.cases or folders)
    if failed or options.keep:
        print(f"recordings and logs are in {scratch}")
    else:
        shutil.rmtree(scratch)
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
