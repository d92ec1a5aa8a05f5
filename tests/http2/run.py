#!/usr/bin/env python3
"""Records apps that speak HTTP/2 on both sides, and replays them with their server stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

The server is Node's, without TLS and with it; the apps are written with Go's net/http, Node's http2, and
Hypercorn with httpx. They are called by curl, nghttp and h2load. Java's HttpClient asks connections of HTTP/1.1
to become HTTP/2, of an app and in one, where GraphQL and SOAP are spoken too; it agrees on that by TLS as well. h2spec checks that a server
behaves behind `record` as it does without it.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Clients are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, free_port, install_once, install_python, listens, main, run_tool, wait_until  # noqa: E402

PACKAGES = ["httpx[http2]==0.28.*", "hypercorn==0.18.*"]
# Of h2spec, for what depends on who is quicker.
TRIES = 10
H2SPEC = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible"
TOOLS = [("go", "golang-go"), ("node", "nodejs"), ("curl", "curl"), ("javac", "default-jdk-headless"), ("nghttp", "nghttp2-client"), ("h2load", "nghttp2-client"), ("openssl", "openssl")]
UPLOAD = "".join(f"line {number} of what is uploaded\n" for number in range(40_000))
# Path, body, status and what the answer has; the number of a test is its place.
REQUESTS = [
    ("/quote/A1", None, 200, '"total":321'),
    ("/quote/A2", None, 200, '"total":342'),
    ("/many", None, 200, "sum 3330"),
    ("/upload", UPLOAD, 200, '"length":1228890'),
    ("/large", None, 200, "warehouse goods 0123456789"),
    ("/trailers", None, 200, "one,two"),
    ("/hints", None, 200, "hinted"),
    ("/reset", None, 200, "broken off"),
    ("/half", None, 200, "broken off"),
    ("/missing", None, 404, ""),
    ("/quote/A3?over=tls", None, 200, '"total":363'),
]


class Warehouse(Server):
    """The upstream, with a certificate that the apps are told to trust."""

    def __init__(self, folder):
        super().__init__(folder)
        self.secure = free_port()
        home = self.folder / "home"
        home.mkdir()
        run_tool([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "valid.key", "-out", folder / "valid.pem",
        ], folder)
        self.env |= {name: str(folder / "valid.pem") for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")}
        self.env |= {"WAREHOUSE_URL": f"http://localhost:{self.port}", "SECURE_URL": f"https://localhost:{self.secure}"}
        self.env |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data")}

    def command(self):
        return ["node", HERE / "upstream.mjs", self.port, self.secure, self.folder]

    def ready(self):
        return listens(self.port) and listens(self.secure)


def run(words, limit=60, **options):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, timeout=limit, **options)
    return done.returncode, done.stdout, done.stderr


def by_curl(port, path, body, status, part, *more):
    """Calls the app over HTTP/2, and raises unless it answers so."""
    words = ["curl", "-sS", "--http2-prior-knowledge", "-w", "\n%{http_version} %{http_code}", f"http://127.0.0.1:{port}{path}", *more]
    if body is not None:
        words += ["--data-binary", "@-", "-H", "content-type: text/plain"]
    code, text, problem = run(words, input=body)
    text, _, end = text.rpartition("\n")
    if code != 0 or end != f"2 {status}" or part not in text.replace(": ", ":"):
        raise Failed(f"{path} was answered with {end} {text[:300]!r} {problem}, not {status} and {part!r}")


def by_nghttp(port):
    """Calls the app eight times at once on one connection."""
    code, text, problem = run(["nghttp", "-v", "-n", "-m", "8", f"http://127.0.0.1:{port}/many"])
    if code != 0 or len(re.findall(r":status: 200\b", text)) != 8:
        raise Failed(f"nghttp was answered with {text[-600:]!r} {problem}, not 8 times 200")


def by_h2load(port):
    """Calls the app sixty times, on three connections with five streams each."""
    code, text, problem = run(["h2load", "-n", "60", "-c", "3", "-m", "5", f"http://127.0.0.1:{port}/trailers"])
    if code != 0 or "60 2xx" not in text:
        raise Failed(f"h2load says {text[-600:]!r} {problem}, not 60 times 2xx")


def record(stand, name, command, calls):
    """Records an app while these functions are called with its port."""
    port = free_port()
    command = [str(word).replace("{port}", str(port)) for word in command]
    stand.server.start()
    try:
        with stand.recording(name, command, port):
            for call in calls:
                call(port)
    finally:
        stand.server.stop()
    return (stand.folder / f"record-{name}.log").read_text("utf-8")


def replay(stand, name, count):
    """Replays as often as told; every test must pass each time."""
    seconds = []
    for number in range(stand.repeat):
        code, printed, took = stand.test(name, f"test-{name}-{number + 1}.log")
        seconds.append(took)
        if code != 0 or f"{count} passed" not in printed:
            raise Failed(f"run {number + 1} of {stand.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    return f"{count} tests, {stand.repeat} runs green, {min(seconds):.2f} to {max(seconds):.2f} s"


def works(stand, name, command):
    """All that an app does, recorded and replayed; both sides are read as HTTP/2."""
    record(stand, name, command, [lambda port, one=one: by_curl(port, *one) for one in REQUESTS])
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    if "opaque" in manifest or "tls: valid" not in manifest:
        raise Failed(f"recording.yaml does not say that all was read:\n{manifest}")
    for file in stand.files(f"{name}/tests"):
        text = file.read_text("utf-8")
        requests = len(re.findall(r"^ {2,4}http: ", text, re.M))
        if requests < 2 or text.count('version: "2"') != requests:
            raise Failed(f"{file.name} has {requests} requests, not all over HTTP/2:\n{text[:2000]}")
    return replay(stand, name, len(REQUESTS))


def upgrades(stand, name, command, java):
    """Connections of HTTP/1.1 to an app that become HTTP/2: by Java's client, which does so by itself, and by curl."""
    port, paths = free_port(), ["/prices/A1", "/prices/A2"]
    with stand.recording(name, [str(word).replace("{port}", str(port)) for word in command], port):
        url = f"http://127.0.0.1:{port}"
        code, text, problem = run([*java, *(url + path for path in paths)])
        if code != 0 or text.count("HTTP_2 ") != 2 or '"cents":114' not in text:
            raise Failed(f"Java is answered {text!r} {problem}")
        code, text, problem = run(["curl", "-sS", "--http2", "-w", " %{http_version}", url + paths[0]])
        if code != 0 or not text.endswith("}\n 2"):
            raise Failed(f"curl is answered {text!r} {problem}")
    told = "".join(file.read_text("utf-8") for file in stand.files(f"{name}/tests"))
    if "h2c" in told or told.count('version: "2"') != 1 or told.count("http: GET /prices") != 3:
        raise Failed(f"not three requests of which the second is one of HTTP/2:\n{told}")
    return replay(stand, name, 3)


