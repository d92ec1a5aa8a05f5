"""What the suites of all databases have in common: a server of their own, recording, replaying, reports.

A suite is a `run.py` beside this file's folders: a `Server`, a function that installs drivers, and
one that yields cases; `main` runs them. See `postgres/run.py`. What a protocol says and how a driver
is called is no concern of this file.
"""

import argparse
import contextlib
import fcntl
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

START_LIMIT, STOP_LIMIT, TEST_LIMIT = 60, 20, 180  # seconds
# A test may take longer than it does by default: the machine may be busy with other suites.
PATIENCE = ["--timeout", "60s"]
PORTS, MOST_PORTS = [], 300  # Claims of ports, the oldest first.
LOCKS = []  # Files whose locks are held until this process ends.


# What a shop in another language is asked, and of each defect: the tests that it turns red, and words that must be printed.
FLAVOUR = [
    ("GET", "/orders", None, 200, "pen"),
    ("POST", "/orders/hat/12.30/2024-05-06T10:00:00", None, 200, "3"),
    ("POST", "/orders/2/raise/0.50", None, 200, "20.50"),
]
FLAVOUR_DEFECTS = {
    "missing_commit": ([2], ["COMMIT was not made"]),
    "n_plus_one": ([1], ["SELECT orders · 100 calls, recorded 0: SELECT id, item, amount", "WHERE id = "]),
    "wrong_column": ([2], ["state", "item"]),
    "utc_as_local": ([2], ["deliver", "12:00:00"]),
}


class Failed(Exception):
    """Why a case is red, in words for a person."""


def free_port():
    """A port that nobody has, below those that the system gives to whoever asks for any: one of these could be gone before it is used.

    No other suite that runs at the same time is given it until this one ends, or has asked for many more.
    """
    while True:
        port = random.randrange(10000, 32000)
        # A name that the kernel gives to one process at a time, and takes back when that ends (unix(7), abstract sockets).
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0rehearsal-tests-port-{port}")
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            claim.close()
            continue
        PORTS.append(claim)
        if len(PORTS) > MOST_PORTS:
            PORTS.pop(0).close()
        return port


def find_program(name, package, folders=()):
    """The path of a program, from these folders before PATH; its Debian package is named when it is missing."""
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        raise Failed(f"{name} is not installed: apt-get install {package}")
    return found


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_until(ready, process, what, limit=START_LIMIT):
    """Polls `ready` until it is true; `process` (a Popen) must live until then. `what` ends "… did not start"."""
    until = time.monotonic() + limit
    while True:
        if process.poll() is not None or time.monotonic() > until:
            raise Failed(f"{what} did not start")
        if ready():
            return
        time.sleep(0.05)


