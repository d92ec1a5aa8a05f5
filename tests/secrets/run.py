#!/usr/bin/env python3
"""Plants secrets in everything that an app says and hears, and looks for them in every file that is written.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

For each protocol: an app is recorded, the files are searched while that runs, after it was killed and after it
has ended; it is replayed with the servers stopped, once as it is and once with other secrets, in every report
format; all files are searched again, for each secret as it is and in base64, hexadecimal and compressed. Then
who may read what: the authority's key, the secrets' key, recordings and sockets.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Clients are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import base64
import contextlib
import http.client
import importlib.util
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path.insert(0, str(TESTS / "databases"))

import plants  # noqa: E402
from stand import Failed, Server, free_port, install_once, install_python, listens, main, run_tool  # noqa: E402

PACKAGES = [
    "httpx[http2]==0.28.*", "hypercorn==0.17.*", "websockets==15.*", "grpcio==1.*", "cryptography==46.*",
    "psycopg[binary]==3.*", "pymysql==1.1.*", "redis==6.*", "pymemcache==4.*", "pymongo==4.20.*", "SecantusDB==0.7.0b3",
]
FORMATS = ["human", "html", "json", "junit", "tap"]
UNTOLD = ["SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE", "JAVA_TOOL_OPTIONS"]


class Web(Server):
    def __init__(self, folder):
        super().__init__(folder)
        self.ports = [free_port() for _ in range(3)]
        plain, secure, rpc = self.ports
        self.env |= {"PLAIN_URL": f"http://127.0.0.1:{plain}", "SECURE_URL": f"https://localhost:{secure}", "RPC_ADDRESS": f"127.0.0.1:{rpc}"}
        self.env |= {"SSL_CERT_FILE": str(folder / "ca.pem")}

    def command(self):
        return [sys.executable, HERE / "upstream.py", self.folder / "valid.pem", *self.ports]

    def ready(self):
        return all(map(listens, self.ports))


def sibling(name):
    """The suite of a database."""
    sys.modules.pop("corpus", None)
    spec = importlib.util.spec_from_file_location(f"{name}_suite", TESTS / "databases" / name / "run.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(TESTS / "databases" / name))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


def environment(stand, server):
    """The app's: a HOME and a folder for temporary files that can be searched."""
    home, temporary = stand.folder / "home", stand.folder / "tmp"
    home.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    env = {name: value for name, value in server.env.items() if name not in UNTOLD}
    return env | {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}


def clean(stand, when):
    """Raises when a secret is in any file; the servers' own are theirs."""
    besides = [path for path in stand.folder.iterdir() if path.name.startswith("server")]
    if guilty := plants.search(stand.folder, besides):
        lines = "\n".join(f"    {file}: {', '.join(kinds)}" for file, kinds in sorted(guilty.items()))
        raise Failed(f"{when} there are secrets in\n{lines}")


