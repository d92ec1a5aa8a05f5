#!/usr/bin/env python3
"""Records shops that speak everything that is encrypted, multiplexed and streamed, and replays them with all that they call stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Every shop pays over HTTPS, looks into its stock by gRPC over TLS, asks for taxes by SOAP over HTTPS, tells of orders
over WebSocket and server-sent events, and is asked by GraphQL and REST. Every planted defect must turn exactly its
tests red and name the place.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Libraries are installed into the cache
folder. Exit code 0 when all passed, 1 when one failed.
"""

import itertools
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, ask, free_port, install_once, install_python, listens, main, run_tool  # noqa: E402

PACKAGES = [
    "aiohttp==3.*", "cryptography==46.*", "grpcio==1.85.*", "grpcio-tools==1.85.*", "strawberry-graphql==0.341.*", "websockets==15.*", "zeep==4.*",
]
SOURCES = ["inventory.proto", "go/go.mod", "go/go.sum", "go/main.go", "node/package.json", "node/shop.mjs", "java/pom.xml", "java/Shop.java"]
TOOLS = [("curl", "curl"), ("go", "golang"), ("node", "nodejs"), ("npm", "npm"), ("mvn", "maven"), ("javac", "default-jdk-headless")]
RUST = HERE / "rust"
# The defect, the tests that must be red by it, and words of which each must be in what `rehearsal test` prints.
DEFECTS = {
    "grpc_status": ([2], ["response.status", "404", "503", "NOT_FOUND: there is no item Z9", "UNAVAILABLE"]),
    "soap_fault": ([3], ["response.status", "422", "no rate is known for XX", "payments · POST /charges is a call that no mock answers"]),
    "drops_stream_message": ([4, 5], ["response.conversation[2]", '"event":"taxed"', "response.events[1]", "state: sent"]),
    "reorders_stream": ([4, 5], ["response.conversation[1]", '"event":"priced"', "response.events[0]", "state: packed"]),
    "graphql_null": ([6], ["query Item", "response.body.data.item.cents", "1990", "null"]),
    "expired_cert_accepted": ([7], ["response.status", "502", "refunds · POST /refunds is a call that no mock answers"]),
}
# What a recording must say: each edge is read over TLS, by its own protocol, and the one that is expired says so.
EDGES = {
    "payments": ["protocol: http", "tls: valid"], "inventory": ["protocol: http", "tls: valid"],
    "tax": ["protocol: http", "tls: valid"], "refunds": ["tls: expired"],
}
SAID = ["/inventory.Inventory/Look", "cents: 1990", "status: NOT_FOUND", "state: packed", "GetTax", "query Item", "event: taxed", "payment: pay-4736"]


class Services(Server):
    def __init__(self, folder, cache):
        super().__init__(folder)
        self.python = cache / "python" / "bin" / "python"
        run_tool([self.python, HERE.parent / "tls" / "certificates.py", folder], folder)
        self.ports = {name: free_port() for name in ("payments", "refunds", "inventory", "tax")}
        home = folder / "home"
        home.mkdir()
        roots = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"]
        self.env |= {name: str(folder / "ca.pem") for name in roots}
        self.env |= {name.upper(): f"https://localhost:{port}" for name, port in self.ports.items()}
        self.env |= {"INVENTORY": f"localhost:{self.ports['inventory']}", "DESCRIPTORS": str(cache / "inventory.binpb"), "PROTO": str(HERE / "inventory.proto")}
        self.env |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "PYTHONDONTWRITEBYTECODE": "1"}

    def command(self):
        ports = [f"{name}={port}" for name, port in self.ports.items()]
        return [self.python, HERE / "services.py", self.folder, *ports]

    def start(self):
        # The services find the descriptors as the shops do.
        self.user = {"env": self.env}
        super().start()

    def ready(self):
        return all(map(listens, self.ports.values()))


def order(sku, quantity, country):
    return {"sku": sku, "quantity": quantity, "country": country}


