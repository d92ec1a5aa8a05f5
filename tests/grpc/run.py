#!/usr/bin/env python3
"""Records apps that speak gRPC with a real server, and replays them with the server stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

The cases of gRPC's interoperability tests, by a service of our own: apps in Python and Go call it, and it is
an app itself that a Python client calls. A test that was edited by hand must be served as edited.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Clients are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, free_port, install_once, install_python, main, run_tool  # noqa: E402

PACKAGES = ["grpcio==1.85.*", "grpcio-tools==1.85.*", "grpcio-status==1.85.*"]
SOURCES = ["go/go.mod", "go/go.sum", "go/main.go", "proto/interop/interop.proto", "proto/interop/payload.proto"]
PYTHON = {
    "empty_unary": "", "large_unary": "314159 271828", "fields": "héllo LOUD 5", "client_streaming": "74922", "server_streaming": "31415,9,2653,58979",
    "ping_pong": "31415,9,2653,58979", "empty_stream": "nothing", "custom_metadata": r"first b'\xab\xab\xab' 0",
    "status_code_and_message": r"UNKNOWN 'test status message'; UNKNOWN '\t\ntest with white space\r\nand Unicode ☺\t\n'; FAILED_PRECONDITION 'in a stream'",
    "not_found": "NOT_FOUND 'no such order' with 1 details", "late_status": "[3] RESOURCE_EXHAUSTED 'enough'",
    "unimplemented": "UNIMPLEMENTED 'Method not implemented!'", "client_compressed_unary": "1000 2000", "client_compressed_streaming": "73086",
    "cancel_after_begin": "cancelled: True", "cancel_after_first_response": "31415 then CANCELLED", "timeout": "DEADLINE_EXCEEDED",
}
GO = {
    "empty_unary": "empty: true", "large_unary": "314159 271828", "client_streaming": "74922", "server_streaming": "[31415 9 2653 58979]",
    "ping_pong": "[31415 9 2653 58979]", "empty_stream": "[]", "custom_metadata": r'["first"] ["\xab\xab\xab"]',
    "status_code_and_message": r'Unknown "\t\ntest with white space\r\nand Unicode ☺\t\n" with 0 details; FailedPrecondition "in a stream" with 0 details',
    "not_found": 'NotFound "no such order" with 1 details', "unimplemented": 'Unimplemented "Method not implemented!" with 0 details',
    "client_compressed_unary": "2000", "cancel_after_first_response": "31415 then Canceled", "timeout": "DeadlineExceeded",
}
# What a client gives up without an answer: how far the app comes with it is a matter of chance.
LEFT = {"cancel_after_begin", "timeout"}


class Interop(Server):
    def __init__(self, folder, cache):
        super().__init__(folder)
        self.python = cache / "python" / "bin" / "python"
        self.env |= {"UPSTREAM": f"127.0.0.1:{self.port}", "PYTHONPATH": str(cache / "generated"), "PYTHONDONTWRITEBYTECODE": "1"}
        self.env |= {"DESCRIPTORS": str(cache / "interop.binpb"), "GRPC_TRACE": "http", "GRPC_VERBOSITY": "INFO"}

    def command(self):
        return [self.python, HERE / "service.py", self.port]

    def start(self):
        # The server finds what was generated as the apps do.
        self.user = {"env": self.env}
        super().start()

    def reset(self):
        pass


def gets(cases):
    return [("GET", f"/{name}", None, 200, text) for name, text in cases.items()]


def schema(stand, paths):
    """Lays out a project whose settings name these schemas."""
    if not (stand.folder / "proto").exists():
        shutil.copytree(HERE / "proto", stand.folder / "proto")
    settings = stand.folder / "rehearsal.yaml"
    settings.write_text(f"proto: [{', '.join(paths)}]\n", "utf-8")


def text_of(stand, name):
    return "".join(file.read_text("utf-8") for file in stand.files(name))


def outbound(stand, name, command, cases, paths, words):
    """The apps: what they say is the same recorded and replayed, and the files say it in these words."""
    schema(stand, paths)
    said = stand.app(name, command, gets(cases))
    if missing := [word for word in words if word not in text_of(stand, name)]:
        raise Failed(f"the recording does not say {missing}")
    return said


def client(stand, port, cases):
    """Calls the service as an app; each case says what it shall."""
    done = subprocess.run(
        [stand.server.python, HERE / "client.py", str(port), *cases], env=stand.server.env, capture_output=True, text=True, check=False, timeout=120,
    )
    wanted = "".join(f"{name}: {PYTHON[name]}\n" for name in cases)
    if done.returncode != 0 or done.stdout != wanted:
        raise Failed(f"the client ended with {done.returncode} and said {done.stdout[-1500:]}{done.stderr[-500:]}")


def inbound(stand, name, cases, paths):
    """The service as an app: a client drives it, then the recording does."""
    schema(stand, paths)
    port = free_port()
    with stand.recording(name, [str(stand.server.python), str(HERE / "service.py"), str(port)], port):
        client(stand, port, cases)
    for number in range(stand.repeat):
        code, printed, _ = stand.test(name, f"test-{name}-{number + 1}.log")
        if code != 0:
            raise Failed(f"run {number + 1} of {stand.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    return f"{len(cases)} cases, {stand.repeat} runs green"


def number_of(stand, name, word):
    """The number of the one test whose file has a word."""
    found = [file.name.split("-")[0] for file in stand.files(name) if file.parent.name == "tests" and word in file.read_text("utf-8")]
    if len(found) != 1:
        raise Failed(f"{word!r} is in the tests {found}")
    return int(found[0])


def status(stand):
    """The defect: another status than NOT_FOUND turns its one test red, and the status is named."""
    number = number_of(stand, "inbound", "status: NOT_FOUND")
    return stand.defect("inbound", "grpc_status", [number], ["response.grpc.status", "NOT_FOUND", "INTERNAL"])


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
    app = [python, HERE / "app.py", "{port}"]
    named = ["kind: LOUD", "at: 2026-11-20T10:00:00.123Z", "counts: {", "after: [0, 1, 2, 3]", "status: NOT_FOUND", "NO_SUCH_ORDER"]
    # Without a schema the entries of a map are a list, whose order Python changes at each start.
    numbered = {name: text for name, text in PYTHON.items() if name != "fields"}
    yield "python", lambda: outbound(stand, "python", app, PYTHON, ["proto"], named)
    yield "go", lambda: outbound(stand, "go", [go, "{port}"], GO, ["proto/interop/interop.proto"], ["size: 31415", "after: [0, 1, 2, 3]"])
    yield "unknown", lambda: outbound(stand, "unknown", app, numbered, [], ['"1": 31415', "status: NOT_FOUND"])
    yield "inbound", lambda: inbound(stand, "inbound", [name for name in PYTHON if name not in LEFT], ["proto"])
    yield "left", lambda: inbound(stand, "left", sorted(LEFT), ["proto"])
    yield "BUG=grpc_status", lambda: status(stand)
    yield "edited", lambda: edited(stand)
    yield "without-settings", lambda: without_settings(stand)


def install(cache):
    """Python with its clients and what is generated for it, and the Go program."""
    wanted = PACKAGES + [(HERE / source).read_text("utf-8") for source in SOURCES]
    install_once(cache, wanted, [("go", "golang")], fill)
    return str(cache / "python" / "bin" / "python"), str(cache / "app-go")


def fill(cache):
    python = install_python(cache / "python", PACKAGES)
    (cache / "generated").mkdir()
    files = ["interop/interop.proto", "interop/payload.proto"]
    out = [f"--python_out={cache / 'generated'}", f"--grpc_python_out={cache / 'generated'}", "--include_imports", f"--descriptor_set_out={cache / 'interop.binpb'}"]
    run_tool([python, "-m", "grpc_tools.protoc", "-I", HERE / "proto", *out, *files], cache)
    run_tool(["go", "build", "-o", cache / "app-go", "."], HERE / "go")


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["cache"] = cache
        return install(cache)

    sys.exit(main("grpc", __doc__.split("\n\n")[0], lambda folder: Interop(folder, store["cache"]), installed, cases))
