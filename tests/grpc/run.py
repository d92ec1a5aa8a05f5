#!/usr/bin/env python3
"""Records apps that speak gRPC with a real server, and replays them with the server stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

The cases of gRPC's interoperability tests, by a service of our own in Python, Go, Node and Java: apps in the same
languages call it, without TLS and with it, and it is an app itself that a Python client calls. All must say
without us what they say with us between. A test that was edited by hand must be served as edited.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Clients are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, ask, free_port, install_once, install_python, listens, main, run_tool, wait_until  # noqa: E402

sys.path.insert(0, str(HERE))

import grpcurl  # noqa: E402

GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4"
PACKAGES = [f"{name}==1.85.*" for name in ("grpcio", "grpcio-tools", "grpcio-status", "grpcio-health-checking", "grpcio-reflection")]
SOURCES = ["go/go.mod", "go/go.sum", "go/main.go", "go/serve.go", "node/package.json", "proto/interop/interop.proto", "proto/interop/payload.proto"]
SOURCES += ["java/pom.xml", *(f"java/{name}.java" for name in ("App", "Cases", "Service", "Types"))]
TOOLS = [("go", "golang"), ("node", "nodejs"), ("npm", "npm"), ("openssl", "openssl"), ("mvn", "maven"), ("javac", "default-jdk-headless")]
PYTHON = {
    "empty_unary": "", "large_unary": "314159 271828", "fields": "héllo LOUD 5", "client_streaming": "74922", "server_streaming": "31415,9,2653,58979",
    "ping_pong": "31415,9,2653,58979", "empty_stream": "nothing", "custom_metadata": r"first b'\xab\xab\xab' 0",
    "status_code_and_message": r"UNKNOWN 'test status message'; UNKNOWN '\t\ntest with white space\r\nand Unicode ☺\t\n'; FAILED_PRECONDITION 'in a stream'",
    "not_found": "NOT_FOUND 'no such order' with 1 details", "late_status": "[3] RESOURCE_EXHAUSTED 'enough'",
    "unimplemented": "UNIMPLEMENTED 'Method not implemented!'", "client_compressed_unary": "1000 2000", "client_compressed_streaming": "73086",
    "cancel_after_begin": "cancelled: True", "cancel_after_first_response": "31415 then CANCELLED", "timeout": "DEADLINE_EXCEEDED",
    "unimplemented_service": "UNIMPLEMENTED 'Method not found!'", "refused": "UNIMPLEMENTED 'Method not found!'",
    "server_compressed_unary": "314159,314159", "server_compressed_streaming": "31415,92653",
    "healthy": "SERVING", "reflection": "True interop/interop.proto Nothing,Unary,Sum,Count,Talk,Missing",
}
GO = {
    "empty_unary": "empty: true", "large_unary": "314159 271828", "client_streaming": "74922", "server_streaming": "[31415 9 2653 58979]",
    "ping_pong": "[31415 9 2653 58979]", "empty_stream": "[]", "custom_metadata": r'["first"] ["\xab\xab\xab"]',
    "status_code_and_message": r'Unknown "\t\ntest with white space\r\nand Unicode ☺\t\n" with 0 details; FailedPrecondition "in a stream" with 0 details',
    "not_found": 'NotFound "no such order" with 1 details', "unimplemented": 'Unimplemented "Method not implemented!" with 0 details',
    "client_compressed_unary": "2000", "cancel_after_first_response": "31415 then Canceled", "timeout": "DeadlineExceeded",
    "cancel_after_begin": "Canceled", "unimplemented_service": 'Unimplemented "Method not found!" with 0 details',
    "server_compressed_unary": "[314159 314159]", "server_compressed_streaming": "[31415 92653]",
}
NODE = {
    "empty_unary": "{}", "large_unary": "314159 271828", "client_streaming": "74922", "server_streaming": "31415,9,2653,58979",
    "ping_pong": "31415,9,2653,58979", "empty_stream": "nothing", "custom_metadata": "first ababab",
    "status_code_and_message": r'UNKNOWN "\t\ntest with white space\r\nand Unicode ☺\t\n"; FAILED_PRECONDITION "in a stream"',
    "not_found": 'NOT_FOUND "no such order"', "unimplemented": 'UNIMPLEMENTED "Method not implemented!"',
    "unimplemented_service": 'UNIMPLEMENTED "Method not found!"', "server_compressed_unary": "314159,314159",
    "server_compressed_streaming": "31415,92653", "cancel_after_begin": 'CANCELLED "Cancelled on client"',
    "cancel_after_first_response": "31415 then CANCELLED", "timeout": "DEADLINE_EXCEEDED",
}
JAVA = {
    "empty_unary": "empty: true", "large_unary": "314159 271828", "client_streaming": "74922", "server_streaming": "[31415, 9, 2653, 58979]",
    "ping_pong": "[31415, 9, 2653, 58979]", "empty_stream": "[]", "custom_metadata": "first 3",
    "status_code_and_message": "UNKNOWN '\t\ntest with white space\r\nand Unicode ☺\t\n' with 0 details; FAILED_PRECONDITION 'in a stream' with 0 details",
    "not_found": "NOT_FOUND 'no such order' with 1 details", "unimplemented": "UNIMPLEMENTED 'Method not implemented!' with 0 details",
    "client_compressed_unary": "2000", "cancel_after_first_response": "31415 then CANCELLED", "timeout": "DEADLINE_EXCEEDED",
    "cancel_after_begin": "CANCELLED", "unimplemented_service": "UNIMPLEMENTED 'Method not found!' with 0 details",
    "server_compressed_unary": "[314159][314159]", "server_compressed_streaming": "[31415, 92653]",
}
# What a service in another language says in other words, or does not do.
SAID = {
    "python": {},
    "go": {
        "unimplemented": "UNIMPLEMENTED 'unknown method Missing for service interop.Interop'",
        "unimplemented_service": "UNIMPLEMENTED 'unknown service interop.Nowhere'", "refused": "UNIMPLEMENTED 'unknown service interop.Nowhere'",
    },
    "java": {
        "unimplemented": "UNIMPLEMENTED 'Method not found: interop.Interop/Missing'",
        "unimplemented_service": "UNIMPLEMENTED 'Method not found: interop.Nowhere/Missing'",
        "refused": "UNIMPLEMENTED 'Method not found: interop.Nowhere/Missing'",
    },
    "node": {
        "unimplemented_service": "UNIMPLEMENTED 'The server does not implement the method /interop.Nowhere/Missing'",
        "refused": "UNIMPLEMENTED 'The server does not implement the method /interop.Nowhere/Missing'",
        "not_found": "NOT_FOUND 'no such order'",
    },
}
# What gRPC's clients make of the code with which a server resets a call, in Python and in Go.
RESETS = {
    "INTERNAL_ERROR": ("INTERNAL", "Internal"), "REFUSED_STREAM": ("UNAVAILABLE", "Unavailable"), "CANCEL": ("CANCELLED", "Canceled"),
    "ENHANCE_YOUR_CALM": ("RESOURCE_EXHAUSTED", "ResourceExhausted"),
}
# What a client gives up without an answer: how far the app comes with it is a matter of chance.
LEFT = {"cancel_after_begin", "timeout"}


class Interop(Server):
    """The service that is called, in a language; with a certificate that the apps are told to trust."""

    language = "python"

    def __init__(self, folder, cache):
        super().__init__(folder)
        self.secure, self.home = free_port(), folder / "home"
        self.home.mkdir()
        self.python, self.go = cache / "python" / "bin" / "python", cache / "app-go"
        self.java = [shutil.which("java"), "-XX:TieredStopAtLevel=1", "-cp", f"{cache / 'java'}:{cache / 'java' / 'lib' / '*'}"]
        run_tool([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "own.key", "-out", folder / "own.pem",
        ], folder)
        self.env |= {name: str(folder / "own.pem") for name in ("CERTIFICATE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")}
        self.env |= {"HOME": str(self.home), "XDG_DATA_HOME": str(self.home / "data"), "MODULES": str(cache / "node"), "PROTO": str(HERE / "proto")}
        self.env |= {"UPSTREAM": f"127.0.0.1:{self.port}", "PYTHONPATH": str(cache / "generated"), "PYTHONDONTWRITEBYTECODE": "1"}
        self.env |= {"GRPCURL": str(cache / "grpcurl"), "CERTIFICATES": str(folder / "own.pem")}
        self.env["DESCRIPTORS"] = str(cache / "interop.binpb")

    @property
    def over_tls(self):
        return {"UPSTREAM": f"https://localhost:{self.secure}"}

    def service(self, language, *ports):
        """What runs the service of a language on these ports."""
        words = {"python": [self.python, HERE / "service.py"], "go": [self.go, "serve"], "node": ["node", HERE / "node" / "service.mjs"], "java": [*self.java, "Service"], **{code: ["node", HERE / "node" / "reset.mjs", code] for code in RESETS}}
        return [str(word) for word in [*words[language], *ports]]

    def command(self):
        return self.service(self.language, self.port, self.secure)

    def ready(self):
        return listens(self.port) and listens(self.secure)

    def start(self):
        # The server finds what was generated as the apps do.
        self.user = {"env": self.env}
        super().start()


def gets(cases):
    return [("GET", f"/{name}", None, 200, text) for name, text in cases.items()]


def schema(stand, paths, more=""):
    """Lays out a project whose settings name these schemas."""
    if not (stand.folder / "proto").exists():
        shutil.copytree(HERE / "proto", stand.folder / "proto")
    settings = stand.folder / "rehearsal.yaml"
    settings.write_text(f"proto: [{', '.join(paths)}]\n{more}", "utf-8")


def text_of(stand, name):
    return "".join(file.read_text("utf-8") for file in stand.files(name))


def outbound(stand, name, command, cases, paths, words, env=None, settings=""):
    """The apps: what they say is the same recorded and replayed, and the files say it in these words."""
    schema(stand, paths, settings)
    said = stand.app(name, command, gets(cases), env)
    if missing := [word for word in words if word not in text_of(stand, name)]:
        raise Failed(f"the recording does not say {missing}")
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    if env and "tls: valid" not in manifest:
        raise Failed(f"recording.yaml does not say that it was read over TLS:\n{manifest}")
    return said


def directly(stand, command, cases, transports):
    """The apps without us: with each transport they say what they say with us between."""
    stand.server.start()
    try:
        for env in transports:
            port = free_port()
            words = [str(word).replace("{port}", str(port)) for word in command]
            process = subprocess.Popen(words, env=stand.server.env | env, cwd=stand.folder, stdin=subprocess.DEVNULL)
            try:
                wait_until(lambda port=port: listens(port), process, "the app")
                for request in gets(cases):
                    ask(port, *request)
            finally:
                process.kill()
                process.wait()
    finally:
        stand.server.stop()
    return f"{len(cases)} cases, {len(transports)} transports"


def client(stand, target, language, cases, env=None):
    """Calls the service of a language; each case says what it shall."""
    done = subprocess.run(
        [stand.server.python, HERE / "client.py", target, *cases], env=stand.server.env | (env or {}), capture_output=True, text=True, check=False, timeout=120,
    )
    wanted = "".join(f"{name}: {(PYTHON | SAID[language])[name]}\n" for name in cases)
    if done.returncode != 0 or done.stdout != wanted:
        raise Failed(f"the client ended with {done.returncode} and said {done.stdout[-1500:]}{done.stderr[-500:]}")


def called(stand, language, cases):
    """The services of the other languages say what Python's says, when no one is between."""
    stand.server.language = language
    stand.server.start()
    try:
        for target in (stand.server.env["UPSTREAM"], stand.server.over_tls["UPSTREAM"]):
            client(stand, target, language, cases)
    finally:
        stand.server.stop()
        stand.server.language = "python"
    return f"{len(cases)} cases without TLS and with it"


