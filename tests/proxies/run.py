#!/usr/bin/env python3
"""Records an app that calls its dependencies through a forward proxy, and replays it with neither there.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Each client calls a server over plain HTTP, where the proxy is told the whole URL, and over TLS in a tunnel
(`CONNECT`); some do both through a SOCKS proxy, which is told a name or an address. What is recorded must be with the server itself, and read; the proxy wants to know who asks, and
no file may have the answer to that. HOME is a temporary folder.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Clients are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import base64
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, free_port, install_once, install_python, listens, main, run_tool  # noqa: E402

PACKAGES = ["requests==2.32.*", "httpx[socks]==0.28.*", "PySocks==1.7.*", "cryptography==46.*"]
CLIENTS = ["curl", "asked-curl", "tunnel-curl", "urllib", "requests", "httpx", "go", "node", "java"]
SOCKS = ["socks-curl", "socks-requests", "socks-httpx", "socks-go"]
# Those that tell the proxy no name (`socks5://`), and the address that they tell it.
LOOKED_UP = {"looked-up-curl": "192.0.2.7", "looked-up-requests": "127.0.0.1"}
LOGIN = "clerk:Very-Secret-Of-The-Proxy-71"
TOLD = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
UNTOLD = ["SSL_CERT_DIR", "AWS_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO", "DENO_CERT", "CARGO_HTTP_CAINFO", "JAVA_TOOL_OPTIONS", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"]


class Proxied(Server):
    secrets = [LOGIN.split(":")[1], base64.b64encode(LOGIN.encode()).decode()]

    def __init__(self, folder):
        super().__init__(folder)
        self.socks, self.plain, self.secured = free_port(), free_port(), free_port()
        home = folder / "home"
        home.mkdir()
        for name in UNTOLD:
            self.env.pop(name, None)
        proxy = f"http://{LOGIN}@127.0.0.1:{self.port}"
        self.env |= {name: str(folder / "ca.pem") for name in TOLD}
        self.env |= {name: proxy for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "PROXY_URL")}
        self.env |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "PROXY_LOGIN": LOGIN}
        self.env["SOCKS_URL"] = f"socks5h://{LOGIN}@127.0.0.1:{self.socks}"

    def command(self):
        return ["env", f"PROXY_LOGIN={LOGIN}", sys.executable, HERE / "upstream.py", self.folder, self.port, self.socks, self.plain, self.secured]

    def ready(self):
        return all(map(listens, [self.port, self.socks, self.plain, self.secured]))


def kind(client, scheme):
    """What the app is asked, and what it answers."""
    return ("GET", f"/{client}/{scheme}", None, 200, "Gr")


def recorded(stand, name, wanted, unwanted=("opaque",)):
    """Raises unless recording.yaml says so, and nothing else."""
    text = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    if missing := [words for words in wanted if words not in text] + [words for words in unwanted if words in text]:
        raise Failed(f"recording.yaml does not say, or says, {missing}:\n{text}")


def works(stand, app, client, server="payments.example"):
    """One client by both schemes: the edges are the servers, as the proxy is told of them."""
    schemes = ["http", "https"]
    said = stand.app(client, app, [kind(client, scheme) for scheme in schemes])
    secured = f"  {server}:443:\n    protocol: http\n    tls: valid\n"
    recorded(stand, client, [f"  {server}:80:\n    protocol: http\n", secured])
    files = "\n".join(file.read_text("utf-8") for file in stand.files(client))
    for words in ("http: GET /item?n=1\n", f"edge: {server}:443"):
        if words not in files:
            raise Failed(f"no file has {words!r}")
    if "http://payments" in files or "Very-Secret" in files:
        raise Failed("what is for the proxy alone is in a file")
    return said


def blocked(stand, app, name, clients):
    """A proxy that connects nobody with a server: that is what it says again."""
    paths = [("GET", f"/{client}/blocked", None, 500, "failed: ") for client in clients]
    said = stand.app(name, app, paths)
    if "CONNECT blocked.example:443" not in (stand.folder / "rehearsal" / name / "ambient.yaml").read_text("utf-8"):
        raise Failed("ambient.yaml does not say what the proxy was asked")
    return said


def unknown(stand, app, name, client):
    """A server that was not recorded is not reached through the proxy either."""
    stand.app(name, app, [kind(client, "https")])
    for file in stand.files(name):
        file.write_text(file.read_text("utf-8").replace("payments.example:443", "another.example:443"), "utf-8")
    code, printed, _ = stand.test(name, f"test-{name}.log")
    if code != 1 or "CONNECT payments.example:443" not in printed:
        raise Failed(f"exit code {code}:\n{printed[-2000:]}")
    return "red, and named"


def cases(stand, tools):
    app = [tools, HERE / "app.py", "{port}", stand.cache]
    for client in CLIENTS + SOCKS:
        yield client, lambda client=client: works(stand, app, client)
    for client, address in LOOKED_UP.items():
        yield client, lambda client=client, address=address: works(stand, app, client, address)
    yield "blocked", lambda: blocked(stand, app, "blocked", ["curl", "urllib", "go", "requests"])
    yield "socks-blocked", lambda: blocked(stand, app, "socks-blocked", ["socks-curl", "socks-go"])
    yield "unknown", lambda: unknown(stand, app, "unknown", "curl")
    yield "socks-unknown", lambda: unknown(stand, app, "socks-unknown", "socks-curl")
    for client in ("curl", "socks-curl"):
        yield f"{client} isolation", lambda client=client: stand.isolated(client, "connection received")


def install(cache):
    """Python with its clients; those of other languages lie in the cache folder."""
    sources = [(HERE / name).read_text("utf-8") for name in ("go/main.go", "node/package.json", "node/client.mjs", "java/Client.java")]
    tools = [("go", "golang"), ("node", "nodejs"), ("npm", "npm"), ("curl", "curl"), ("javac", "default-jdk-headless")]
    install_once(cache, PACKAGES + sources, tools, fill)
    return str(cache / "python" / "bin" / "python")


def fill(cache):
    install_python(cache / "python", PACKAGES)
    run_tool(["go", "build", "-o", cache / "client-go", "."], HERE / "go")
    shutil.copytree(HERE / "node", cache / "node")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], cache / "node")
    run_tool(["javac", "-d", cache / "java", HERE / "java" / "Client.java"], cache)


def server(cache):
    """What makes the server, once its certificates are there."""
    def make(folder):
        made = Proxied(folder)
        run_tool([cache / "python" / "bin" / "python", HERE.parent / "tls" / "certificates.py", folder], folder)
        return made
    return make


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["cache"] = cache
        return install(cache)

    sys.exit(main("proxies", __doc__.split("\n\n")[0], lambda folder: server(store["cache"])(folder), installed, cases))
