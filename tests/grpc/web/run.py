#!/usr/bin/env python3
"""Records an app that calls by gRPC-Web, in its binary and its text mode, and replays it with the service stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

The clients are Connect's transport and the package grpc-web, in Node; the service is Sonora's. The files must show messages
by name and statuses, and an answer that is edited by hand must be served as edited. The environment's REHEARSAL is the
program's path (`rehearsal` if unset). Clients are installed into the cache folder. Exit code 0 when all passed, 1 when
one failed.
"""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "databases"))

from stand import Failed, Server, install_once, install_python, main, run_tool  # noqa: E402

PACKAGES = ["grpcio==1.85.*", "grpcio-tools==1.85.*", "sonora==0.2.3"]
PROTO = HERE.parent / "proto"
WAYS = {"binary": "NotFound no such order", "text": "NOT_FOUND no such order"}


class Web(Server):
    def __init__(self, folder, cache):
        super().__init__(folder)
        self.python = cache / "python" / "bin" / "python"
        self.env |= {"UPSTREAM": f"127.0.0.1:{self.port}", "PYTHONPATH": str(cache / "generated"), "PYTHONDONTWRITEBYTECODE": "1"}
        self.env |= {"DESCRIPTORS": str(cache / "interop.binpb"), "MODULES": str(cache / "node")}

    def command(self):
        return [self.python, HERE / "upstream.py", self.port]

    def start(self):
        # The server finds what was generated.
        self.user = {"env": self.env}
        super().start()


def works(stand, way, missing):
    """All that the app does in a mode, recorded and replayed; the files say it by name."""
    if not (stand.folder / "proto").exists():
        shutil.copytree(PROTO, stand.folder / "proto")
    (stand.folder / "rehearsal.yaml").write_text("proto: proto\n", "utf-8")
    asked = [("unary", "QUIET WORDS 11"), ("stream", "31415,9,2653"), ("missing", missing)]
    said = stand.app(way, ["node", HERE / "app.mjs", "{port}"], [("GET", f"/{way}/{name}", None, 200, text) for name, text in asked])
    text = "".join(file.read_text("utf-8") for file in stand.files(way))
    words = ["text: QUIET WORDS", "kind: LOUD", "size: 31415", "web-trailers:", "status: NOT_FOUND", "application/grpc-web-text" if way == "text" else "application/grpc-web+proto"]
    if absent := [word for word in words if word not in text]:
        raise Failed(f"the recording does not say {absent}:\n{text[:3000]}")
    return said


def edited(stand, way):
    """An answer that was edited by hand is what the app gets."""
    [file] = [file for file in stand.files(way) if "text: QUIET WORDS" in file.read_text("utf-8")]
    before = file.read_text("utf-8")
    try:
        file.write_text(before.replace("text: QUIET WORDS", "text: LOUD WORDS"), "utf-8")
        code, printed, _ = stand.test(way, f"edited-{way}.log")
    finally:
        file.write_text(before, "utf-8")
    if code != 1 or "LOUD WORDS 11" not in printed:
        raise Failed(f"ended with exit code {code}:\n{printed[-2000:]}")
    return "served as edited"


def cases(stand, _):
    for way, missing in WAYS.items():
        yield way, lambda way=way, missing=missing: works(stand, way, missing)
        yield f"{way}-edited", lambda way=way: edited(stand, way)


def install(cache):
    """Python with the service and what is generated for it, and what Node needs."""
    files = [(PROTO / "interop" / name).read_text("utf-8") for name in ("interop.proto", "payload.proto")]
    wanted = [*PACKAGES, *files, (HERE / "package.json").read_text("utf-8")]
    install_once(cache, wanted, [("node", "nodejs"), ("npm", "npm")], fill)


def fill(cache):
    python = install_python(cache / "python", PACKAGES)
    (cache / "generated").mkdir()
    out = [f"--python_out={cache / 'generated'}", f"--grpc_python_out={cache / 'generated'}", "--include_imports", f"--descriptor_set_out={cache / 'interop.binpb'}"]
    run_tool([python, "-m", "grpc_tools.protoc", "-I", PROTO, *out, "interop/interop.proto", "interop/payload.proto"], cache)
    (cache / "node").mkdir()
    shutil.copy(HERE / "package.json", cache / "node")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], cache / "node")


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["cache"] = cache
        return install(cache)

    sys.exit(main("grpc-web", __doc__.split("\n\n")[0], lambda folder: Web(folder, store["cache"]), installed, cases))