def asks(stand, name, command, server):
    """An app whose client asks for HTTP/2, where GraphQL and SOAP are spoken; the server must have seen that after the first request."""
    theirs = type(stand)(server, stand.folder, stand.cache, stand.program, stand.repeat)
    requests = [
        ("GET", "/prices/A1", None, 200, '"cents":107'), ("GET", "/item/A2", None, 200, '"cents":114'), ("GET", "/tax/DE", None, 200, "19"),
        ("GET", "/prices/A3", None, 200, '"cents":121'),
    ]
    said = theirs.app(name, command, requests)
    told = "".join(file.read_text("utf-8") for file in stand.files(f"{name}/tests"))
    seen = server.log.read_text("utf-8")
    if seen.count(" HTTP/2") != len(requests) - 1 or told.count('version: "2"') != len(requests) - 1 or "h2c" in told:
        raise Failed(f"it was not all read as HTTP/2, as the server saw it:\n{seen}\n{told}")
    for bug, red, words in [
        ("total", [1, 4], ["response.body"]), ("variable", [2], ["query Item", "body.variables.sku"]), ("country", [3], ["SOAP rate", "body/Envelope/Body/rate/country"]),
    ]:
        theirs.defect(name, bug, red, words)
    return f"{said}; 3 defects red, and named as GraphQL and SOAP are"