def inbound(stand, name, cases, paths, language="python", secure=False):
    """The service as an app: a client drives it, then the recording does."""
    schema(stand, paths)
    ports = [free_port(), free_port()][: 1 + secure]
    with stand.recording(name, stand.server.service(language, *ports), ports[-1]):
        trusted = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(stand.server.home / "data" / "rehearsal" / "authority.crt")}
        client(stand, f"https://localhost:{ports[1]}" if secure else f"127.0.0.1:{ports[0]}", language, cases, trusted)
    for number in range(stand.repeat):
        code, printed, _ = stand.test(name, f"test-{name}-{number + 1}.log")
        if code != 0:
            raise Failed(f"run {number + 1} of {stand.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    return f"{len(cases)} cases, {stand.repeat} runs green"


def reflected_inbound(stand, name, cases, language):
    """As `inbound` without the project's schemas: the app is asked what its messages are, and they have their names."""
    said = inbound(stand, name, cases, [], language)
    if missing := [word for word in ("size: 31415", "total: 74922") if word not in text_of(stand, name)]:
        raise Failed(f"the recording does not say {missing}")
    return said


def of(stand, language, act):
    """With the service in another language."""
    stand.server.language = language
    try:
        return act()
    finally:
        stand.server.language = "python"


def refused(stand, name, app, words):
    """A stream that was refused before its first message, or broken off: at replay it is so too, whatever the app says meanwhile."""
    said = stand.app(name, app, [("GET", "/refused", None, 200, words)], variants=[{"EAGER": str(count)} for count in range(4)])
    if "open: true" not in (text := text_of(stand, name)) or "messages" in text:
        raise Failed(f"it was not refused before its first message:\n{text}")
    return said


def by_grpcurl(stand, language, secure):
    """A service as an app that grpcurl calls: it learns from the app what there is to call, then each test is made again."""
    schema(stand, [])
    name, ports = f"inbound-grpcurl-{language}", [free_port(), free_port()]
    target = f"https://localhost:{ports[1]}" if secure else f"127.0.0.1:{ports[0]}"
    with stand.recording(name, stand.server.service(language, *ports), ports[-1]), environment(stand.server.env):
        os.environ["CERTIFICATES"] = str(stand.server.home / "data" / "rehearsal" / "authority.crt")
        for case, (_, _, wanted) in grpcurl.CASES.items():
            if not (said := grpcurl.run(target, case)).startswith(wanted):
                raise Failed(f"grpcurl is answered {said!r} in {case}, not {wanted!r}")
    for number in range(stand.repeat):
        code, printed, _ = stand.test(name, f"test-{name}-{number + 1}.log")
        if code != 0:
            raise Failed(f"run {number + 1} of {stand.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    return f"{len(grpcurl.CASES)} cases, {stand.repeat} runs green"


@contextlib.contextmanager
def environment(variables):
    """This process has these variables meanwhile."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def not_reflected(stand, cases):
    """Of a service without reflection it is said that there is none, once; its messages have numbers."""
    inbound(stand, "reflected-not", cases, [], "node")
    [log] = stand.folder.glob("record-reflected-not*")
    printed = log.read_text("utf-8")
    if printed.count("messages are shown by number: it offers no server reflection") != 1:
        raise Failed(f"it does not say once that there is no reflection:\n{printed[-2000:]}")
    if '"1": 31415' not in text_of(stand, "reflected-not"):
        raise Failed("its messages are not shown by number")
    return "said once"


def number_of(stand, name, word):
    """The number of the one test whose file has a word."""
    found = [file.name.split("-")[0] for file in stand.files(name) if file.parent.name == "tests" and word in file.read_text("utf-8")]
    if len(found) != 1:
        raise Failed(f"{word!r} is in the tests {found}")
    return int(found[0])


def status(stand, name):
    """The defect: another status than NOT_FOUND turns its one test red, and the status is named."""
    number = number_of(stand, name, "status: NOT_FOUND")
    return stand.defect(name, "grpc_status", [number], ["response.grpc.status", "NOT_FOUND", "INTERNAL"])


def edited(stand):
    """A mock that was edited by hand is served as edited; what does not fit its field is refused by its name."""
    [file] = [file for file in stand.files("python") if "get-fields" in file.name]
    before = file.read_text("utf-8")
    try:
        for change, words in [("kind: UNSPECIFIED", ["héllo UNSPECIFIED 5"]), ("kind: QUIET", ["the mock is wrong: messages[0].kind"])]:
            file.write_text(before.replace("total: 5, kind: LOUD", f"total: 5, {change}"), "utf-8")
            code, printed, _ = stand.test("python", "edited.log")
            if code != 1 or any(word not in printed for word in words):
                raise Failed(f"with {change} it ended with {code} and did not say {words}:\n{printed[-2000:]}")
    finally:
        file.write_text(before, "utf-8")
    return "served as edited, and refused by its name"


def without_settings(stand):
    """What a recording was made with stays with it: the project's schemas may go."""
    (stand.folder / "rehearsal.yaml").unlink()
    code, printed, _ = stand.test("python", "without-settings.log")
    if code != 0:
        raise Failed(f"ended with exit code {code}:\n{printed[-2000:]}")
    return "green without the project's schemas"


def cases(stand, tools):
    python, go = tools
    tls = stand.server.over_tls
    apps = {
        "python": ([python, HERE / "app.py", "{port}"], PYTHON), "go": ([go, "{port}"], GO), "node": (["node", HERE / "node" / "app.mjs", "{port}"], NODE),
        "java": ([*stand.server.java, "App", "{port}"], JAVA),
    }
    named = ["kind: LOUD", "at: 2026-11-20T10:00:00.123Z", "counts: {", "after: [0, 1, 2, 3]", "status: NOT_FOUND", "NO_SUCH_ORDER", "compressed: true", "compressed: [0]"]
    # Without a schema the entries of a map are a list, whose order Python changes at each start.
    numbered = {name: text for name, text in PYTHON.items() if name != "fields"}
    words = {"python": named} | dict.fromkeys(("go", "node", "java"), ["size: 31415", "after: [0, 1, 2, 3]"])
    kept = [name for name in PYTHON if name not in LEFT]
    # What the suite's service in Node does not have.
    by_node = [name for name in kept if name not in {"healthy", "reflection"}]
    # grpc-go and grpc-java have no other compression than gzip.
    by_go = [name for name in kept if name != "client_compressed_streaming"]
    for name, (app, said) in apps.items():
        # Java reads no variable that names certificates: without us it knows that of the suite from nowhere.
        yield f"{name}-direct", lambda: directly(stand, app, said, [{}] if name == "java" else [{}, tls])
        yield name, lambda: outbound(stand, name, app, said, ["proto"], words[name])
        yield f"{name}-tls", lambda: outbound(stand, f"{name}-tls", app, said, ["proto"], words[name], tls)
    yield "unknown", lambda: outbound(stand, "unknown", apps["python"][0], numbered, [], ['"1": 31415', "status: NOT_FOUND"], settings="reflection: false\n")
    # Without the project's schemas: the servers are asked, Python's by the older name of the service, Go's by the newer one.
    yield "reflected", lambda: outbound(stand, "reflected", apps["python"][0], PYTHON, [], named)
    yield "reflected-tls", lambda: outbound(stand, "reflected-tls", apps["go"][0], GO, [], words["go"], tls)
    for language in ("python", "go"):
        yield f"reflected-inbound-{language}", lambda: reflected_inbound(stand, f"reflected-{language}", by_go if language == "go" else kept, language)
    curled = {name: wanted for name, (_, _, wanted) in grpcurl.CASES.items()}
    ours = {"CERTIFICATES": str(stand.server.home / "data" / "rehearsal" / "authority.crt")}
    yield "refused", lambda: refused(stand, "refused", apps["python"][0], PYTHON["refused"])
    yield "refused-go", lambda: of(stand, "go", lambda: refused(stand, "refused-go", apps["python"][0], SAID["go"]["refused"]))
    for code, (by_python, in_go) in RESETS.items():
        name = f"broken-off-{code.lower().replace('_', '-')}"
        yield name, lambda: of(stand, code, lambda: refused(stand, name, apps["python"][0], by_python))
        yield f"{name}-go", lambda: of(stand, code, lambda: stand.app(f"{name}-go", apps["go"][0], [("GET", "/unimplemented_service", None, 200, f'{in_go} "stream terminated by RST_STREAM with error code: {code}"')]))
    yield "grpcurl-older", lambda: outbound(stand, "grpcurl-older", apps["python"][0], curled, [], ["kind: LOUD", "after: ["])
    yield "grpcurl", lambda: of(stand, "go", lambda: outbound(stand, "grpcurl", apps["python"][0], curled, [], ["kind: LOUD", "after: ["]))
    yield "grpcurl-tls", lambda: of(stand, "go", lambda: outbound(stand, "grpcurl-tls", apps["python"][0], curled, [], ["kind: LOUD"], tls | ours))
    yield "grpcurl-called", lambda: by_grpcurl(stand, "python", False)
    yield "grpcurl-called-tls", lambda: by_grpcurl(stand, "go", True)
    yield "reflected-not", lambda: not_reflected(stand, by_node)
    by_java = [name for name in by_node if name in by_go]
    for language, chosen in {"python": kept, "go": by_go, "node": by_node, "java": by_java}.items():
        yield f"{language}-called", lambda: called(stand, language, chosen)
        yield f"inbound-{language}", lambda: inbound(stand, f"inbound-{language}", chosen, ["proto"], language)
        yield f"inbound-{language}-tls", lambda: inbound(stand, f"inbound-{language}-tls", chosen, ["proto"], language, True)
        yield f"{language} BUG=grpc_status", lambda: status(stand, f"inbound-{language}")
    yield "left", lambda: inbound(stand, "left", sorted(LEFT), ["proto"])
    yield "edited", lambda: edited(stand)
    yield "without-settings", lambda: without_settings(stand)


def install(cache):
    """Python with its clients and what is generated for it, the Go program, and what Node needs."""
    wanted = [*PACKAGES, GRPCURL] + [(HERE / source).read_text("utf-8") for source in SOURCES]
    install_once(cache, wanted, TOOLS, fill)
    return str(cache / "python" / "bin" / "python"), str(cache / "app-go")


def fill(cache):
    python = install_python(cache / "python", PACKAGES)
    (cache / "generated").mkdir()
    files = ["interop/interop.proto", "interop/payload.proto"]
    out = [f"--python_out={cache / 'generated'}", f"--grpc_python_out={cache / 'generated'}", "--include_imports", f"--descriptor_set_out={cache / 'interop.binpb'}"]
    run_tool([python, "-m", "grpc_tools.protoc", "-I", HERE / "proto", *out, *files], cache)
    run_tool(["go", "build", "-o", cache / "app-go", "."], HERE / "go")
    subprocess.run(["go", "install", GRPCURL], check=True, cwd=cache, env=os.environ | {"GOBIN": str(cache)}, stdin=subprocess.DEVNULL)
    (cache / "node").mkdir()
    shutil.copy(HERE / "node" / "package.json", cache / "node")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], cache / "node")
    java = shutil.copytree(HERE / "java", cache / "java")
    run_tool(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], java)
    run_tool(["javac", "-cp", "lib/*", "-d", ".", *sorted(file.name for file in java.glob("*.java"))], java)


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["cache"] = cache
        return install(cache)

    sys.exit(main("grpc", __doc__.split("\n\n")[0], lambda folder: Interop(folder, store["cache"]), installed, cases))
