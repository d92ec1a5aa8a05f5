"""The apps that are replayed again and again: the five shops, real applications, one that polls, one with seeded faults."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FIXTURES = ROOT / "fixtures" / "target"


def module(name, path):
    """A program of another suite, as a module."""
    said = importlib.util.spec_from_file_location(name, path)
    loaded = importlib.util.module_from_spec(said)
    sys.modules[name] = loaded
    said.loader.exec_module(loaded)
    return loaded


real = module("real_run", HERE.parent / "real" / "run.py")
Failed = real.Failed
STOP_LIMIT = 120  # seconds; what was recorded is replayed twice before the end


class App:
    """An app with its dependency and its requests. `command`, `env`, `dependency` and `requests` are for others to say."""

    requests = ()

    def __init__(self, name, scratch):
        self.name, self.folder = name, scratch / name
        self.folder.mkdir()
        self.port = real.free_port()
        self.env = {}

    def build(self):
        """Makes what there is to run."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return os.environ | self.env

    @contextlib.contextmanager
    def dependency(self):
        yield

    def converse(self):
        for method, path, body, status in self.requests:
            text = None if body is None else json.dumps(body).encode()
            got, _, said = real.ask(self.port, method, path, {"content-type": "application/json"}, text)
            if got != status:
                raise Failed(f"{method} {path}: expected {status}, got {got} {said[:300]}")

    def record(self, program):
        self.build()
        log = self.folder / "record.log"
        with self.dependency():
            command = [program, "record", "--name", self.name, "--", *self.command()]
            with real.running(command, log, cwd=self.folder, env=self.environment()) as process:
                real.wait_until_listening(self, process)
                self.converse()
                process.send_signal(signal.SIGINT)
                code = process.wait(STOP_LIMIT)
            if code != 0:
                raise Failed(f"record ended with exit code {code} (see {log})")

    def verdict(self, run):
        return run.in_words()


def spawned(stack, command, folder):
    """A dependency that prints a line when it is there: that line."""
    process = stack.enter_context(real.running(command, folder / "dependency.log", stdout=subprocess.PIPE))
    if not (said := process.stdout.readline()):
        raise Failed(f"{command[0]} did not start")
    return said


class Shop(App):
    """One of the fixtures, `shop-<language>`."""

    requests = [
        ("GET", "/health", None, 200),
        ("GET", "/products/globe", None, 200),
        ("POST", "/orders", {"sku": "candle", "quantity": 3}, 201),
        ("GET", "/products/unicorn", None, 404),
        ("POST", "/orders", {"sku": "desk", "quantity": 3}, 402),
        ("POST", "/quotes", {"skus": ["apple", "desk", "flute", "item-7"]}, 200),
        ("POST", "/orders", {"sku": "desk", "quantity": 6}, 409),
        ("POST", "/orders", {"sku": "apple", "quantity": 1, "reference": "second"}, 201),
        ("POST", "/quotes", {"skus": ["item-1", "item-2", "item-3", "item-4", "item-5", "item-6"]}, 200),
        ("POST", "/orders", {"sku": "candle"}, 400),
    ]

    def language(self):
        return self.name.removeprefix("shop-")

    def build(self):
        subprocess.run([ROOT / "fixtures" / "build.sh", "services", self.language()], check=True, stdout=subprocess.DEVNULL)

    def command(self):
        check = module("fixtures_check", ROOT / "fixtures" / "check.py")
        return check.commands(FIXTURES)[self.language()]

    @contextlib.contextmanager
    def dependency(self):
        with contextlib.ExitStack() as stack:
            ports = json.loads(spawned(stack, [str(FIXTURES / "services")], self.folder))
            self.env = {"PORT": str(self.port), "BUG": ""}
            for name, port in ports.items():
                self.env[f"{name.upper()}_URL"] = f"http://127.0.0.1:{port}"
            yield


