#!/usr/bin/env python3
"""Runs the test suites of PostgreSQL drivers directly and through `rehearsal record`: it must not matter to them.

    suites.py [--cache FOLDER] [--keep] [SUITE ...]

The suites are those in the source distributions of asyncpg, pg8000, SQLAlchemy and pgx, and PostgreSQL's own files of
SQL for psql; they are downloaded into the cache folder and never changed. Each runs twice on a fresh database: directly,
then while it is recorded. What failed directly must be what `suites/NAME.txt` lists (with ACCEPT=1 in the environment it is written), and what failed
while it was recorded must be the same. A test whose outcome varies is listed with `varies` behind it, and why.

The environment's REHEARSAL is the program's path. Exit code 0 when all were equal, 1 when one was not.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree
from pathlib import Path

from run import HERE, Postgres, server_program

from stand import Failed, ask, free_port, install_once, install_python, main, run_tool

LIMIT = 900  # seconds
SOURCES = {"asyncpg": "0.32.0", "pg8000": "1.31.6", "sqlalchemy": "2.0.58"}
PACKAGES = [
    "pytest==9.*", "pytest-mock==3.*", "asyncpg==0.32.0", "distro==1.*", "pg8000==1.31.6", "pytz", "sqlalchemy[asyncio]==2.0.58", "psycopg[binary]==3.3.*",
    "psycopg2-binary==2.9.*",
]
PGX = "github.com/jackc/pgx/v5"


class Fresh(Postgres):
    """Roles and other databases of a run would be in the way of the next: each gets a server of its own."""

    def reset(self):
        self.stop()
        shutil.rmtree(self.folder / "data")
        self.create()
        self.start()
        super().reset()


class Suite:
    """How to run a suite, and what came of each of its tests.

    `command` gets the server's environment and the file for the report; `outcomes` reads that and what was
    printed, and gives a word for each test.
    """

    def __init__(self, name, folder):
        self.name, self.folder = name, folder

    def prepare(self, server):
        pass

    def env(self, env):
        return env

    def differences(self, direct, recorded):
        return failures(direct) ^ failures(recorded)


class Pytest(Suite):
    def __init__(self, name, folder, python, words, prepare=""):
        super().__init__(name, folder)
        self.python, self.words, self.sql = python, words, prepare

    def prepare(self, server):
        if self.sql:
            server.call(server_program("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-c", self.sql.replace("{password}", server.secrets[0]))

    def command(self, env, report):
        place = "{PGUSER}:{PGPASSWORD}@{PGHOST}:{PGPORT}/{PGDATABASE}".format(**env)
        words = [word.replace("{place}", place) for word in self.words]
        return [self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *words]

    def outcomes(self, report, _):
        if not report.exists():
            raise Failed("pytest made no report")
        told = {}
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            ends = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            # A test may fail, and then in its tear-down too.
            told[name] = min([told.get(name, "skipped"), ends[0] if ends else "passed"], key=["failure", "error", "passed", "skipped"].index)
        return told


class GoTest(Suite):
    packages = [".", "./pgconn", "./pgxpool", "./pgtype"]

    def prepare(self, server):
        server.call(server_program("psql"), "-q", "-v", "ON_ERROR_STOP=1", input=(self.folder / "testsetup" / "postgresql_setup.sql").read_text())

    def env(self, env):
        """Its tests of settings are only right when the environment has none."""
        place = "host={PGHOST} port={PGPORT} user={PGUSER} password={PGPASSWORD} database={PGDATABASE}".format(**env)
        return {name: value for name, value in env.items() if not name.startswith("PG")} | {"PGX_TEST_DATABASE": place}

    def command(self, _env, _report):
        return ["go", "test", "-json", "-count=1", "-vet=off", "-p=1", *self.packages]

    def outcomes(self, _, printed):
        told = {}
        for line in printed.splitlines():
            if not line.startswith('{"'):
                continue
            event = json.loads(line)
            if "Test" in event and event["Action"] in ("pass", "fail", "skip"):
                told[f"{event['Package'].removeprefix(PGX)}/{event['Test']}".lstrip("/")] = event["Action"]
        return told


class Regress(Suite):
    """PostgreSQL's own files of SQL, one after the other by psql: what it prints must be the same."""

    def files(self):
        schedule = (self.folder / "parallel_schedule").read_text("utf-8")
        names = [name for line in re.findall(r"^test: (.*)$", schedule, re.M) for name in line.split()]
        # These are about what a server has that was built for them, or take minutes.
        return [name for name in names if name not in ("tablespace", "largeobject", "create_index", "join", "compression", "stats", "indirect_toast")]

    def env(self, env):
        return env | {
            "PGTZ": "PST8PDT", "PGDATESTYLE": "Postgres, MDY", "PGOPTIONS": "-c intervalstyle=postgres_verbose", "LC_ALL": "C",
            "PG_ABS_SRCDIR": str(self.folder), "PG_ABS_BUILDDIR": str(self.folder), "PG_LIBDIR": "/nowhere", "PG_DLSUFFIX": ".so",
        }

    def command(self, _env, report):
        report.mkdir()
        psql = f"{server_program('psql')} -X -a -q -v HIDE_TABLEAM=on -v HIDE_TOAST_COMPRESSION=on"
        return ["sh", "-c", f'for name in {" ".join(self.files())}; do {psql} < "sql/$name.sql" > "{report}/$name.out" 2>&1; done']

    def outcomes(self, report, _):
        return {file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in report.glob("*.out")}

    def differences(self, direct, recorded):
        return {name for name in direct if direct[name] != recorded.get(name)}


