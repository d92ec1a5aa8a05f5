"""A history that a team shares: a PostgreSQL of its own, over TLS too, which goes away, lies or belongs to another."""

import importlib.util
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

DATABASES = Path(__file__).resolve().parent.parent / "databases"
DEADLINE = 60


def postgres():
    """The suite of PostgreSQL, which knows how one is started."""
    sys.path[:0] = [str(DATABASES), str(DATABASES / "postgres")]
    about = importlib.util.spec_from_file_location("postgres_suite", DATABASES / "postgres" / "run.py")
    suite = importlib.util.module_from_spec(about)
    about.loader.exec_module(suite)
    return suite


def certificates(folder):
    """Makes an authority and the certificate of `localhost` that it signs: ca.pem, server.crt, server.key."""
    folder.mkdir(parents=True, exist_ok=True)
    openssl = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-x509"]
    server = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    for words in (["-subj", "/CN=authority of the test", "-keyout", "ca.key", "-out", "ca.pem"], ["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.crt", *server]):
        subprocess.run([*openssl, *words], cwd=folder, check=True, capture_output=True, timeout=DEADLINE)
    return folder


class Team:
    """A database, and how a project is told of it."""

    def __init__(self, project, settings, server, suite):
        self.project, self.settings, self.server, self.suite = project, settings, server, suite
        self.secret = server.secrets[0]

    def use(self, schema, host="127.0.0.1", mode=None, **more):
        query = "&".join([f"schema={schema}"] + ([f"sslmode={mode}"] if mode else []) + [f"{name}={value}" for name, value in more.items()])
        url = f"postgres://shop@{host}:{self.server.port}/shop?{query}"
        (self.project.folder / "rehearsal.yaml").write_text(f"{self.settings}history: '{url}'\n")

    def run(self, *words, code=0, **env):
        said = self.project.run(*words, code=code, **{"PGPASSWORD": self.secret, **env})
        assert self.secret not in said + self.project.said, "a password is shown"
        return said

    def lines(self, *words):
        return self.project.lines(*words, PGPASSWORD=self.secret)

    def kept_out(self, *words, code=0, **env):
        """A run that passes, and says why it is not in the history."""
        self.run("test", "--test", "/carts/1", code=code, **env)
        said = self.project.said
        for word in ("the run is not in the history", *words):
            assert word in said, said

    def sql(self, text):
        return self.server.call(self.suite.server_program("psql"), "-At", "-d", "shop", "-v", "ON_ERROR_STOP=1", "-c", text)


@contextmanager
def team(project, settings):
    """A database with TLS for `localhost`, as long as it is needed."""
    suite = postgres()
    folder = project.folder.parent / "team"
    # PostgreSQL runs as another user than root.
    folder.parent.chmod(0o711)
    server = suite.Postgres(folder)
    try:
        made = certificates(folder.parent / "authority")
        for name in ("server.crt", "server.key"):
            path = folder / "data" / name
            path.write_bytes((made / name).read_bytes())
            path.chmod(0o600)
            if server.user:
                suite.shutil.chown(path, server.account, server.account)
        server.settings["ssl"] = "on"
        server.start()
        server.call(suite.server_program("psql"), "-q", "-d", "postgres", "-c", "CREATE DATABASE shop")
        yield Team(project, settings, server, suite)
    finally:
        server.stop()
        (project.folder / "rehearsal.yaml").write_text(settings)


@contextmanager
def black_hole():
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as hole:
        yield hole.getsockname()[1]


