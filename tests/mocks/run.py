#!/usr/bin/env python3
"""Records what the tests of other runners ask of real services, and plays it with the services stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Starts Redis and a payment service on free ports. For each runner (pytest, go test, npm test, cargo test, mvn test):
`rehearsal mock record`, the services are stopped, `rehearsal mock replay`; each test must see what it saw. Then misses,
exit codes, parts of a suite and what is added.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Drivers are installed into the cache folder.
Exit code 0 when all passed, 1 when one failed.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, find_program, free_port, install_once, install_python, listens, main, run_tool, wait_until  # noqa: E402

PACKAGES = ["pytest==8.*", "requests==2.*", "redis==7.*"]
LIMIT = 300  # seconds; a compiler may have to run on a busy machine


class Services(Server):
    """Redis, and a payment service beside it."""

    secrets = ("s3cret-word",)

    def __init__(self, folder):
        super().__init__(folder)
        self.payments, self.payments_port = None, free_port()
        self.env |= {"REDIS_URL": f"redis://:{self.secrets[0]}@127.0.0.1:{self.port}", "PAYMENTS": f"http://127.0.0.1:{self.payments_port}"}

    def command(self):
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "requirepass": self.secrets[0]}
        return [find_program("redis-server", "redis-server"), *(word for name, value in options.items() for word in (f"--{name}", str(value)))]

    def start(self):
        super().start()
        with open(self.log, "ab") as log:
            self.payments = subprocess.Popen([sys.executable, HERE / "services.py", str(self.payments_port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: listens(self.payments_port), self.payments, "the payment service")

    def stop(self):
        super().stop()
        if self.payments is not None:
            self.payments.kill()
            self.payments.wait()
            self.payments = None


class Runner:
    """`rehearsal mock` around one runner; `seen` is what its tests saw in the last run."""

    def __init__(self, stand, name, command, folder):
        self.stand, self.name, self.command, self.folder = stand, name, [str(word) for word in command], folder
        self.seen = []

    def run(self, action, options=(), command=None, env=None):
        """The exit code and what was printed."""
        file = self.stand.folder / f"seen-{self.name}"
        file.unlink(missing_ok=True)
        words = [self.stand.program, "-C", self.folder, "mock", action, *options]
        words += ["--", *map(str, command or self.command)]
        log = self.stand.folder / f"{action}-{self.name}.log"
        with open(log, "w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [*map(str, words)], cwd=self.folder, env=self.stand.server.env | {"SEEN": str(file)} | (env or {}),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )
            try:
                code = process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                raise Failed(f"mock {action} did not end within {LIMIT} s (see {log})") from None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        self.seen = sorted(json.loads(line) for line in lines)
        return code, log.read_text("utf-8", "replace")

    def record(self, env=None):
        self.stand.server.start()
        try:
            code, printed = self.run("record", ["--name", self.name, "--replace"], env=env)
        finally:
            self.stand.server.stop()
        if code != 0 or not self.seen:
            raise Failed(f"record: exit code {code}, seen {self.seen}:\n{printed[-3000:]}")
        for file in (self.folder / "rehearsal" / self.name).rglob("*.yaml"):
            if any(secret in file.read_text("utf-8") for secret in self.stand.server.secrets):
                raise Failed(f"a password is in {file}")
        return self.seen

    def replay(self, code=0, says=(), **how):
        options = [self.name, *how.pop("options", ())]
        ended, printed = self.run("replay", options, **how)
        if ended != code or any(words not in printed for words in says):
            raise Failed(f"replay: exit code {ended}, not {code} with {says}:\n{printed[-3000:]}")
        return self.seen


def same(runner, most=1):
    """Records, and replays with the services stopped: each test sees what it saw. Compilers take long, so most runners run once."""
    recorded = runner.record()
    times = min(most, runner.stand.repeat)
    for _ in range(times):
        if (seen := runner.replay(says=["every call was answered"])) != recorded:
            raise Failed(f"the tests saw {seen}, not {recorded}")
    return f"{len(recorded)} tests saw the same, {times} times"


def expect(seen, expected):
    if seen != expected:
        raise Failed(f"the tests saw {seen}, not {expected}")


def part(runner):
    """One test alone, and two in another order, see what they saw in the whole."""
    recorded = runner.record()
    second = [pair for pair in recorded if pair[0] == "second"]
    expect(runner.replay(command=[*runner.command, "-k", "second_rates"]), second)
    backwards = [f"test_shop.py::test_{name}" for name in ("charge", "second_rates", "first_rates")]
    expect(runner.replay(command=[*runner.command[:-1], *backwards]), [pair for pair in recorded if pair[0] in ("charge", "first", "second")])
    text = (runner.folder / "rehearsal" / runner.name / "ambient.yaml").read_text("utf-8")
    for name in ("test_shop.py::test_first_rates", "test_shop.py::test_cart", "the child"):
        if not any(line.strip() == f"of-test: {name}" for line in text.replace('"', "").splitlines()):
            raise Failed(f"no mock is of {name}:\n{text[:2000]}")
    return "alone, and in another order"


def missed(runner):
    """A call that is not recorded fails, and is shown with the mock that comes nearest."""
    says = ["Missed a call of test_shop.py::test_charge", "POST /charges", "19.90", "21.50", "1 call that no mock"]
    runner.replay(1, says, env={"AMOUNT": "21.50"})
    runner.replay(1, says, env={"AMOUNT": "21.50", "FORGIVING": "yes"})
    return "red also when the runner is green"


def exits(runner):
    """The runner's exit code is ours."""
    for code in (0, 1, 7, 200):
        runner.replay(code, command=["sh", "-c", f"exit {code}"])
    runner.replay(143, command=["sh", "-c", "kill -TERM $$"])
    ended, printed = runner.run("replay", ["nothing"])
    if ended != 2 or "nothing" not in printed:
        raise Failed(f"exit code {ended}:\n{printed}")
    return "0, 1, 7, 200, a signal, an unknown recording"