def installed(cache):
    """The suites, downloaded once."""
    install_once(cache, [*PACKAGES, *map(str, SOURCES.items())], [("go", "golang")], fill)
    python = str(cache / "python" / "bin" / "python")
    pgx = subprocess.run(["go", "list", "-m", "-f", "{{.Dir}}", PGX], cwd=HERE / "go", capture_output=True, text=True, check=True).stdout.strip()
    yield Pytest("asyncpg", cache / "asyncpg", python, ["tests"])
    yield Pytest(
        "pg8000", cache / "pg8000", python,
        ["test/dbapi", "test/native", "test/legacy", "--ignore-glob=*auth*", "--ignore-glob=*benchmark*", "--ignore-glob=*stress*"],
        "CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '{password}'; CREATE EXTENSION hstore",
    )
    schemas = "CREATE SCHEMA test_schema; CREATE SCHEMA test_schema_2; CREATE EXTENSION hstore; CREATE EXTENSION citext"
    files = [f"test/dialect/postgresql/test_{name}.py" for name in ("dialect", "query", "types", "on_conflict", "reflection", "async_pg")]
    for driver, files in (("psycopg", files), ("psycopg2", files[1:2]), ("asyncpg", ["test/dialect/test_suite.py", files[5]])):
        words = ["-p", "no:logging", "--dburi", f"postgresql+{driver}://{{place}}", *files]
        yield Pytest(f"sqlalchemy-{driver}", cache / "sqlalchemy", python, words, schemas)
    yield GoTest("pgx", Path(pgx))
    yield Regress("psql", cache / "regress")


def fill(cache):
    python = install_python(cache / "python", PACKAGES)
    for name, version in SOURCES.items():
        run_tool([python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name, f"{name}=={version}", "-d", cache / "sdist"], cache)
        with tarfile.open(next((cache / "sdist").glob(f"{name}-*.tar.gz"))) as archive:
            archive.extractall(cache / "unpacked", filter="data")
        shutil.move(cache / "unpacked" / f"{name}-{version}", cache / name)
    fill_regress(cache)
    # Beside its tests the suite of asyncpg has a source of the driver that is not built.
    shutil.rmtree(cache / "asyncpg" / "asyncpg")