def run(words, wanted):
    """Runs a client; its output must have these texts."""
    done = subprocess.run([*map(str, words)], check=False, capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or not all(text in done.stdout for text in wanted):
        raise Failed(f"{words[0]} ended with {done.returncode}, not saying {wanted}: {done.stdout} {done.stderr[-1000:]}")


def buy(stand, port):
    """The seven tests, whose order the defects know."""
    ask(port, "POST", "/orders", order("A1", 2, "DE"), 201, "pay-4736")
    ask(port, "POST", "/orders", order("Z9", 1, "DE"), 404, "NOT_FOUND: there is no item Z9")
    ask(port, "POST", "/orders", order("A1", 1, "XX"), 422, "no rate is known for XX")
    run([stand.server.python, HERE / "client.py", port, '{"sku":"A1","quantity":1,"country":"FR"}', '{"sku":"B2","quantity":1,"country":"DE"}'], ["pay-2388", "pay-29750", "1000 see you"])
    run(["curl", "-sSN", "--max-time", "60", "-H", "Accept: text/event-stream", f"http://127.0.0.1:{port}/deliveries/A1"], ["id: 4", "signed"])
    ask(port, "POST", "/graphql", {"query": "query Item($sku: String!) { item(sku: $sku) { count cents } }", "variables": {"sku": "A1"}}, 200, "1990")
    ask(port, "POST", "/refunds", {"payment": "pay-4736"}, 502, "expired")


def shop(stand, name, command):
    """Records a shop, and replays it with nothing that it calls."""
    port = free_port()
    edges = "".join(f"  {edge}:\n    addresses: 127.0.0.1:{at}\n" for edge, at in stand.server.ports.items())
    (stand.folder / "rehearsal.yaml").write_text(f"proto: [{HERE / 'inventory.proto'}]\nedges:\n{edges}", "utf-8")
    stand.server.start()
    try:
        with stand.recording(name, [str(word).replace("{port}", str(port)) for word in command], port):
            buy(stand, port)
    finally:
        stand.server.stop()
    files = "".join(file.read_text("utf-8") for file in stand.files(name))
    if missing := [word for word in SAID if word not in files]:
        raise Failed(f"the recording does not say {missing}")
    seconds = []
    for number in range(stand.repeat):
        code, printed, took = stand.test(name, f"test-{name}-{number + 1}.log")
        seconds.append(took)
        if code != 0:
            raise Failed(f"run {number + 1} of {stand.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    return f"7 tests, {stand.repeat} runs green, {min(seconds):.2f} to {max(seconds):.2f} s"


def edges(stand, name):
    """The recording knows every edge by its name, and how it was encrypted."""
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    for edge, words in EDGES.items():
        lines = manifest.partition(f"\n  {edge}:\n")[2].splitlines()
        said = [line.strip() for line in itertools.takewhile(lambda line: line.startswith("    "), lines)]
        if missing := [word for word in words if word not in said]:
            raise Failed(f"recording.yaml does not say {missing} of {edge}:\n{manifest}")
    return f"{len(EDGES)} edges over TLS"


def cases(stand, tools):
    for name, command in tools.items():
        yield name, lambda name=name, command=command: shop(stand, name, command)
        yield f"{name} edges", lambda name=name: edges(stand, name)
        for bug, (red, words) in DEFECTS.items():
            yield f"{name} {bug}", lambda name=name, bug=bug, red=red, words=words: stand.defect(name, bug, red, words)


def install(cache):
    """The words that run each shop, by its language."""
    sources = sorted([*RUST.glob("Cargo.*"), *RUST.glob("src/*.rs")])
    rust = cache.with_name("everything-rust")
    install_once(rust, [source.read_text("utf-8") for source in sources], [("cargo", "cargo")], build_rust)
    install_once(cache, PACKAGES + [(HERE / source).read_text("utf-8") for source in SOURCES], TOOLS, fill)
    return {
        "python": [cache / "python" / "bin" / "python", HERE / "shop.py", "{port}"],
        "go": [cache / "shop-go", "{port}"],
        "node": [shutil.which("node"), cache / "node" / "shop.mjs", "{port}"],
        "rust": [rust / "everything-shop", "{port}"],
        "java": [shutil.which("java"), "-XX:TieredStopAtLevel=1", "-cp", f"{cache / 'java' / 'lib'}:{cache / 'java' / 'lib' / '*'}", "Shop", "{port}"],
    }


def fill(cache):
    python = install_python(cache / "python", PACKAGES)
    run_tool([python, "-m", "grpc_tools.protoc", "-I", HERE, f"--descriptor_set_out={cache / 'inventory.binpb'}", "inventory.proto"], cache)
    run_tool(["go", "build", "-o", cache / "shop-go", "."], HERE / "go")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], shutil.copytree(HERE / "node", cache / "node"))
    java = shutil.copytree(HERE / "java", cache / "java")
    run_tool(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], java)
    run_tool(["javac", "-cp", "lib/*", "-d", "lib", "Shop.java"], java)


def build_rust(cache):
    # What the compiler made stays when a source changes.
    target = cache.with_name("everything-rust-target")
    run_tool(["cargo", "build", "--quiet", "--locked", "--target-dir", target], RUST)
    shutil.copy(target / "debug" / "everything-shop", cache)


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["cache"] = cache
        return install(cache)

    sys.exit(main("everything", __doc__.split("\n\n")[0], lambda folder: Services(folder, store["cache"]), installed, cases))