def agrees(stand, name, java):
    """Java's client and HTTP/2 over TLS: in a shop that calls the warehouse, and as who calls an app."""
    skus = ["A1", "A2", "A3"]
    env = {"PRICES_URL": stand.server.env["SECURE_URL"]}
    said = stand.app(f"{name}-shop", [*java, "{port}"], [("GET", f"/prices/{sku}", None, 200, '"cents":1') for sku in skus], env)
    port = free_port()
    with stand.recording(f"{name}-called", ["node", HERE / "upstream.mjs", str(free_port()), str(port), str(stand.server.folder)], port):
        store, authority = stand.folder / "roots.p12", Path(stand.server.env["XDG_DATA_HOME"]) / "rehearsal" / "authority.crt"
        run_tool(["keytool", "-importcert", "-noprompt", "-alias", "ours", "-file", authority, "-keystore", store, "-storepass", "changeit"], stand.folder)
        trusting = [java[0], f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit", *java[1:]]
        code, text, problem = run([*trusting, *(f"https://localhost:{port}/prices/{sku}" for sku in skus)])
        if code != 0 or text.count("HTTP_2 ") != len(skus) or '"cents":114' not in text:
            raise Failed(f"Java is answered {text!r} {problem}")
    for recorded in (f"{name}-shop", f"{name}-called"):
        told = "".join(file.read_text("utf-8") for file in stand.files(f"{recorded}/tests"))
        manifest = (stand.folder / "rehearsal" / recorded / "recording.yaml").read_text("utf-8")
        if told.count('version: "2"') != len(skus) or "tls: valid" not in manifest or "opaque" in manifest:
            raise Failed(f"not {len(skus)} requests of HTTP/2 over TLS:\n{manifest}\n{told}")
    return f"{said}; called: {replay(stand, f'{name}-called', len(skus))}"


# Path, and what an app says of how its call was ended, in Go and in Node. Where a call may be made again Go's client does so by itself.
CODES = [
    ("/codes/reset/0", "code NO_ERROR", "code 0"), ("/codes/reset/10", "code CONNECT_ERROR", "code 10"), ("/codes/reset/8", "code CANCEL", "code 8"),
    ("/codes/reset/11", "code ENHANCE_YOUR_CALM", "code 11"), ("/codes/reset/13", "code HTTP_1_1_REQUIRED", "code 13"),
    ("/codes/reset/7/once", 'answered {"asked":"again"}', "code 7"), ("/codes/leave/0/once", 'answered {"asked":"again"}', "code 7"),
    ("/codes/leave/11/once", 'answered {"asked":"again"}', "code 11"), ("/codes/heard/11", "code ENHANCE_YOUR_CALM", "code 11"),
]
# How each of them is written.
WRITTEN = [
    *(f"failure: reset\n    reset-code: {code}\n" for code in ["NO_ERROR", "CONNECT_ERROR", "CANCEL", "ENHANCE_YOUR_CALM", "HTTP_1_1_REQUIRED", "REFUSED_STREAM"]),
    *(f"failure: unheard\n    reset-code: {code}\n" for code in ["NO_ERROR", "ENHANCE_YOUR_CALM"]),
    "failure: closed\n    reset-code: ENHANCE_YOUR_CALM\n",
]


def codes(stand, name, command, said):
    """Streams that the server ends with a code: the app's client sees the same one at replay, and another one where the file says so."""
    record(stand, name, command, [lambda port, path=path, words=words: by_curl(port, path, None, 200, words) for path, words in said])
    told = [file.read_text("utf-8") for file in stand.files(f"{name}/tests")]
    if missing := [wanted for wanted, text in zip(WRITTEN, told, strict=True) if wanted not in text]:
        raise Failed(f"the files do not say {missing}:\n{told}")
    green = replay(stand, name, len(said))
    words = dict(said)["/codes/reset/8"], dict(said)["/codes/reset/11"]
    stand.served(name, "reset-code: CANCEL", "reset-code: ENHANCE_YOUR_CALM", [3], words)
    return f"{green}; another code by hand is what the app sees"


def breaks(stand, name, command, code, number, others):
    """An app that resets the stream of its client: with another code, or with an answer, its test is red."""
    def by_reset(port):
        done, _, problem = run(["curl", "-sS", "--http2-prior-knowledge", f"http://127.0.0.1:{port}/breaks/{number}"])
        if done != 92 or f"{code} (err {number})" not in problem:
            raise Failed(f"curl ended with {done} and {problem!r}, not by {code}")

    record(stand, name, command, [by_reset])
    [file] = stand.files(f"{name}/tests")
    if f"failure: reset\nreset-code: {code}\n" not in file.read_text("utf-8"):
        raise Failed(f"it does not say {code}:\n{file.read_text('utf-8')}")
    return f"{replay(stand, name, 1)}; {stand.defect(name, 'breaks', [1], others)}"


class Upgrading(Server):
    """A price list that lets connections become HTTP/2."""

    def __init__(self, folder, program, env):
        super().__init__(folder)
        self.program = program
        self.env |= {name: env[name] for name in ("HOME", "XDG_DATA_HOME")} | {"PRICES_URL": f"http://127.0.0.1:{self.port}"}

    def command(self):
        return [self.program, self.port, "prices"]


def crowd(stand, name, command):
    """Several requests at once on each of several connections, one of which makes twenty calls at once."""
    record(stand, name, command, [by_nghttp, by_h2load])
    return replay(stand, name, 8 + 60)


def edited(stand, name):
    """An answer edited by hand is what the app gets."""
    [file] = [file for file in stand.files(f"{name}/tests") if "get-many" in file.name]
    before = file.read_text("utf-8")
    if "cents: 100}" not in before:
        raise Failed(f"there is no price of 100 in {file}")
    try:
        file.write_text(before.replace("cents: 100}", "cents: 5100}"), "utf-8")
        code, printed, _ = stand.test(name, f"test-{name}-edited.log")
    finally:
        file.write_text(before, "utf-8")
    if code != 1 or "sum 8330" not in printed:
        raise Failed(f"ended with exit code {code}:\n{printed[-2000:]}")
    return "sum 8330 instead of sum 3330"


def conforms(stand, name, h2spec):
    """What h2spec finds of a server is the same with us between. Some of its tests depend on who is quicker; each has several tries."""
    command = lambda port: ["node", HERE / "upstream.mjs", port, free_port(), stand.server.folder]  # noqa: E731
    port, between = free_port(), free_port()

    def found(port, passed):
        """Adds the tests that the server passes."""
        _, text, _ = run([h2spec, "-h", "127.0.0.1", "-p", port, "-P", "/missing", "-o", "1"], limit=300, errors="replace")
        passed |= {line.strip() for line in text.splitlines() if "✔" in line}
        return (re.findall(r"\d+ tests, .*", text) or [text[-300:]])[0]

    direct, carried = set(), set()
    process = subprocess.Popen([*map(str, command(port))], cwd=stand.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), process, "the server")
        with stand.recording(name, [*map(str, command(between))], between):
            for tries in range(TRIES):
                if tries >= 2 and direct == carried:
                    break
                said, _ = found(port, direct), found(between, carried)
    except Failed as why:
        # Much of what h2spec says is no HTTP/2, and said to be.
        if "was not read" not in str(why):
            raise
    finally:
        process.kill()
        process.wait()
    if len(direct) < 100 or direct != carried:
        raise Failed(f"directly: {said}; what differs with us between: {sorted(direct ^ carried)}")
    return f"the same directly and with us between: {said}"