class Real(App):
    """One of the applications of ../real, without the noise that is declared there."""

    def __init__(self, name, scratch):
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rehearsal-real"
        self.case = real.Case(HERE.parent / "real" / name, cache.resolve(), scratch)
        self.name, self.folder, self.port = name, self.case.scratch, self.case.port

    def build(self):
        self.case.install()
        self.case.said.pop("noise", None)
        self.case.write_files()

    def command(self):
        command = self.case.command()
        if self.name != "verdaccio":
            return command
        # Copies of it side by side need a storage each: it is in a folder that the configuration names.
        [shell, option, line] = command
        own = "{}/config-$REHEARSAL_WORKER.yaml".format(self.folder)
        line = line.replace(f"{self.folder}/storage'", f"{self.folder}'/storage-$REHEARSAL_WORKER")
        line = line.replace(f"'{self.folder}/config.yaml'", own)
        return [shell, option, f"sed s:/storage:/storage-$REHEARSAL_WORKER: '{self.folder}/config.yaml' > {own} && {line}"]

    def environment(self):
        return self.case.env()

    def dependency(self):
        return real.upstream(self.case)

    def converse(self):
        real.converse(self.case)

    def verdict(self, run):
        """These two answer from what earlier requests left with them, and are rightly said to."""
        return run.in_words(but=("order-dependent", "unexplained") if self.name in ("proxpi", "verdaccio") else ())


class Polls(App):
    """It asks its dependency for news ten times a second and for the weather now and then, whoever asks it for something."""

    items = range(1, 25)
    pause = 0.2  # seconds, so that much of what is polled is outside of tests

    def command(self):
        return [sys.executable, str(HERE.parent / "deps" / "polls" / "app.py"), str(self.port)]

    def converse(self):
        for number in self.items:
            status, _, said = real.ask(self.port, "GET", f"/items/{number}")
            if status != 200:
                raise Failed(f"/items/{number}: {status} {said[:300]}")
            threading.Event().wait(self.pause)

    @contextlib.contextmanager
    def dependency(self):
        port = real.free_port()
        with contextlib.ExitStack() as stack:
            spawned(stack, [sys.executable, str(HERE.parent / "deps" / "polls" / "dependency.py"), str(port)], self.folder)
            self.env = {"DEPENDENCY": f"http://127.0.0.1:{port}", "WEATHER": "1.7"}
            yield


class Seeded(App):
    """Some of its tests depend on others, race, or fail at random; the others never may be accused. See seeded.go."""

    GUARDED = {4: 2, 9: 7}  # the test that depends, and on which
    SHAKY = {5, 11}
    requests = [
        ("GET", path, None, 200)
        for path in (
            "/a", "/configure/red", "/c", "/guarded/red", "/racy", "/f", "/configure/blue", "/h", "/guarded/blue", "/j",
            "/flaky", "/l", "/m", "/n",
        )
    ]

    def build(self):
        go = real.shutil.which("go")
        if go is None:
            raise Failed("go is not installed: apt-get install golang-go")
        self.program = self.folder / "seeded"
        subprocess.run(
            [go, "build", "-o", self.program, str(HERE / "seeded.go")], check=True, cwd=self.folder,
            env=os.environ | {"CGO_ENABLED": "0", "GO111MODULE": "off"},
        )

    def command(self):
        return [str(self.program), f"127.0.0.1:{self.port}"]

    def record(self, program):
        super().record(program)
        # While it was recorded nothing failed.
        self.env = {"FLAKY": "0.3", "RACY": "1"}

    def verdict(self, run):
        """`green` when nothing was said that is not so."""
        words = []
        for number, outcome in run.outcomes().items():
            if outcome != "passed" and number not in self.SHAKY:
                words.append(f"test {number} {outcome}")
        for number, (cause, depends_on) in run.retried().items():
            if number in self.GUARDED and (cause, depends_on) == ("order-dependent", self.GUARDED[number]):
                continue
            if number in self.SHAKY and cause == "flaky":
                continue
            words.append(f"test {number} called {cause}, on {depends_on}")
        if run.code not in (0, 1) or len(run.outcomes()) != len(self.requests):
            words.append(f"exit code {run.code}, {len(run.outcomes())} tests")
        return ", ".join(words) or "green"


CASES = {
    **{f"shop-{language}": Shop for language in ("go", "node", "python", "java", "rust")},
    **{name: Real for name in ("json_exporter", "proxpi", "verdaccio")},
    "polls": Polls,
    "seeded": Seeded,
}