class Server:
    """A database server of our own, on a free port of loopback, with its data in `folder`.

    A suite derives from it, and says `command` (what to run), `ready` (whether it answers) and `reset`
    (makes the data that every recording begins with). `env` is given to the apps; none of `secrets` may
    be in a recording. When run by root, the server runs as `account`, if that is named.
    """

    account = None
    stop_signal = signal.SIGTERM
    secrets = ()

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.user, self.env = {}, dict(os.environ)
        folder.mkdir()
        if self.account and os.geteuid() == 0:
            self.user = {"user": self.account, "group": self.account, "extra_groups": []}
            shutil.chown(folder, self.account, self.account)

    def command(self):
        raise NotImplementedError

    def ready(self):
        return listens(self.port)

    def reset(self):
        """Puts back what an app may have changed; nothing where the server keeps nothing."""

    @property
    def log(self):
        return self.folder / "server.log"

    def call(self, *words, limit=START_LIMIT, **options):
        """What a program printed that ran in the server's folder, as its user."""
        options = {"capture_output": True, "stdin": subprocess.DEVNULL} | self.user | options
        if "input" in options:
            del options["stdin"]
        done = subprocess.run([*map(str, words)], check=False, cwd=self.folder, env=self.env, text=True, timeout=limit, **options)
        if done.returncode != 0:
            raise Failed(f"{words[0]} ended with exit code {done.returncode}: {(done.stderr or '')[-1000:]}")
        return done.stdout

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*map(str, self.command())], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.user
            )
        try:
            wait_until(self.ready, self.process, f"the server (see {self.log})")
        except BaseException:
            self.stop()
            raise

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Stand:
    """One run of a suite.

    `server`, `folder` (for recordings and logs; deleted when all passed), `cache` (what `install` has
    filled), `program` (the path of rehearsal), `repeat` (how many times to replay).
    """

    def __init__(self, server, folder, cache, program, repeat):
        self.server, self.folder, self.cache, self.program, self.repeat = server, folder, cache, program, repeat

    @contextlib.contextmanager
    def recording(self, name, command, port, env=None, stop_limit=STOP_LIMIT, options=()):
        """`rehearsal record` of an app that listens on `port`, ended by SIGINT; gives its process. The server must be up.

        For an app that listens elsewhere `port` is a function that says whether it does.

        `env` is the app's whole environment, if it is not the server's; `options` are further ones of `record`.
        """
        log = self.folder / f"record-{name}.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [self.program, "record", "--name", name, "--no-verify", *options, "--", *command], cwd=self.folder, env=env or self.server.env,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )
        try:
            wait_until(port if callable(port) else lambda: listens(port), process, f"the app (see {log})")
            yield process
            process.send_signal(signal.SIGINT)
            if process.wait(stop_limit) != 0:
                raise Failed(f"record ended with exit code {process.returncode} (see {log})")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for line in log.read_text("utf-8", "replace").splitlines():
            if "not recorded" in line:
                raise Failed(f"a connection was not read: {line}")

    def record(self, name, command, requests, env=None):
        """Starts the server afresh, records the requests, stops it. `{port}` in the command is the app's port.

        A request is (method, path, JSON body, XML text or None, expected status, text that its answer has).
        """
        port = free_port()
        command = [str(word).replace("{port}", str(port)) for word in command]
        self.server.start()
        try:
            self.server.reset()
            with self.recording(name, command, port, self.server.env | (env or {})):
                for request in requests:
                    ask(port, *request)
        finally:
            self.server.stop()
        for file in self.files(name):
            if any(secret in file.read_text("utf-8") for secret in self.server.secrets):
                raise Failed(f"a password is in {file}")

    def load(self, name, command, requests):
        """Records a program that puts a load of its own on the server: each request must be answered as it is without us."""
        began = time.monotonic()
        self.record(name, command, requests)
        return f"{len(requests)} runs, no error, nothing unread, {time.monotonic() - began:.1f} s"

    def sysbench(self, python, driver, server):
        """Records sysbench with this driver: no error, and as many transactions as were asked for. `server` has the environment's name for each option."""
        options = [f"--{driver}-{option}=${name}" for option, name in server.items()]
        app = [python, Path(__file__).parent / "load.py", "{port}", find_program("sysbench", "sysbench"), driver, *options]
        done = '"count": {"transactions": 50, "ignored errors": 0, "reconnects": 0}'
        scripts = [("oltp_read_write", "auto"), ("oltp_read_write", "disable"), ("oltp_read_only", "auto")]
        runs = [("GET", f"/{script}/{mode}", None, 200, done) for script, mode in scripts]
        return self.load(f"sysbench-{driver}", app, [("GET", "/oltp_read_write/prepare", None, 200, '{"code": 0'), *runs])

    def files(self, name):
        """The files of a recording that people read."""
        return sorted((self.folder / "rehearsal" / name).rglob("*.yaml"))

    def tables(self, name):
        """What a recording says of the schema of its databases: texts such as `orders.id int4`."""
        told, path = [], {}
        for line in (self.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8").splitlines():
            key, _, value = line.strip().partition(": ")
            path = {depth: word for depth, word in path.items() if depth < len(line) - len(line.lstrip())}
            path[len(line) - len(line.lstrip())] = key.rstrip(":")
            if path.get(4) == "tables" and 8 in path:
                told.append(f"{path[6]}.{path[8]} {value}")
        return told

    def schema(self, name, expected):
        """Raises unless a recording says of the schema what is expected."""
        if (told := self.tables(name)) != expected:
            raise Failed(f"recording.yaml says of the schema {told}, not {expected}")
        return f"{len(told)} columns of {len({text.split(' ')[0].rsplit('.', 1)[0] for text in told})} tables are in recording.yaml"

    def test(self, name, log, env=None, options=(), copies=1):
        """One replay, in recorded order on one copy of the app unless told, with these options: (exit code, what was printed, seconds).

        Side by side, tests of one connection that lasts fail first and are tried again, which takes a minute.
        """
        began = time.monotonic()
        with open(self.folder / log, "w+", encoding="utf-8") as output:
            process = subprocess.Popen(
                [self.program, "test", name, "-j", str(copies), "--color", "never", *PATIENCE, *options], cwd=self.folder, env=self.server.env | (env or {}),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )
            try:
                code = process.wait(TEST_LIMIT)
            except subprocess.TimeoutExpired:
                raise Failed(f"rehearsal test did not end within {TEST_LIMIT} s (see {self.folder / log})") from None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return code, (self.folder / log).read_text("utf-8", "replace"), time.monotonic() - began

    def moved(self, name, change, expected):
        """Runs a recording's tests with the database let through: as it was, then after `change`, which is a function.

        Both must be green. The first may say nothing of the schema, the second must tell of it in the words
        `expected`, to people and as an event.
        """
        manifest = (self.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
        [edge] = re.findall(r"^  (\S+):\n(?:    .*\n)*?    tables:", manifest.partition("\nedges:\n")[2], re.M)
        said = []
        self.server.start()
        try:
            for act in (lambda: None, change):
                self.server.reset()
                act()
                code, printed, _ = self.test(name, f"moved-{name}-{len(said)}.log", options=["--real", edge, "--format", "human", "--format", "json", "--output", "events.json"])
                if code != 0:
                    raise Failed(f"with the database let through it ended with exit code {code}:\n{printed[-3000:]}")
                events = [json.loads(line) for line in (self.folder / "events.json").read_text("utf-8").splitlines()]
                said.append((printed, [event for event in events if event["event"] == "schema-moved"]))
        finally:
            self.server.stop()
        (before, no_events), (after, events) = said
        if "the schema is not" in before or no_events:
            raise Failed(f"a schema that has not moved is told of:\n{before[-2000:]}")
        if missing := [words for words in expected if words not in after]:
            raise Failed(f"it does not say {missing}:\n{after[-3000:]}")
        if [event["edge"] for event in events] != [edge] or len(events[0]["columns"]) != len(expected):
            raise Failed(f"the events are {events}")
        return f"told of {len(expected)} columns, and of none before"

    def app(self, name, command, requests, env=None, variants=()):
        """Records an app, and replays it `repeat` times with the server stopped, and once with each variant of the environment."""
        self.record(name, command, requests, env)
        seconds = []
        for number in range(self.repeat):
            code, printed, took = self.test(name, f"test-{name}-{number + 1}.log", env)
            seconds.append(took)
            if code != 0:
                raise Failed(f"run {number + 1} of {self.repeat} ended with exit code {code}:\n{printed[-3000:]}")
        for variant in variants:
            words = "-".join(f"{key}={value}" for key, value in variant.items())
            code, printed, _ = self.test(name, f"test-{name}-{words}.log", (env or {}) | variant)
            if code != 0:
                raise Failed(f"with {words} it ended with exit code {code}:\n{printed[-3000:]}")
        return f"{len(requests)} tests, {self.repeat} runs green, {min(seconds):.2f} to {max(seconds):.2f} s"

    def defect(self, name, bug, red, words, options=()):
        """A replay of an app with the defect `BUG=bug`: exactly the tests of these numbers must be red, and all the words printed."""
        code, printed, _ = self.test(name, f"defect-{bug}.log", {"BUG": bug}, options)
        if code != 1:
            raise Failed(f"ended with exit code {code}, not 1:\n{printed[-2000:]}")
        if (found := {int(number) for number in re.findall(r"✗ (\d+) ·", printed)}) != set(red):
            raise Failed(f"the tests {sorted(found)} are red, not {sorted(red)}:\n{printed[-3000:]}")
        if missing := [word for word in words if word not in printed]:
            raise Failed(f"is red but does not say {missing}:\n{printed[-3000:]}")
        return f"red: {', '.join(map(str, sorted(red)))}, and named"

    def edited(self, name, before, after, words):
        """A value of a recording edited to one of a wrong type: `rehearsal test` must refuse it with its file, its line and the words.

        The line is that of `before`, which must stand once in the files of the tests.
        """
        [(file, text)] = [(file, text) for file in self.files(name) if before in (text := file.read_text("utf-8"))]
        line = text[: text.index(before)].count("\n") + 1
        file.write_text(text.replace(before, after, 1), "utf-8")
        try:
            code, printed, _ = self.test(name, f"edited-{name}.log")
        finally:
            file.write_text(text, "utf-8")
        if code != 2 or any(word not in printed for word in [file.name, f"line {line}", *words]):
            raise Failed(f"exit code {code}, and not {file.name}, line {line} and {words}:\n{printed[-2000:]}")
        return f"refused: {file.name}, line {line}"

    def served(self, name, before, after, red, words):
        """A value of a recording edited to another one of its type must be what the app gets: these tests are red, in these words."""
        [(file, text)] = [(file, text) for file in self.files(name) if before in (text := file.read_text("utf-8"))]
        file.write_text(text.replace(before, after, 1), "utf-8")
        try:
            code, printed, _ = self.test(name, f"served-{name}.log")
        finally:
            file.write_text(text, "utf-8")
        found = {int(number) for number in re.findall(r"✗ (\d+) ·", printed)}
        if code != 1 or found != set(red) or any(word not in printed for word in words):
            raise Failed(f"exit code {code}, red {sorted(found)}, and not {red} with {words}:\n{printed[-2000:]}")
        return "served as edited"

    def same(self, name, command, requests, env=None):
        """Records an app twice: its tests and mocks must be equal but for when it was, and on which port."""
        self.record(name, command, requests, env)
        self.record(f"{name}-again", command, requests, env)
        told = []
        for folder in (name, f"{name}-again"):
            files = [file for file in self.files(folder) if file.name != "recording.yaml"]
            told.append({file.name: re.sub(r"^at: .*|^ *Date: .*|127\.0\.0\.1:\d+", "", file.read_text("utf-8"), flags=re.M) for file in files})
        if told[0] != told[1]:
            raise Failed(f"{[file for file in sorted({*told[0], *told[1]}) if told[0].get(file) != told[1].get(file)]} differ")
        return f"{len(told[0])} files are the same"

    def flavour(self, language, command, update):
        """The cases of a shop that is written in another language: recorded and replayed, then with each defect.

        It answers GET /orders, POST /orders/ITEM/AMOUNT/MOMENT, POST /orders/ID/raise/AMOUNT. `update` is a part of the
        statement that raises.
        """
        name = f"shop-{language}"
        yield name, lambda: self.app(name, command, FLAVOUR)
        for bug, (red, words) in (FLAVOUR_DEFECTS | {"lost_update": ([3], [update, "UPDATE orders was not made"])}).items():
            yield f"{name} {bug}", lambda bug=bug, red=red, words=words: self.defect(name, bug, red, words)

    def late(self, command, gives_up, commits, name="late"):
        """The cases of an app that answers before it ends its transaction: that belongs to the test which opened it.

        It is `late.py` of a suite. `gives_up` and `commits` are what a recording has of the ends of a transaction.
        """
        requests = [("GET", path, None, 200, "") for path in ("/late", "/ended") * 2]

        def recorded():
            said = self.app(name, command, requests)
            tests = [file.read_text("utf-8") for file in self.files(name) if file.parent.name == "tests"]
            if [text.count(gives_up) for text in tests] != [1] * 4:
                raise Failed(f"not each test has one {gives_up}:\n{tests}")
            return said

        yield name, recorded
        yield f"{name} later", lambda: self.defect(name, "later", [1, 3], [f"{gives_up} was not made"])
        yield f"{name} committed", lambda: self.defect(name, "committed", [1, 3], [f'expected "{gives_up}"', f'got "{commits}"'])

    def isolated(self, name, connection):
        """A replay while the server is up: its log may have no new line with the text `connection`."""
        self.server.start()
        try:
            before = self.server.log.read_text("utf-8", "replace").count(connection)
            code, printed, _ = self.test(name, f"test-{name}-isolated.log")
            after = self.server.log.read_text("utf-8", "replace").count(connection)
        finally:
            self.server.stop()
        if code != 0 or not before or before != after:
            raise Failed(f"exit code {code}, {before} connections before and {after} after:\n{printed[-2000:]}")
        return "the server was up and saw no connection"


def ask(port, method, path, body, status, part, limit=60):
    """Sends a request, and raises unless the answer has this status and this text. A body that is text is XML."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit)
    kind = "text/xml" if isinstance(body, str) else "application/json"
    with contextlib.closing(connection):
        content = body if body is None or isinstance(body, str) else json.dumps(body)
        connection.request(method, path, content, {"content-type": kind})
        response = connection.getresponse()
        text = response.read().decode()
    if response.status != status or part not in text:
        raise Failed(f"{method} {path}: expected {status} with {part!r}, got {response.status} {text[:300]}")


def install_once(cache, wanted, tools, fill):
    """Calls `fill` with an empty cache folder, unless that has been done for the same `wanted` (texts).

    `tools` are pairs of a program and its Debian package, without which there is no use in beginning. The folder
    stays as it is until this process ends: another run that wants the same uses it too, and one that wants
    something else waits.
    """
    stamp, wanted = cache / "installed.stamp", "\n".join(wanted)
    cache.parent.mkdir(parents=True, exist_ok=True)
    lock = open(cache.parent / f"{cache.name}.lock", "w")
    LOCKS.append(lock)
    while True:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if stamp.exists() and stamp.read_text("utf-8") == wanted:
            return
        for tool, package in tools:
            find_program(tool, package)
        fcntl.flock(lock, fcntl.LOCK_EX)
        # While this one waited, another may have done it.
        if not stamp.exists() or stamp.read_text("utf-8") != wanted:
            shutil.rmtree(cache, ignore_errors=True)
            cache.mkdir()
            fill(cache)
            stamp.write_text(wanted, "utf-8")


def install_python(folder, packages):
    """A Python with these packages; returns the path of its program."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run_tool([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], folder)
    return str(python)


def install_rust(caches):
    """The program that has Rust's drivers of all databases, built once for all suites into a folder beside theirs."""
    project = Path(__file__).resolve().parent / "rust"
    sources = sorted([*project.glob("Cargo.*"), *project.glob("src/*.rs")])

    def fill(cache):
        # What the compiler made stays when a source changes.
        target = cache.with_name("rust-target")
        run_tool(["cargo", "build", "--quiet", "--locked", "--target-dir", target], project)
        shutil.copy(target / "debug" / "corpus", cache / "corpus")

    install_once(caches / "rust", [source.read_text("utf-8") for source in sources], [("cargo", "cargo")], fill)
    return caches / "rust" / "corpus"


def run_tool(command, folder):
    """Runs a build tool; what it prints is shown."""
    subprocess.run([*map(str, command)], check=True, cwd=folder, stdin=subprocess.DEVNULL)


def main(name, about, server, install, cases):
    """Runs a suite, and returns the exit code: 0 when all passed, 1 when one failed.

    `server` makes a Server from its folder, `install` fills the cache folder that it is given and returns
    tools, and `cases` gives pairs of a name and a function from the stand and the tools; a function returns
    a few words about what it saw, or raises Failed.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--repeat", type=int, default=10, help="how many times to replay (10)")
    parser.add_argument("--cache", type=Path, help="where to install (a folder in the user's cache)")
    parser.add_argument("--keep", action="store_true", help="keep recordings and logs also when all passed")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    program = shutil.which(os.environ.get("REHEARSAL", "rehearsal"))
    if program is None:
        sys.exit("there is no rehearsal to run; set REHEARSAL to its path")
    cache = options.cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rehearsal-databases" / name
    try:
        tools = install(cache.resolve())
    except (Failed, subprocess.CalledProcessError) as why:
        sys.exit(f"{name}: {why}")
    folder = Path(tempfile.mkdtemp(prefix=f"rehearsal-{name}-"))
    folder.chmod(0o755)
    passed, failed, ours = 0, 0, None
    try:
        ours = server(folder / "server")
        stand = Stand(ours, folder, cache.resolve(), str(Path(program).resolve()), options.repeat)
        for case, act in cases(stand, tools):
            if options.cases and case not in options.cases:
                continue
            try:
                verdict = act()
                passed += 1
                print(f"ok      {case:20} {verdict}", flush=True)
            except (Failed, OSError, http.client.HTTPException, subprocess.TimeoutExpired) as why:
                failed += 1
                print(f"FAILED  {case:20} {why}", flush=True)
    except Failed as why:
        failed += 1
        print(f"FAILED  {why}", flush=True)
    finally:
        if ours is not None:
            ours.stop()
    if failed or options.keep:
        print(f"recordings and logs are in {folder}")
    else:
        shutil.rmtree(folder)
    print(f"{name}: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