def cases(stand, tools):
    python, go, h2spec, classes = tools
    java = [shutil.which("java"), "-XX:TieredStopAtLevel=1", "-cp", classes, "Shop"]
    apps = {"go": [go, "{port}"], "node": ["node", HERE / "app.mjs", "{port}"], "python": [python, HERE / "app.py", "{port}"]}
    for name, command in apps.items():
        yield name, lambda: works(stand, name, command)
        for bug, number in [("total", 2), ("trailers", 6), ("status", 10)]:
            yield f"{name}-{bug}", lambda: stand.defect(name, bug, [number], [])
    yield "upgrade", lambda: upgrades(stand, "upgrade", [go, "{port}", "prices"], java)
    yield "java", lambda: asks(stand, "java", [*java, "{port}"], Upgrading(stand.folder / "prices", go, stand.server.env))
    yield "java-tls", lambda: agrees(stand, "java-tls", java)
    for name, command in apps.items():
        yield f"{name}-crowd", lambda: crowd(stand, f"{name}-crowd", command)
    for place, name in enumerate(("go", "node"), 1):
        yield f"{name}-codes", lambda: codes(stand, f"{name}-codes", apps[name], [(each[0], each[place]) for each in CODES])
    yield "node-breaks", lambda: breaks(stand, "node-breaks", apps["node"], "ENHANCE_YOUR_CALM", 11, ["was reset (CANCEL)", "recorded was reset (ENHANCE_YOUR_CALM)"])
    yield "go-breaks", lambda: breaks(stand, "go-breaks", apps["go"], "INTERNAL_ERROR", 2, ["an answer"])
    yield "edited", lambda: edited(stand, "go")
    yield "isolation", lambda: stand.isolated("node", "GET /")
    yield "h2spec", lambda: conforms(stand, "h2spec", h2spec)


def install(cache):
    """Python with its clients, the Go program, h2spec, and where the classes of the Java program are."""
    sources = [source.read_text("utf-8") for source in [*sorted((HERE / "go").iterdir()), HERE / "java" / "Shop.java"]]
    install_once(cache, [*PACKAGES, H2SPEC, *sources], TOOLS, fill)
    return str(cache / "python" / "bin" / "python"), str(cache / "app-go"), str(cache / "h2spec"), str(cache / "java")


def fill(cache):
    install_python(cache / "python", PACKAGES)
    run_tool(["go", "build", "-o", cache / "app-go", "."], HERE / "go")
    run_tool(["javac", "-d", cache / "java", HERE / "java" / "Shop.java"], cache)
    subprocess.run(["go", "install", H2SPEC], check=True, cwd=cache, env=os.environ | {"GOBIN": str(cache)}, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main("http2", __doc__.split("\n\n")[0], Warehouse, install, cases))
