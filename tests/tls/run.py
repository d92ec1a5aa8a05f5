#!/usr/bin/env python3
"""Records apps that use a real HTTPS server and replays them with the server stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

The server's certificates come from an authority of the suite's own, which the apps are told to trust by
the usual variables; others are expired, for another name, or of an authority that nobody knows: there
the apps must fail in the same way without us, recorded, and replayed. Clients that pin a certificate
must go through unread, and the summary must say so. HOME is a temporary folder.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Clients are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import contextlib
import os
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, free_port, install_once, install_python, install_rust, listens, main, run_tool, wait_until  # noqa: E402

PACKAGES = ["requests==2.32.*", "httpx==0.28.*", "cryptography==46.*"]
FLAWS = ["expired", "misnamed", "untrusted", "early", "selfsigned", "chainless"]
PYTHON = ["urllib", "requests", "httpx", "curl", "openssl", "rustls"]
# Whom the apps trust: these name the suite's authority, every other variable of the kind is taken away.
TOLD = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
UNTOLD = ["SSL_CERT_DIR", "AWS_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO", "DENO_CERT", "CARGO_HTTP_CAINFO", "JAVA_TOOL_OPTIONS"]


class Https(Server):
    def __init__(self, folder, rust):
        super().__init__(folder)
        self.ports = {kind: free_port() for kind in ["valid", "mutual", "weak", "revoked", *FLAWS]}
        self.port = self.ports["valid"]
        home = self.folder / "home"
        home.mkdir()
        for name in UNTOLD:
            self.env.pop(name, None)
        self.env |= {name: str(self.folder / "ca.pem") for name in TOLD}
        self.env |= {f"{kind.upper()}_URL": f"https://localhost:{port}" for kind, port in self.ports.items()}
        self.env |= {"ADDRESS_URL": f"https://127.0.0.1:{self.port}", "SUITE_CA": str(self.folder / "ca.pem")}
        self.env |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "SUITE_SERVER": str(self.folder / "valid.pem")}
        self.env |= {"SUITE_STRANGER": str(self.folder / "stranger.pem"), "SUITE_REVOKED": str(self.folder / "crl.pem")}
        self.env |= {"SUITE_CLIENT": str(self.folder / "client.pem"), "SUITE_RUST": str(rust)}

    def command(self):
        ports = [f"{kind}={port}" for kind, port in self.ports.items()]
        return [sys.executable, HERE / "upstream.py", self.folder, *ports]

    def ready(self):
        return all(map(listens, self.ports.values()))


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as response:
        return response.read().decode()


def directly(stand, command, paths):
    """What the app answers when it runs without us."""
    port = free_port()
    words = [str(word).replace("{port}", str(port)) for word in command]
    stand.server.start()
    process = subprocess.Popen(words, env=stand.server.env, cwd=stand.folder, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), process, "the app")
        return {path: get(port, path) for path in paths}
    finally:
        process.kill()
        process.wait()
        stand.server.stop()


def works(stand, name, command, clients, kinds=("valid", "address")):
    """The app answers the same without us, recorded and replayed."""
    paths = [f"/{client}/{kind}" for client in clients for kind in kinds]
    wanted = directly(stand, command, paths)
    if wrong := {path: text for path, text in wanted.items() if "failed" in text}:
        raise Failed(f"without us it fails: {wrong}")
    said = stand.app(name, command, [("GET", path, None, 200, text) for path, text in wanted.items()])
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    if "tls: valid" not in manifest or "protocol: opaque" in manifest:
        raise Failed(f"recording.yaml does not say that it was read over TLS:\n{manifest}")
    return said


def fails(stand, name, command, clients):
    """A server with a flaw in its certificate: the app fails in the same way without us, recorded and replayed."""
    paths = [f"/{client}/{flaw}" for client in clients for flaw in FLAWS]
    wanted = directly(stand, command, paths)
    if wrong := {path: text for path, text in wanted.items() if not text.startswith("failed: ")}:
        raise Failed(f"without us it does not fail: {wrong}")
    return stand.app(name, command, [("GET", path, None, 200, text) for path, text in wanted.items()])


def careless(stand, command):
    """A client that does not verify goes on as it does without us."""
    path = "/careless-curl/untrusted"
    [text] = directly(stand, command, [path]).values()
    return stand.app("careless", command, [("GET", path, None, 200, text)])


def unread(stand, name, command, client, kind="valid", words="passed on unread"):
    """What cannot be read: the app works all the same, and the summary names the edge, with these words."""
    stand.record(name, command, [("GET", f"/{client}/{kind}", None, 200, "Gr")] * 2)
    log = (stand.folder / f"record-{name}.log").read_text("utf-8")
    named = [line for line in log.splitlines() if line.startswith("warning: edge ") and words in line]
    if not named or "--real" not in log:
        raise Failed(f"the summary does not name the edge:\n{log}")
    real = log.partition("--real ")[2].split()[0].rstrip(";)")
    stand.server.start()
    try:
        process = subprocess.run(
            [stand.program, "test", name, "--real", real, "--color", "never"], cwd=stand.folder, env=stand.server.env,
            capture_output=True, text=True, check=False, timeout=120,
        )
    finally:
        stand.server.stop()
    if process.returncode != 0:
        raise Failed(f"with the server let through it ended with {process.returncode}:\n{process.stdout[-2000:]}")
    return named[0].removeprefix("warning: ")


def refused(stand, name, command, paths, words):
    """What goes by us unread fails as it does without us, and the summary has these words."""
    wanted = directly(stand, command, paths)
    if wrong := {path: text for path, text in wanted.items() if "Gr" in text}:
        raise Failed(f"without us it does not fail: {wrong}")
    stand.record(name, command, [("GET", path, None, 200, text) for path, text in wanted.items()])
    log = (stand.folder / f"record-{name}.log").read_text("utf-8")
    if not any(line.startswith("warning: edge ") and words in line for line in log.splitlines()):
        raise Failed(f"nobody was told {words!r}:\n{log}")
    return f"failed as without us, and named: {', '.join(sorted(set(wanted.values())))}"


def secrets(path):
    """The lines of a key log, without what is said of it."""
    return {line for line in path.read_text("ascii").splitlines() if line and not line.startswith("#")}


def keylog(stand, command):
    """The file has the secrets that the app and the server have, each of its side, and nobody else may read it."""
    port = free_port()
    words = [str(word).replace("{port}", str(port)) for word in command]
    ours, theirs, servers = stand.folder / "ours.keys", stand.folder / "app.keys", stand.folder / "server" / "upstream.keys"
    stand.server.start()
    try:
        servers.write_text("")
        with stand.recording("keylog", words, port, stand.server.env | {"SSLKEYLOGFILE": str(theirs)}, options=["--keylog", str(ours)]):
            for path in ("/urllib/valid", "/requests/valid"):
                if "Gr" not in (text := get(port, path)):
                    raise Failed(f"the app answered {text}")
    finally:
        stand.server.stop()
    known, app, server = map(secrets, (ours, theirs, servers))
    if not app or not server or app & server or not app | server <= known:
        raise Failed(f"of {len(app)} secrets of the app {len(app & known)} are there, of {len(server)} of the server {len(server & known)}")
    if (mode := ours.stat().st_mode & 0o777) != 0o600:
        raise Failed(f"its mode is {mode:o}")
    words = {line.split()[2].encode() for line in known}
    files = [path for path in stand.folder.rglob("*") if path.is_file() and path not in (ours, theirs, servers)]
    if guilty := [path for path in files if any(word in path.read_bytes() for word in words)]:
        raise Failed(f"there are secrets in {guilty}")
    return f"{len(known)} secrets, all that the app and the server have"


def careless_by_mistake(stand, command):
    """An app that has given up to verify: exactly that test is red, and what it accepted is named."""
    stand.app("defect", command, [("GET", "/bug/valid", None, 200, "Gr"), ("GET", "/bug/expired", None, 200, "failed: "), ("GET", "/urllib/valid", None, 200, "Gr")])
    return stand.defect("defect", "expired_cert_accepted", [2], ["GET /item is a call", "accepted a certificate that is expired", "certificate has expired"])


def by_java(stand, command):
    """Java reads no variable that names certificates: without us it knows the suite's authority from nowhere."""
    requests = [("GET", f"/{client}/{kind}", None, 200, "Gr") for client in ("http-client", "connection") for kind in ("valid", "address")]
    requests += [("GET", f"/{client}/{flaw}", None, 200, "failed: ") for client in ("http-client", "connection") for flaw in FLAWS]
    said = stand.app("java", command, requests)
    if "tls: valid" not in (stand.folder / "rehearsal" / "java" / "recording.yaml").read_text("utf-8"):
        raise Failed("recording.yaml does not say that it was read over TLS")
    return said