def commands(team, tests, broken):
    """What works on a file works on a server: three runs that begin it at once, and all that reads it."""
    project = team.project
    team.use("shop")
    words = [project.program, "-C", str(project.folder), "test", "--test", "/carts/"]
    env = {**project.env, "PGPASSWORD": team.secret}
    runs = [subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [run.communicate(timeout=DEADLINE)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0] and not any(said), said
    found = team.lines("history")
    assert [one["run"] for one in found] == [3, 2, 1] and found[0]["branch"] == "trunk", found
    for lot in range(5):
        project.dice.write_text("1" if lot == 0 else "0")
        told = team.run("test", "--rerun-failed", "2", "--test", "/dice/", "--test", "/carts/1", "--test", "/users/", code=1, BUG="users")
        assert lot > 0 or told.count("since: this run; nothing failed this way before") >= broken, told
    assert f"{4 * 3 * broken} failures in 4 runs before this one" in told, told
    kinds = team.lines("failures", "--open")
    assert len(kinds) == 1 and kinds[0]["failures"] == 5 * 3 * broken and kinds[0]["runs"] == 5, kinds
    # One that fails is flaky by its rerun, and only that one.
    flaky = [one["name"] for one in team.lines("flaky")]
    assert flaky == ["GET /dice/1"], flaky
    paces = [one["name"] for one in team.lines("slow", "--all")]
    assert "GET /carts/1" in paces, paces
    assert team.run("defect", "--dry-run").count("## Reproduce") == 1
    assert "rehearsal/shop/tests/" in team.run("select", "--budget", "1s")
    rows = team.sql("SELECT count(*) FROM shop.runs; SELECT count(DISTINCT fingerprint) FROM shop.causes")
    assert rows.split() == ["8", "2"], rows
    assert not (project.folder / "rehearsal" / "runs" / "history.db").exists()


def quarantined(team):
    """A quarantine excuses on a server too, counts there, and says since when; when its day is over, the run fails."""
    for day, code in [("2999-12-31", 0), ("2999-12-31", 0), ("2020-01-31", 1)]:
        team.use("quarantine")
        with (team.project.folder / "rehearsal.yaml").open("a") as settings:
            settings.write(f"quarantine:\n  - {{test: GET /pages/1, owner: team-pages, until: {day}, reason: known}}\n")
        exact = team.run("test", "--test", "rehearsal/shop/tests/0005-get-pages-1.yaml", code=code, BUG="pages")
        assert ("it does not fail the run" in exact) == (code == 0), exact
        assert team.project.said == "", team.project.said
    assert "2 failures in 2 runs before this one" in exact, exact
    counted = [(one["summary"]["failed"], one["summary"]["quarantined"]) for one in team.lines("history")]
    assert counted == [(1, 0), (0, 1), (0, 1)], counted
    kinds = team.lines("failures")
    assert len(kinds) == 1 and kinds[0]["failures"] == 3, kinds


def refused(team):
    """What cannot be used is said, left as it is, and fails no run."""
    team.use("shop")
    team.run("history", code=2, PGPASSWORD="wrong-word")
    assert "PGPASSWORD" in team.project.said and "wrong-word" not in team.project.said, team.project.said
    team.kept_out("PGPASSWORD", PGPASSWORD="wrong-word")
    team.sql("UPDATE shop.about SET format = 99")
    before = team.sql("SELECT max(id) FROM shop.runs")
    team.kept_out("a newer release wrote it (format 99")
    team.run("history", code=2)
    assert team.sql("SELECT max(id) FROM shop.runs") == before
    team.sql("UPDATE shop.about SET format = 1")
    team.sql("CREATE SCHEMA bookmarks; CREATE TABLE bookmarks.runs (url text)")
    team.use("bookmarks")
    team.kept_out("tables of another program")
    team.use("nothing")
    team.run("history", code=2)
    assert "there is none yet" in team.project.said, team.project.said
    # A place on this machine goes before that of the team.
    own = team.project.folder / "own.db"
    team.run("test", "--test", "/carts/1", REHEARSAL_HISTORY=str(own))
    assert own.exists() and team.project.said == "", team.project.said
    own.unlink()
    with black_hole() as port:
        url = f"postgres://shop:{team.secret}@127.0.0.1:{port}/shop"
        team.kept_out("did not answer within 10 s", f"postgres://shop@127.0.0.1:{port}/shop", REHEARSAL_HISTORY=url)
    team.run("test", "--test", "/carts/1", code=2, REHEARSAL_HISTORY=f"postgres://shop:{team.secret}@x@y/shop")
    assert "%40" in team.project.said, team.project.said


def encrypted(team):
    """The server's certificate is checked as the URL says."""
    authority = str(team.project.folder.parent / "authority" / "ca.pem")
    unknown = {"SSL_CERT_FILE": "", "PGSSLROOTCERT": ""}
    for host, mode, trusted, good in [
        ("localhost", "verify-full", True, True), ("127.0.0.1", "verify-full", True, False), ("127.0.0.1", "verify-ca", True, True),
        ("localhost", "verify-full", False, False), ("localhost", "verify-ca", False, False), ("127.0.0.1", "require", False, True), ("127.0.0.1", "disable", False, True),
    ]:
        team.use("shop", host, mode)
        env = {**unknown, "SSL_CERT_FILE": authority} if trusted else unknown
        team.run("history", code=0 if good else 2, **env)
        assert good or "certificate" in team.project.said, (host, mode, team.project.said)
    team.use("shop", "localhost", "verify-full", sslrootcert=authority)
    team.run("test", "--test", "/carts/1", **unknown)
    assert team.project.said == "", team.project.said
    used = team.sql("SELECT count(*) FROM shop.runs")
    assert used.strip() == "9", used


def gone(team):
    """A server that is down fails no run."""
    team.use("shop")
    team.server.stop()
    team.kept_out("refused", "see that the server runs")
    team.run("failures", code=2)
    kept = "".join(path.read_text(errors="replace") for path in team.project.folder.rglob("*") if path.is_file())
    assert team.secret not in kept, "a password is written"