def beyond(runner):
    """--on-miss real asks the real services, record keeps what they said."""
    server = runner.stand.server
    recorded = runner.record()
    extra = {"AMOUNT": "33.00"}
    server.start()
    try:
        runner.replay(0, ["answered by the real dependency"], options=["--on-miss", "real"], env=extra)
        other = free_port()
        new = extra | {"NEW": f"http://127.0.0.1:{other}/rate"}
        stranger = subprocess.Popen([sys.executable, HERE / "services.py", str(other)], stdin=subprocess.DEVNULL)
        try:
            wait_until(lambda: listens(other), stranger, "the second service")
            runner.replay(1, ["test_shop.py::test_new", "does not know"], env={"NEW": new["NEW"]})
            seen = runner.replay(0, ["2 mocks added"], options=["--on-miss", "record"], env=new)
        finally:
            stranger.kill()
            stranger.wait()
    finally:
        server.stop()
    expect(runner.replay(0, ["every call was answered"], env=new), seen)
    expect(runner.replay(0, ["every call was answered"]), recorded)
    return "answered, kept, played"


def unnamed(runner):
    """Tests that do not name themselves are answered in recorded order."""
    recorded = runner.record(env={"UNNAMED": "yes"})
    expect(runner.replay(says=["every call was answered"], env={"UNNAMED": "yes"}), recorded)
    return "in recorded order"


def install(cache):
    python = cache / "python"

    def fill(folder):
        install_python(folder / "python", PACKAGES)
        shutil.copytree(HERE / "java", folder / "java")
        # A test that calls nobody, so that all that running tests takes is there afterwards.
        run_tool(["mvn", "--quiet", "test", "-Dtest=ShopTest#aServerOfItsOwn", f"-Dmaven.repo.local={folder / 'm2'}"], folder / "java")

    tools = [("redis-server", "redis-server"), ("go", "golang"), ("node", "nodejs"), ("npm", "npm"), ("mvn", "maven"), ("cargo", "cargo")]
    install_once(cache, [*PACKAGES, *(file.read_text("utf-8") for file in sorted((HERE / "java").rglob("*.*")) if file.is_file())], tools, fill)
    return python / "bin" / "python"


def cases(stand, python):
    def runner(name, command, source):
        folder = stand.folder / name
        if not folder.exists():
            shutil.copytree(HERE / source, folder)
        return Runner(stand, name, command, folder)

    tests = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shop.py"]
    maven = ["mvn", "--quiet", "--offline", f"-Dmaven.repo.local={stand.cache / 'm2'}", "test"]
    pytest = runner("pytest", tests, "python")
    yield "pytest", lambda: same(pytest, 10)
    yield "pytest part", lambda: part(pytest)
    yield "pytest missed", lambda: missed(pytest)
    yield "exit codes", lambda: exits(pytest)
    yield "pytest unnamed", lambda: unnamed(pytest)
    yield "pytest on-miss", lambda: beyond(pytest)
    yield "go test", lambda: same(runner("go", ["go", "test", "-count=1", "./..."], "go"))
    yield "npm test", lambda: same(runner("npm", ["npm", "test", "--silent"], "node"))
    yield "cargo test", lambda: same(runner("cargo", ["cargo", "test", "--quiet", "--offline"], "rust"))
    yield "mvn test", lambda: same(runner("mvn", maven, "java"))


if __name__ == "__main__":
    sys.exit(main("mocks", __doc__.split("\n\n")[0], Services, install, cases))