def call(stand, port, path, host="localhost", trusted=None, careless=False):
    """What curl is answered by the app over TLS, when it trusts nobody but our authority, or does not care."""
    if careless:
        return stand.server.call("curl", "-sS", "--max-time", "30", "--insecure", f"https://{host}:{port}{path}")
    trusted = trusted or Path(stand.server.env["XDG_DATA_HOME"]) / "rehearsal" / "authority.crt"
    return stand.server.call("curl", "-sS", "--max-time", "30", "--cacert", trusted, f"https://{host}:{port}{path}")


def replays(stand, name, env):
    seconds = []
    for number in range(stand.repeat):
        code, printed, took = stand.test(name, f"test-{name}-{number + 1}.log", env)
        seconds.append(took)
        if code != 0:
            raise Failed(f"run {number + 1} of {stand.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    return f"{stand.repeat} runs green, {min(seconds):.2f} to {max(seconds):.2f} s"


def serving(stand, name, command, paths, certificate="valid", host="localhost", settings="", told=(), **env):
    """An app that serves HTTPS is recorded, called by clients that trust our authority, and replayed."""
    port = free_port()
    words = [str(word).replace("{port}", str(port)) for word in command]
    env = {"APP_CERTIFICATE": str(stand.folder / "server" / f"{certificate}.pem")} | env
    file = stand.folder / "rehearsal.yaml"
    file.write_text(settings)
    stand.server.start()
    try:
        with stand.recording(name, words, port, stand.server.env | env):
            said = [call(stand, port, path, host) for path in paths]
        stand.server.stop()
        verdict = replays(stand, name, env)
    finally:
        stand.server.stop()
        file.unlink()
    if missing := [word for word in told if word not in "\n".join(said)]:
        raise Failed(f"the app was not told {missing}: {said}")
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    how = "untrusted" if certificate == "untrusted" else "valid"
    if f"  inbound:\n    protocol: http\n    tls: {how}\n" not in manifest:
        raise Failed(f"recording.yaml does not say that the app was called over TLS:\n{manifest}")
    return f"{len(paths)} tests, {verdict}"


def flawed(stand, command, go):
    """The app's own certificate has a flaw that is one for every caller: they refuse it as they do without us."""
    own, seen = stand.folder / "server", {}
    for kind in ("expired", "early", "misnamed"):
        port = free_port()
        words = [str(word).replace("{port}", str(port)) for word in command]
        env = {"APP_CERTIFICATE": str(own / f"{kind}.pem")}
        authority = Path(stand.server.env["XDG_DATA_HOME"]) / "rehearsal" / "authority.crt"
        process = subprocess.Popen(words, env=stand.server.env | env, cwd=stand.folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda port=port: listens(port), process, "the app")
            without = why_not(port, own / "ca.pem", go)
        finally:
            process.kill()
            process.wait()
        with stand.recording(f"flawed-{kind}", words, port, stand.server.env | env):
            recorded = why_not(port, authority, go)
            call(stand, port, "/self/a", careless=True)
        log = (stand.folder / f"record-flawed-{kind}.log").read_text("utf-8")
        if without != recorded or without[1] != "curl 60" or "Go failed: " not in without[2] or "the app's certificate is " not in log:
            raise Failed(f"{kind}: without us {without!r}, with us {recorded!r}:\n{log}")
        seen[kind] = without
        replays(stand, f"flawed-{kind}", env)
    return "; ".join(", ".join(each) for each in seen.values())


def why_not(port, trusted, go):
    """Why Python, curl and Go do not accept the certificate of the app."""
    url = f"https://localhost:{port}/self/x"
    try:
        urllib.request.urlopen(url, timeout=20, context=ssl.create_default_context(cafile=trusted))
        raise Failed("a caller accepted a certificate with a flaw")
    except urllib.error.URLError as error:
        python = error.reason.verify_message
    curl = subprocess.run(["curl", "-sS", "--max-time", "30", "--cacert", trusted, url], capture_output=True, text=True, check=False, timeout=60)
    called = subprocess.run([go, "call", url], capture_output=True, text=True, check=False, timeout=60, env=os.environ | {"SSL_CERT_FILE": str(trusted)})
    # What curl says of a name that is not there names the certificate's own, which is another one with us.
    return [python, f"curl {curl.returncode}", f"Go {called.stdout.strip()}"]


def strangers(stand, command):
    """A caller that does not trust our authority fails and is told of; those that do are recorded."""
    port = free_port()
    words = [str(word).replace("{port}", str(port)) for word in command]
    env = {"APP_CERTIFICATE": str(stand.folder / "server" / "valid.pem")}
    with stand.recording("strangers", words, port, stand.server.env | env):
        try:
            call(stand, port, "/self/first", trusted=stand.folder / "server" / "ca.pem")
            raise RuntimeError("a caller accepted a certificate of an authority that it does not trust")
        except Failed as why:
            if "exit code 60" not in str(why):
                raise
        call(stand, port, "/self/second")
    log = (stand.folder / "record-strangers.log").read_text("utf-8")
    if "did not accept the certificate in place of the app's" not in log:
        raise Failed(f"nobody was told:\n{log}")
    return f"named, and the next caller was recorded; {replays(stand, 'strangers', env)}"


def asking(stand, command):
    """An app that wants to know who calls: nobody has told us who that is, so it goes through unread."""
    port = free_port()
    words = [str(word).replace("{port}", str(port)) for word in command]
    own = stand.folder / "server"
    env = {"APP_CERTIFICATE": str(own / "valid.pem"), "APP_CLIENTS": str(own / "ca.pem")}
    with stand.recording("asking", words, port, stand.server.env | env):
        for _ in range(2):
            stand.server.call("curl", "-sS", "--cacert", own / "ca.pem", "--cert", own / "client.pem", f"https://localhost:{port}/self/x")
    log = (stand.folder / "record-asking.log").read_text("utf-8")
    for words in ("warning: edge inbound: its connections are passed on unread", "client-certificate", "edge inbound is encrypted (TLS)"):
        if words not in log:
            raise Failed(f"nobody was told {words!r}:\n{log}")
    return "unread, and said so"


def shown_files(stand, command):
    """Programs that read no variable are shown our authority in the system's files, when the settings say so."""
    (file := stand.folder / "rehearsal.yaml").write_text("trust-files: true\n")
    stand.server.env |= {"SUITE_JAVA": str(stand.cache / "java")}
    shown = "shown [40, 40, 40, 40"
    try:
        said = stand.app("files", command, [
            ("GET", "/wget/valid", None, 200, "Gr"), ("GET", "/bare-java/valid", None, 200, "Gr"), ("GET", "/bare-curl/valid", None, 200, "Gr"),
            ("GET", "/files/valid", None, 200, shown), ("GET", "/files/valid", None, 200, "others real: True"),
        ], {"APP_SIGNALS": "yes"})
    finally:
        file.unlink()
    if "tls: valid" not in (stand.folder / "rehearsal" / "files" / "recording.yaml").read_text("utf-8"):
        raise Failed("recording.yaml does not say that it was read over TLS")
    return said


def declared(stand, command):
    """A server asks for a certificate of the app, and the settings say which that is."""
    client = stand.folder / "server" / "client.pem"
    settings = f"edges:\n  bank:\n    addresses: 127.0.0.1:{stand.server.ports['mutual']}\n    client-certificate: {client}\n"
    (file := stand.folder / "rehearsal.yaml").write_text(settings)
    try:
        said = works(stand, "declared", command, ["mutual"], ["mutual"])
        file.write_text(settings.replace("client.pem", "nowhere.pem"))
        code, printed, _ = stand.test("declared", "test-nowhere.log")
        with open(stand.folder / "record-nowhere.log", "w+") as log:
            again = subprocess.run([stand.program, "record", "--name", "nowhere", "--no-verify", "--", "true"], cwd=stand.folder, env=stand.server.env, stderr=log, check=False)
        if again.returncode != 2 or "nowhere.pem" not in Path(log.name).read_text("utf-8"):
            raise Failed(f"a file that is not there: exit code {again.returncode} (see {log.name})")
    finally:
        file.unlink()
    if "  bank:\n    protocol: http\n    tls: valid\n" not in (stand.folder / "rehearsal" / "declared" / "recording.yaml").read_text("utf-8"):
        raise Failed("recording.yaml does not name the edge")
    return said


def no_home(stand, command):
    """Where no authority can be made the app works unread, and we say why."""
    with contextlib.ExitStack() as stack:
        before = dict(stand.server.env)
        stack.callback(stand.server.env.update, before)
        stand.server.env |= {"XDG_DATA_HOME": "/proc/nowhere"}
        stand.record("no-home", command, [("GET", "/urllib/valid", None, 200, "19.90")])
    log = (stand.folder / "record-no-home.log").read_text("utf-8")
    if "TLS is not read: failed to keep the certificate authority" not in log:
        raise Failed(f"the summary does not say why TLS was not read:\n{log}")
    return "unread, and said so"


def cases(stand, tools):
    python, go, node, java = tools
    app, script, program = [python, HERE / "app.py", "{port}"], [*node, "{port}"], [go, "{port}"]
    yield "python", lambda: works(stand, "python", app, [*PYTHON, "large"])
    yield "node", lambda: works(stand, "node", script, ["fetch", "https"])
    yield "go", lambda: works(stand, "go", program, ["http", "tls12"])
    yield "java", lambda: by_java(stand, [shutil.which("java"), "-XX:TieredStopAtLevel=1", "-cp", java, "App", "{port}"])
    yield "python-flaws", lambda: fails(stand, "python-flaws", app, PYTHON)
    yield "node-flaws", lambda: fails(stand, "node-flaws", script, ["fetch", "https"])
    yield "go-flaws", lambda: fails(stand, "go-flaws", program, ["http", "tls12"])
    yield "weak", lambda: refused(stand, "weak", app, ["/urllib/weak", "/curl/weak"], "cannot be established by us")
    yield "nameless", lambda: refused(stand, "nameless", app, ["/nameless/mutual"], "asks for a certificate of whoever calls")
    yield "stranger", lambda: refused(stand, "stranger", app, ["/strange-mutual/mutual"], "asks for a certificate of whoever calls")
    yield "revoked", lambda: refused(stand, "revoked", app, ["/revocation/revoked"], "passed on unread")
    yield "not-revoked", lambda: unread(stand, "not-revoked", app, "revocation", "valid")
    yield "expired_cert_accepted", lambda: careless_by_mistake(stand, app)
    yield "careless", lambda: careless(stand, app)
    yield "own-roots", lambda: unread(stand, "own-roots", app, "own-roots")
    yield "pinning", lambda: unread(stand, "pinning", app, "pinning")
    yield "mutual", lambda: unread(stand, "mutual", app, "mutual", "mutual", "asks for a certificate of whoever calls")
    yield "http2-alone", lambda: works(stand, "http2-alone", app, ["http2-alone"])
    paths = ["/self/a", "/self/b", "/urllib/valid"]
    yield "inbound-python", lambda: serving(stand, "inbound-python", app, paths, told=["TLSv1.3", "localhost"])
    yield "inbound-tls12", lambda: serving(stand, "inbound-tls12", app, paths[:1], told=["TLSv1.2"], APP_TLS="TLSv1_2")
    yield "inbound-address", lambda: serving(stand, "inbound-address", app, paths, host="127.0.0.1")
    yield "inbound-own", lambda: serving(stand, "inbound-own", app, paths[:1], certificate="untrusted")
    yield "inbound-node", lambda: serving(stand, "inbound-node", script, ["/self/a", "/fetch/valid"], told=["TLSv1.3", "localhost"])
    yield "inbound-go", lambda: serving(stand, "inbound-go", program, ["/self/a", "/http/valid"], told=["TLS 1.3", "localhost"])
    yield "inbound-flawed", lambda: flawed(stand, app, go)
    yield "inbound-strangers", lambda: strangers(stand, app)
    yield "inbound-asking", lambda: asking(stand, app)
    own = stand.folder / "server"
    yield "inbound-declared", lambda: serving(
        stand, "inbound-declared", app, paths[:1], told=["server"], APP_CLIENTS=str(own / "ca.pem"),
        settings=f"edges:\n  inbound:\n    client-certificate: {own / 'client.pem'}\n",
    )
    yield "declared", lambda: declared(stand, app)
    yield "files", lambda: shown_files(stand, app)
    yield "keylog", lambda: keylog(stand, app)
    yield "no-home", lambda: no_home(stand, app)
    yield "isolation", lambda: stand.isolated("python", "connection received")


def install(cache):
    """Python with its clients, the Go program, and the words that run Node."""
    sources = [source.read_text("utf-8") for source in [*sorted((HERE / "go").iterdir()), *sorted((HERE / "java").iterdir())]]
    install_once(cache, PACKAGES + sources, [("go", "golang"), ("node", "nodejs"), ("curl", "curl"), ("javac", "default-jdk-headless")], fill)
    install_rust(cache.parent)
    return str(cache / "python" / "bin" / "python"), str(cache / "app-go"), [shutil.which("node"), HERE / "app.mjs"], cache / "java"


def fill(cache):
    install_python(cache / "python", PACKAGES)
    run_tool(["go", "build", "-o", cache / "app-go", "."], HERE / "go")
    run_tool(["javac", "-d", cache / "java", *sorted((HERE / "java").iterdir())], cache)


def server(cache):
    """What makes the server, once its certificates are there."""
    def make(folder):
        made = Https(folder, cache.parent / "rust" / "corpus")
        run_tool([cache / "python" / "bin" / "python", HERE / "certificates.py", folder], folder)
        return made
    return make


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["cache"] = cache
        return install(cache)

    sys.exit(main("tls", __doc__.split("\n\n")[0], lambda folder: server(store["cache"])(folder), installed, cases))