def fill_regress(cache):
    """The source package of the server's version, by apt; the system's own lists stay as they are."""
    apt, package = cache / "apt", Path(server_program("postgres")).parent.parent.name
    (apt / "lists" / "partial").mkdir(parents=True)
    (apt / "parts").mkdir()
    for file in Path("/etc/apt/sources.list.d").glob("*.sources"):
        (apt / "parts" / file.name).write_text(re.sub(r"^Types:.*", "Types: deb-src", file.read_text(), flags=re.M))
    plain = Path("/etc/apt/sources.list")
    (apt / "list").write_text(re.sub(r"^deb ", "deb-src ", plain.read_text() if plain.exists() else "", flags=re.M))
    places = {"Dir::Etc::sourcelist": "list", "Dir::Etc::sourceparts": "parts", "Dir::State::lists": "lists"}
    options = [word for name, place in places.items() for word in ("-o", f"{name}={apt / place}")]
    run_tool(["apt-get", "-qq", *options, "update"], apt)
    known = subprocess.run(["apt-cache", *options, "showsrc", f"postgresql-{package}"], capture_output=True, text=True, check=True).stdout
    for version in re.findall(r"^Version: (.*)$", known, re.M):
        # A mirror may name a version that it does not have.
        get = ["apt-get", "-qq", *options, "source", "--download-only", f"postgresql-{package}={version}"]
        if subprocess.run([*map(str, get)], cwd=apt, stdin=subprocess.DEVNULL, check=False).returncode == 0:
            break
    else:
        raise Failed(f"no source package postgresql-{package} can be downloaded")
    with tarfile.open(next(apt.glob("*.orig.tar.*"))) as archive:
        ours = [one for one in archive if "/src/test/regress/" in one.name]
        archive.extractall(apt / "unpacked", ours, filter="data")
    shutil.move(next((apt / "unpacked").glob("*/src/test/regress")), cache / "regress")


def run(suite, stand, way):
    """What came of each test on a fresh database, directly or recorded."""
    stand.server.reset()
    suite.prepare(stand.server)
    report, log = (stand.folder / f"{suite.name}-{way}.{kind}" for kind in ("xml", "log"))
    # What a suite makes beside, such as the folder of a server of its own, goes away with ours.
    (beside := stand.folder / "tmp").mkdir(exist_ok=True)
    beside.chmod(0o1777)
    command, env = suite.command(stand.server.env, report), suite.env(stand.server.env) | {"TMPDIR": str(beside)}
    began = time.monotonic()
    if way == "direct":
        with open(log, "wb") as output:
            subprocess.run(command, cwd=suite.folder, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=LIMIT, check=False)
    else:
        port = free_port()
        with stand.recording(suite.name, [sys.executable, HERE / "program.py", str(port), suite.folder, log, *command], port, env, LIMIT):
            ask(port, "GET", "/", None, 200, "code", LIMIT)
    told = suite.outcomes(report, log.read_text("utf-8", "replace"))
    if not told:
        raise Failed(f"no test ran (see {log})")
    return told, time.monotonic() - began


def failures(told):
    return {name for name, outcome in told.items() if outcome in ("failure", "error", "fail")}


def compare(suite, stand, accept):
    known = HERE / "suites" / f"{suite.name}.txt"
    lines = [line for line in known.read_text("utf-8").splitlines() if line and not line.startswith("#")] if known.exists() else []
    vary = {line.split("  varies: ")[0] for line in lines if "  varies: " in line}
    stand.server.start()
    try:
        direct, took = run(suite, stand, "direct")
        recorded, longer = run(suite, stand, "recorded")
    finally:
        stand.server.stop()
    if accept:
        kept = [line for line in lines if "  varies: " in line]
        known.parent.mkdir(exist_ok=True)
        known.write_text("".join(f"{line}\n" for line in sorted([*kept, *(failures(direct) - vary)])), "utf-8")
    elif wrong := (failures(direct) ^ set(lines)) - vary - set(line for line in lines if "  varies: " in line):
        raise Failed(f"directly, it is not {known.name} that fails; the difference: {sorted(wrong)[:20]}")
    if wrong := suite.differences(direct, recorded) - vary:
        raise Failed(f"{len(wrong)} tests end otherwise when they are recorded: {sorted(wrong)[:20]}")
    if len(recorded) != len(direct):
        raise Failed(f"{len(direct)} tests ran directly and {len(recorded)} when they were recorded")
    ledger = re.findall(r"^\S+ +out +postgres +(\d+) +(\d+)", (stand.folder / f"record-{suite.name}.log").read_text("utf-8", "replace"), re.M)
    exchanges = sum(int(one) for one, _ in ledger)
    if not exchanges:
        raise Failed("nothing was recorded")
    return f"{len(direct)} tests, {len(failures(direct))} fail in both, {exchanges} exchanges, {took:.0f} s directly and {longer:.0f} s recorded"


def cases(stand, suites):
    for suite in suites:
        yield suite.name, lambda suite=suite: compare(suite, stand, "ACCEPT" in os.environ)


if __name__ == "__main__":
    sys.exit(main("postgres-suites", __doc__.split("\n\n")[0], Fresh, lambda cache: list(installed(cache)), cases))
