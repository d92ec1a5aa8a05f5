#!/usr/bin/env python3
"""Records apps that serve and call streams over HTTP/2, and replays them with the dependency stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Streams are WebSocket by extended CONNECT (RFC 8441) and server-sent events that their client ends. Apps in Node,
Python (Hypercorn) and Go serve them without TLS and over TLS. The environment's REHEARSAL is the program's path
(`rehearsal` if unset). Clients are installed into the cache folder. Exit code 0 when all passed, 1 when one
failed.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "databases"))

from stand import Failed, Server, free_port, install_once, install_python, listens, main, run_tool  # noqa: E402

PACKAGES = ["httpx[http2]==0.28.*", "hypercorn==0.18.*", "wsproto==1.*"]
TOOLS = [("go", "golang"), ("node", "nodejs"), ("npm", "npm"), ("curl", "curl"), ("openssl", "openssl")]


class Prices(Server):
    """The upstream, with a certificate that the apps are told to trust, and serve with."""

    def __init__(self, folder, cache):
        super().__init__(folder)
        self.secure, self.home = free_port(), folder / "home"
        self.home.mkdir()
        run_tool([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "own.key", "-out", folder / "own.pem",
        ], folder)
        self.env |= {name: str(folder / "own.pem") for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")}
        self.env |= {"HOME": str(self.home), "XDG_DATA_HOME": str(self.home / "data"), "MODULES": str(cache / "node")}
        self.env["PRICES"] = f"http://127.0.0.1:{self.port}"
        self.env["PYTHONDONTWRITEBYTECODE"] = "1"

    @property
    def over_tls(self):
        return {"CERTIFICATE": str(self.folder / "own.pem"), "PRICES": f"https://localhost:{self.secure}"}

    def command(self):
        return ["node", HERE / "upstream.mjs", self.port, self.secure, self.folder]

    def ready(self):
        return listens(self.port) and listens(self.secure)

    def start(self):
        self.user = {"env": self.env}
        super().start()


def run(stand, words, wanted):
    """Runs a client, which trusts our authority alone; its output must have these texts."""
    env = stand.server.env | {"NODE_EXTRA_CA_CERTS": str(stand.server.home / "data" / "rehearsal" / "authority.crt")}
    done = subprocess.run([*map(str, words)], cwd=stand.folder, env=env, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode != 0 or not all(text in done.stdout for text in wanted):
        raise Failed(f"{words[2:]} ended with {done.returncode}, not saying {wanted}: {done.stdout} {done.stderr[-1000:]}")


def calls(stand, url, serves, asks):
    """Calls an app; returns how many tests that makes."""
    client = ["node", HERE / "client.mjs", url]
    trusted = stand.server.home / "data" / "rehearsal" / "authority.crt"
    curl = ["curl", "-sS", "--cacert", trusted, "--http2" if url.startswith("https") else "--http2-prior-knowledge"]
    if serves:
        run(stand, [*client, "/desk", '0:{"quote": "ACME"}', "3:hex:00ff", "1:bye", "0:listen"], ["303", "hex:ff00", "4002 see you"])
        run(stand, [*client, "/desk", '0:{"quote": "INIT"}', "3:close"], ["INIT", "1000"])
    run(stand, [*client, "/ticks"], ['"tick": 3'])
    run(stand, [*curl, f"{url}/listen"], ["3]"])
    for symbol, ended in asks.items():
        run(stand, [*curl, f"{url}/quotes?symbol={symbol}"], ["103", ended])
    return 2 * serves + 2 + len(asks)


def works(stand, name, command, serves, asks, secure):
    """Records what clients do, and replays it."""
    port, env = free_port(), stand.server.over_tls if secure else {}
    words = [str(word).replace("{port}", str(port)) for word in command]
    stand.server.start()
    try:
        with stand.recording(name, words, port, stand.server.env | env):
            count = calls(stand, f"https://localhost:{port}" if secure else f"http://127.0.0.1:{port}", serves, asks)
    finally:
        stand.server.stop()
    check(stand, name, serves, secure)
    seconds = []
    for number in range(stand.repeat):
        code, printed, took = stand.test(name, f"test-{name}-{number + 1}.log", env)
        seconds.append(took)
        if code != 0 or f"{count} passed" not in printed:
            raise Failed(f"run {number + 1} of {stand.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    return f"{count} tests, {stand.repeat} runs green, {min(seconds):.2f} to {max(seconds):.2f} s"


def check(stand, name, serves, secure):
    """The files show messages and events, all over HTTP/2, and over TLS if that was so."""
    text = "".join(file.read_text("utf-8") for file in stand.files(f"{name}/tests"))
    wanted = {"conversation:": serves, "ended-by: client": True, ":protocol: websocket": serves, "total: 303": serves, "reason: see you": serves}
    if missing := [words for words, needed in wanted.items() if needed and words not in text.replace('":protocol"', ":protocol")]:
        raise Failed(f"the files do not say {missing}:\n{text[:3000]}")
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    if secure and manifest.count("tls: valid") + manifest.count("tls: untrusted") < 2:
        raise Failed(f"recording.yaml does not say that both sides spoke TLS:\n{manifest}")


def cases(stand, tools):
    python, go = tools
    asks = {"ACME": "1000 thanks", "LAST": "4000 sold out"}
    apps = {"node": (["node", HERE / "app.mjs", "{port}"], True, asks), "python": ([python, HERE / "app.py", "{port}"], True, {}), "go": ([go, "{port}"], False, {})}
    for name, (command, serves, asks) in apps.items():
        yield name, lambda: works(stand, name, command, serves, asks, False)
        yield f"{name}-tls", lambda: works(stand, f"{name}-tls", command, serves, asks, True)
        red = {1, 2, 3} if serves else {1}
        places = ["response.conversation["] * serves + ["response.events[1]"]
        yield f"{name}-drops", lambda: stand.defect(name, "drops_stream_message", red, places)
        places = ["response.conversation["] * serves + ["response.events[0]"]
        yield f"{name}-reorders", lambda: stand.defect(name, "reorders_stream", red, places)


def install(cache):
    """Python with its clients, the Go program, and what Node needs."""
    sources = [HERE / "go" / "main.go", HERE / "go" / "go.mod", HERE / "package.json"]
    install_once(cache, PACKAGES + [source.read_text("utf-8") for source in sources], TOOLS, fill)
    return str(cache / "python" / "bin" / "python"), str(cache / "app-go")


def fill(cache):
    install_python(cache / "python", PACKAGES)
    (cache / "node").mkdir()
    shutil.copy(HERE / "package.json", cache / "node")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], cache / "node")
    run_tool(["go", "build", "-o", cache / "app-go", "."], HERE / "go")


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["cache"] = cache
        return install(cache)

    sys.exit(main("streams-http2", __doc__.split("\n\n")[0], lambda folder: Prices(folder, store["cache"]), installed, cases))