def ask(port, name):
    """Asks the app; what a caller says of itself is a secret too."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        if name != "login":
            connection.request("GET", f"/{name}")
            return answered(connection.getresponse())
        basic = base64.b64encode(f"ann:{plants.secret('callerbasic')}".encode()).decode()
        for headers, body in [
            ({"content-type": "application/json", "authorization": f"Basic {basic}"}, '{"user": "ann", "password": "%s"}' % plants.token("callerjson")),
            ({"content-type": "application/x-www-form-urlencoded", "authorization": f"Bearer {plants.token('callerbearer')}"}, f"user=ann&password={plants.token('callerform')}"),
            ({"cookie": f"sid={plants.token('callercookie')}"}, None),
        ]:
            connection.request("POST", f"/login?api_key={plants.token('callerquery')}", body, headers)
            answered(connection.getresponse())


def answered(response):
    text = response.read().decode()
    if response.status != 200:
        raise Failed(f"the app answered {response.status}: {text[:500]}")


def planted(stand, server, name, asked):
    """One app against one server: recorded, killed, replayed, and searched each time."""
    env, port = environment(stand, server), free_port()
    command = [stand.python, str(HERE / "app.py"), str(port)]
    server.start()
    try:
        server.reset()
        with stand.recording(name, command, port, env):
            for path in asked:
                ask(port, path)
            clean(stand, "while it is recorded")
        server.reset()
        # It says that the recorder has failed, which is what was wanted.
        with contextlib.suppress(Failed), stand.recording(f"{name}-killed", command, port, env) as recorder:
            for path in asked:
                ask(port, path)
            recorder.kill()
            recorder.wait()
        if recorder.returncode != -signal.SIGKILL:
            raise Failed(f"the recorder ended with {recorder.returncode} before it could be killed")
    finally:
        server.stop()
    clean(stand, "after it was recorded")
    replayed(stand, name, env, 0)
    replayed(stand, name, env | {"BUG": "wrong"}, 1)
    clean(stand, "after it was replayed")
    return f"{len(plants.KINDS)} secrets are in none of {sum(len(files) for _, _, files in os.walk(stand.folder / 'rehearsal'))} files"


def replayed(stand, name, env, wanted):
    """A replay with every format, each into a file; the exit code must be that."""
    reports = stand.folder / "reports"
    reports.mkdir(exist_ok=True)
    words = [word for kind in FORMATS for word in ("--format", kind, "--output", str(reports / f"{name}-{env.get('BUG', 'right')}.{kind}"))]
    log = stand.folder / f"test-{name}-{env.get('BUG', 'right')}.log"
    with open(log, "w") as output:
        done = subprocess.run(
            [stand.program, "test", name, "--verbose", *words], cwd=stand.folder, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, timeout=120
        )
    with open(stand.folder / f"show-{name}.log", "w") as output:
        subprocess.run([stand.program, "show", name], cwd=stand.folder, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, timeout=60)
    if wanted is not None and done.returncode != wanted:
        human = (reports / f"{name}-{env.get('BUG', 'right')}.human").read_text("utf-8", "replace")
        raise Failed(f"`test` ended with exit code {done.returncode}, not {wanted}:\n{log.read_text('utf-8')[-1000:]}\n{human[-3000:]}")


def guarded(stand):
    """Files that only their owner may read, and what another user can see of them."""
    private = [stand.folder / "home" / "data" / "rehearsal" / "authority.pem"]
    private += [path for path in (stand.folder / "home").rglob("*") if path.is_file() and "key" in path.name]
    private += [path for path in (stand.folder / "rehearsal").rglob("*") if path.is_file() and path.name in ("secrets.key", "key", ".key")]
    for path in private:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise Failed(f"{path} has mode {mode:o}")
        if os.geteuid() == 0:
            reader = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", path], capture_output=True, check=False)
            if reader.returncode == 0:
                raise Failed(f"another user can read {path}")
    return f"{len(private)} files are their owner's alone: {', '.join(path.name for path in private)}"


def cases(stand, python):
    stand.python = str(python)
    web = Web(stand.folder / "server-web")
    run_tool([python, TESTS / "tls" / "certificates.py", web.folder], web.folder)
    yield "callers", lambda: planted(stand, web, "callers", ["login"])
    for name in ("http", "https", "http2", "sockets", "rpc"):
        yield name, lambda name=name: planted(stand, web, name, [name])

    def database(name, make):
        return name, lambda: planted(stand, make(), name, [name])

    yield database("postgres", lambda: sibling("postgres").Postgres(stand.folder / "server-postgres"))
    yield database("mysql", lambda: sibling("mysql").Mariadb(stand.folder / "server-mysql"))
    yield database("redis", lambda: sibling("redis").Redis(stand.folder / "server-redis"))
    yield database("mongo", lambda: sibling("mongodb").Secantus(stand.folder / "server-mongo", python))
    yield database("memcached", lambda: caching(stand))
    yield "modes", lambda: guarded(stand)


def caching(stand):
    made = sibling("memcached").Memcached(stand.folder / "server-memcached")
    made.env |= {"CACHE_PORT": str(made.port)}
    return made


class Nothing(Server):
    """The servers differ from case to case."""

    def command(self):
        return []


def install(cache):
    install_once(cache, PACKAGES, [], lambda cache: install_python(cache / "python", PACKAGES))
    # The upstream runs by this Python too.
    sys.executable = str(cache / "python" / "bin" / "python")
    return cache / "python" / "bin" / "python"


if __name__ == "__main__":
    sys.exit(main("secrets", __doc__.split("\n\n")[0], Nothing, install, cases))
