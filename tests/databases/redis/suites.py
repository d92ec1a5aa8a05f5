#!/usr/bin/env python3
"""Runs redis-py's own tests directly and through `rehearsal record`: it must not matter to them.

    suites.py [--cache FOLDER] [--keep] [SUITE ...]

The tests are those in the source distribution of redis-py that need one server of their own; they are downloaded
into the cache folder and never changed. Each suite runs twice on a fresh server: directly, then while it is recorded.
What failed directly must be what `suites/NAME.txt` lists (with ACCEPT=1 in the environment it is written), and what
failed while it was recorded must be the same. A test whose outcome varies is listed with `  varies: ` and why behind it.

The environment's REHEARSAL is the program's path. Exit code 0 when all were equal, 1 when one was not.
"""

import os
import re
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree

from run import HERE, Redis

from stand import Failed, ask, free_port, install_once, install_python, main, run_tool

LIMIT = 900  # seconds
VERSION = "7.4.1"
PACKAGES = [f"redis=={VERSION}", "pytest==9.*", "pytest-asyncio==1.*", "pytest-timeout==2.*", "mock", "numpy", "pybreaker", "xxhash", "opentelemetry-api", "opentelemetry-sdk"]
COMMANDS = ["test_commands", "test_asyncio/test_commands"]
TALK = ["test_pipeline", "test_pubsub", "test_scripting", "test_encoding", "test_lock", "test_monitor", "test_cache", "test_function", "test_client"]
SUITES = {"commands-2": ("2", COMMANDS), "commands-3": ("3", COMMANDS), "talk-2": ("2", TALK), "talk-3": ("3", TALK)}


class Open(Redis):
    """Without a password, which these tests do not expect, and fresh for each run."""

    secrets = ()

    def reset(self):
        self.stop()
        self.start()


def installed(cache):
    """A Python with redis-py, and the folder of its tests."""
    install_once(cache, PACKAGES, [("redis-server", "redis-server")], fill)
    return str(cache / "python" / "bin" / "python"), cache / f"redis-{VERSION}"


def fill(cache):
    python = install_python(cache / "python", PACKAGES)
    run_tool([python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "redis", f"redis=={VERSION}", "-d", cache / "sdist"], cache)
    with tarfile.open(next((cache / "sdist").glob("redis-*.tar.gz"))) as archive:
        archive.extractall(cache, filter="data")


def run(stand, tools, name, way):
    """What came of each test on a fresh server, directly or recorded."""
    (python, folder), (version, modules) = tools, SUITES[name]
    stand.server.reset()
    report, log = (stand.folder / f"{name}-{way}.{kind}" for kind in ("xml", "log"))
    command = [
        python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "60", f"--junit-xml={report}", "--protocol", version,
        f"--redis-url=redis://127.0.0.1:{stand.server.port}/9", "-m", "not redismod and not onlycluster and not ssl and not cp_integration",
        *(f"tests/{module}.py" for module in modules),
    ]
    began = time.monotonic()
    if way == "direct":
        with open(log, "wb") as output:
            subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=LIMIT, check=False)
    else:
        port = free_port()
        app = [sys.executable, str(HERE.parent / "postgres" / "program.py"), str(port), str(folder), str(log), *command]
        with stand.recording(name, app, port, None, LIMIT):
            ask(port, "GET", "/", None, 200, "code", LIMIT)
    if not report.exists():
        raise Failed(f"pytest made no report (see {log})")
    return outcomes(report), time.monotonic() - began


def outcomes(report):
    told = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        test = f"{case.get('classname')}.{case.get('name')}"
        ends = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        told[test] = ends[0] if ends else "passed"
    return told


def failures(told):
    return {test for test, outcome in told.items() if outcome in ("failure", "error")}


def compare(stand, tools, name, accept):
    known = HERE / "suites" / f"{name}.txt"
    lines = [line for line in known.read_text("utf-8").splitlines() if line] if known.exists() else []
    vary = {line.split("  varies: ")[0] for line in lines if "  varies: " in line}
    stand.server.start()
    try:
        direct, took = run(stand, tools, name, "direct")
        recorded, longer = run(stand, tools, name, "recorded")
    finally:
        stand.server.stop()
    if accept:
        kept = [line for line in lines if "  varies: " in line]
        known.parent.mkdir(exist_ok=True)
        known.write_text("".join(f"{line}\n" for line in sorted([*kept, *(failures(direct) - vary)])), "utf-8")
    elif wrong := (failures(direct) ^ {line for line in lines if "  varies: " not in line}) - vary:
        raise Failed(f"directly, it is not {known.name} that fails; the difference: {sorted(wrong)[:20]}")
    if wrong := (failures(direct) ^ failures(recorded)) - vary:
        raise Failed(f"{len(wrong)} tests end otherwise when they are recorded: {sorted(wrong)[:20]}")
    if len(recorded) != len(direct):
        raise Failed(f"{len(direct)} tests ran directly and {len(recorded)} when they were recorded")
    ledger = re.findall(r"^\S+ +out +redis +(\d+)", (stand.folder / f"record-{name}.log").read_text("utf-8", "replace"), re.M)
    if not (exchanges := sum(map(int, ledger))):
        raise Failed("nothing was recorded")
    return f"{len(direct)} tests, {len(failures(direct))} fail in both, {exchanges} exchanges, {took:.0f} s directly and {longer:.0f} s recorded"


def cases(stand, tools):
    for name in SUITES:
        yield name, lambda name=name: compare(stand, tools, name, "ACCEPT" in os.environ)


if __name__ == "__main__":
    sys.exit(main("redis-suites", __doc__.split("\n\n")[0], Open, installed, cases))
