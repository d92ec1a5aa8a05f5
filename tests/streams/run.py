#!/usr/bin/env python3
"""Records apps that serve and call streams, and replays them with the dependency stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Streams are WebSocket, server-sent events and JSON lines. The environment's REHEARSAL is the program's path
(`rehearsal` if unset). Clients are installed into the cache folder. Exit code 0 when all passed, 1 when one
failed.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, ask, free_port, install_once, install_python, main, run_tool  # noqa: E402

PACKAGES = ["websockets==15.*", "aiohttp==3.*"]
TOOLS = [("go", "golang"), ("node", "nodejs"), ("npm", "npm"), ("javac", "default-jdk-headless"), ("curl", "curl")]


class Feed(Server):
    def __init__(self, folder, python):
        super().__init__(folder)
        self.python = python
        self.env |= {"FEED": f"127.0.0.1:{self.port}"}

    def command(self):
        return [self.python, HERE / "upstream.py", self.port]


def run(stand, words, wanted, codes=(0,)):
    """Runs a client; its output must have these texts."""
    done = subprocess.run([*map(str, words)], cwd=stand.folder, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode not in codes or not all(text in done.stdout for text in wanted):
        raise Failed(f"{words[0]} ended with {done.returncode}, not saying {wanted}: {done.stdout} {done.stderr[-1000:]}")


def record(stand, name, command, act):
    """Records what `act` does to the app on its port."""
    port = free_port()
    stand.server.start()
    try:
        with stand.recording(name, [str(word).replace("{port}", str(port)) for word in command], port):
            act(port)
    finally:
        stand.server.stop()
    return len([file for file in stand.files(name) if file.parent.name == "tests"])


def replay(stand, name, tests, wanted):
    if tests != wanted:
        raise Failed(f"{tests} tests were recorded, not {wanted}")
    seconds = []
    for number in range(stand.repeat):
        code, printed, took = stand.test(name, f"test-{name}-{number + 1}.log")
        seconds.append(took)
        if code != 0:
            raise Failed(f"run {number + 1} of {stand.repeat} ended with exit code {code}:\n{printed[-3000:]}")
    return f"{tests} tests, {stand.repeat} runs green, {min(seconds):.2f} to {max(seconds):.2f} s"


def in_python(stand, python, command):
    def act(port):
        talk = [python, HERE / "client.py", port]
        steps = ['1:{"quote": "ACME", "quantity": 2}', '4:{"order":5}', "5:hex:00ff", "6:bye", "6:listen"]
        run(stand, [*talk, "/desk", *steps], ["206", "1005", "1000 see you"])
        run(stand, [*talk, "/desk?name=two", '1:{"quote": "INIT"}', "4:close"], ['"two"', "9"])
        ask(port, "GET", "/quotes?symbol=ACME", None, 200, "4001")
        ask(port, "GET", "/quotes?symbol=INIT&deflate=1", None, 200, "as you wish")
        ask(port, "GET", "/chats", None, 200, "[7, 8, 9, 99, 101, 103]")
        run(stand, ["curl", "-sN", "-H", "Accept: text/event-stream", f"http://127.0.0.1:{port}/events"], ["News 3"])
        run(stand, ["curl", "-sN", "-m", "2", f"http://127.0.0.1:{port}/ticks"], ['"tick": 3'], [28])
        run(stand, ["curl", "-sN", f"http://127.0.0.1:{port}/rows"], ["6.0"])

    return replay(stand, "python", record(stand, "python", command, act), 8)


def elsewhere(stand, name, python, command, serves=True, deflate="deflate=1&", last=None):
    """An app in another language: it serves a WebSocket, if it does, and calls one, compressed too if `deflate` asks for it."""
    def act(port):
        if serves:
            talk = [python, HERE / "client.py", port, "/desk"]
            run(stand, [*talk, '1:{"quote": "ACME"}', "2:hex:00ff", "3:bye", "3:listen"], ["303", "4002 see you"])
            run(stand, [*talk, '1:{"quote": "INIT"}', "2:close"], ["24"])
        ask(port, "GET", "/prices?symbol=ACME", None, 200, "103")
        ask(port, "GET", f"/prices?{deflate}symbol=INIT", None, 200, "8")
        if last:
            ask(port, "GET", last[0], None, 200, last[1])

    return replay(stand, name, record(stand, name, command, act), 2 + 2 * serves + bool(last))


def edited(stand, python):
    """A message that is edited in the file is played as edited, and one that is of a wrong kind is refused."""
    [file] = [file for file in stand.files("python") if file.name.startswith("0003")]
    text = file.read_text("utf-8")
    try:
        file.write_text(text.replace("price: 103", "price: 104", 1), "utf-8")
        code, printed, _ = stand.test("python", "edited.log")
    finally:
        file.write_text(text, "utf-8")
    if code != 1 or "response.body.prices[1]" not in printed or "104" not in printed:
        raise Failed(f"exit code {code}:\n{printed[-2000:]}")
    return "the app was told 104"


def cases(stand, tools):
    python, go, node, java = tools
    app = [python, HERE / "app.py", "{port}"]
    yield "python", lambda: in_python(stand, python, app)
    drops = ["response.conversation[3]", '"total":206', "response.events[1]", "response.values[1]", "calls[0].response.conversation[5]"]
    yield "drops", lambda: stand.defect("python", "drops_stream_message", {1, 2, 5, 6, 7, 8}, drops)
    moves = ["response.conversation[2]", "calls[0].response.conversation[1].sent.subscribe", "response.events[0]", "response.values[0]"]
    yield "reorders", lambda: stand.defect("python", "reorders_stream", {1, 2, 5, 6, 7, 8}, moves)
    yield "edited", lambda: edited(stand, python)
    yield "node", lambda: elsewhere(stand, "node", python, [*node, "{port}"], last=("/news", "News 5"))
    yield "go", lambda: elsewhere(stand, "go", python, [go, "{port}"], deflate="")
    yield "java", lambda: elsewhere(stand, "java", python, [shutil.which("java"), "-XX:TieredStopAtLevel=1", "-cp", java, "App", "{port}"], serves=False)


def install(cache):
    """Python with its clients, the Go program, and the words that run Node; Java's classes."""
    sources = [HERE / "go" / "main.go", HERE / "go" / "go.mod", HERE / "node" / "package.json", HERE / "java" / "App.java"]
    install_once(cache, PACKAGES + [source.read_text("utf-8") for source in sources], TOOLS, fill)
    node = ["env", f"MODULES={cache / 'node'}", shutil.which("node"), HERE / "node" / "app.mjs"]
    return str(cache / "python" / "bin" / "python"), str(cache / "app-go"), node, cache / "java"


def fill(cache):
    install_python(cache / "python", PACKAGES)
    shutil.copytree(HERE / "node", cache / "node")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], cache / "node")
    shutil.copytree(HERE / "go", cache / "go")
    run_tool(["go", "mod", "tidy"], cache / "go")
    run_tool(["go", "build", "-o", cache / "app-go", "."], cache / "go")
    run_tool(["javac", "-d", cache / "java", HERE / "java" / "App.java"], cache)


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["python"] = str(cache / "python" / "bin" / "python")
        return install(cache)

    sys.exit(main("streams", __doc__.split("\n\n")[0], lambda folder: Feed(folder, store["python"]), installed, cases))
