#!/usr/bin/env python3
"""Breaks a shop in seven ways and over many runs, and asks what Rehearsal makes of its past.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Over 500 failures of seven causes must be seven kinds of failure; a test that fails three times in ten must be
the only flaky one; reruns, quarantine, owners, defects and histories that cannot be used must do what the
documentation says, and what other programs read (JUnit, CTRF, SARIF, Allure) must be as they want it. Those are
installed into the cache folder. `--repeat` is taken and not heeded.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Exit code 0 when all passed, 1 when
one failed.
"""

import argparse
import base64
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import consumers  # noqa: E402
import team  # noqa: E402
import trackers  # noqa: E402

CACHE = HERE.parent.parent / "target" / "fixtures" / "past"
PROGRAM = os.path.abspath(os.environ["REHEARSAL"]) if "REHEARSAL" in os.environ else "rehearsal"
BROKEN = ["orders", "refunds", "users", "carts", "pages", "stock", "search"]
# How often each is asked while it is recorded. Calls that do not come are waited for, so these are few.
EACH = {route: 14 for route in BROKEN} | {"users": 2}
TESTS = sum(EACH.values()) + 1
DEADLINE = 60
SETTINGS = """
edges:
  payments: {owner: team-payments}
owners:
  "GET /carts/*": team-carts
"""


class Failed(Exception):
    """What was not as it should be."""


def expect(holds, what):
    if not holds:
        raise Failed(what)


class Supplier(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        data = json.dumps({"path": self.path.split("?")[0], "paid": True}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@contextmanager
def serving(handler):
    """A server of this handler on a free port, as long as it is needed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Project:
    """A folder with a recording of the shop."""

    def __init__(self, folder):
        self.folder, self.program = folder, PROGRAM
        folder.mkdir(parents=True)
        (folder / "rehearsal.yaml").write_text(SETTINGS)
        self.dice = folder / "dice"
        self.env = {**os.environ, "DICE": str(self.dice), "GIT_CEILING_DIRECTORIES": str(folder.parent)}
        for name in ["GITHUB_SHA", "GITHUB_STEP_SUMMARY", "CI_COMMIT_SHA", "GIT_COMMIT", "NO_COLOR"]:
            self.env.pop(name, None)
        self.port = free_port()
        self.git("init", "-q", "-b", "trunk")
        shutil.copy(HERE / "app.py", folder / "app.py")

    def git(self, *words):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, "-C", self.folder, *words], capture_output=True, text=True)
        expect(done.returncode == 0, f"git {words}: {done.stderr}")

    def run(self, *words, code=0, **env):
        """What the program prints; its exit code must be this one."""
        command = [PROGRAM, "-C", str(self.folder), *words]
        done = subprocess.run(command, env={**self.env, **env}, capture_output=True, text=True, timeout=600)
        self.said = done.stderr
        expect(done.returncode == code, f"{words} ended with {done.returncode}, not {code}: {done.stdout[-2000:]}{done.stderr}")
        return done.stdout

    def lines(self, *words, **env):
        return [json.loads(line) for line in self.run(*words, "--json", **env).splitlines()]

    def record(self):
        with serving(Supplier) as payments, serving(Supplier) as stock, serving(Supplier) as mail:
            for name, server in [("payments", payments), ("stock", stock), ("mail", mail)]:
                self.env[f"{name.upper()}_URL"] = f"http://127.0.0.1:{server.server_port}"
            command = [PROGRAM, "-C", str(self.folder), "record", "--name", "shop", "--no-verify", "--", sys.executable, "app.py", str(self.port)]
            recording = subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            try:
                self.ask_all(recording)
            finally:
                recording.terminate()
                said, _ = recording.communicate(timeout=DEADLINE)
            expect(recording.returncode == 0, f"record: {said.decode()}")
        self.dice.unlink(missing_ok=True)
        self.git("add", "app.py", "rehearsal.yaml", "rehearsal")
        self.git("commit", "-q", "-m", "begin")

    def ask_all(self, recording):
        self.wait(recording)
        for number in range(1, max(EACH.values()) + 1):
            for route in [route for route in BROKEN if number <= EACH[route]]:
                self.ask("POST" if route in ("orders", "refunds", "users") else "GET", f"/{route}/{number}")
        self.ask("GET", "/dice/1")

    def wait(self, recording):
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            expect(recording.poll() is None, "record ended early")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Failed("the shop does not listen")

    def ask(self, method, path):
        data = b"{}" if method == "POST" else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            answer.read()


def clusters(project):
    """Over 500 failures of seven causes are seven kinds."""
    for before in range(6):
        said = project.run("test", code=1, BUG=",".join(BROKEN))
        since = f" in {before} run{'s' if before > 1 else ''} before this one"
        expect(said.count(since) == (sum(EACH.values()) if before else 0), f"{said.count(since)} x {since}: {said[:1500]}")
        project.dice.unlink(missing_ok=True)
    found = project.lines("failures")
    told = [(one["cause"]["edge"], one["cause"]["operation"], one["cause"]["changes"], one["failures"]) for one in found]
    expect(len(found) == 7, f"{len(found)} kinds: {told}")
    expect(sorted(one["failures"] for one in found) == sorted(6 * each for each in EACH.values()), told)
    expect(all(one["open"] and one["runs"] == 6 for one in found), told)
    expect({one["cause"]["edge"] for one in found} == {"payments", "mail", "stock", "inbound"}, told)
    project.run("test", code=0)
    project.dice.unlink(missing_ok=True)
    expect(project.lines("failures", "--open") == [], "all are gone")
    page = project.run("failures")
    expect("body.amount changed" in page and "POST /charges/{n}" in page, page)
    return f"{sum(one['failures'] for one in found)} failures, 7 kinds"


def flaky(project):
    """Only the test that fails three times in ten is flaky."""
    for run in range(10):
        project.run("test", code=1 if run % 3 == 1 else 0)
    found = project.lines("flaky")
    names = [one["name"] for one in found]
    dice = [one for one in found if one["name"] == "GET /dice/1"]
    expect(len(dice) == 1 and dice[0]["failed"] >= 3 and dice[0]["cause"] == "unknown" and dice[0]["evidence"], found)
    return names


def only_flaky(project):
    names = flaky(project)
    expect(names == ["GET /dice/1"], f"flaky are {names}")
    expect("unknown: it failed 3 of 10 times" in project.run("flaky"), "the evidence is printed")
    history = project.lines("history", "--runs", "100")
    expect(len(history) == 10 and history[0]["branch"] == "trunk" and len(history[0]["commit"]) == 40, history[:1])
    paces = project.lines("slow", "--all")
    expect(len(paces) >= TESTS - 1 and all(one["runs"] == 7 for one in paces if "dice" not in one["name"]), paces[:2])
    return f"1 of {TESTS} in 10 runs"


def rerun(project):
    """A flaky test does not fail the run and a broken one does; both are told."""
    project.dice.write_text("1")
    page = project.run("test", "--rerun-failed", "3", code=0)
    expect("1 flaky" in page and "flaky: it failed and passed on rerun 1" in page, page[-1500:])
    project.dice.write_text("1")
    junit = project.folder / "junit.xml"
    page = project.run("test", "--rerun-failed", "2", "--format", "human", "--format", "junit", "--output", str(junit), code=1, BUG="users")
    expect(f"{EACH['users']} failed, 1 flaky" in page and "failed again on rerun 2" in page, page[-1500:])
    said = junit.read_text()
    expect(said.count("<flakyFailure") == 1 and said.count("<rerunFailure") == 2 * EACH["users"], "JUnit has both")
    # Beside other copies it is tried again by itself, and known as flaky all the same.
    shutil.rmtree(project.folder / "rehearsal" / "runs")
    project.dice.write_text("1")
    project.run("test", "--jobs", "3", code=0)
    found = [one["name"] for one in project.lines("flaky")]
    expect(found == ["GET /dice/1"], found)
    project.dice.unlink()
    return f"1 flaky, {EACH['users']} broken"


def quarantine(project):
    """A known failure does not count until its day is over."""
    until = {"open": "2999-12-31", "over": "2020-01-31"}
    for word, day in until.items():
        rule = f"quarantine:\n  - {{test: GET /pages/1, owner: team-pages, until: {day}, reason: known}}\n"
        (project.folder / "rehearsal.yaml").write_text(SETTINGS + rule)
        page = project.run("test", "--test", "GET /pages/1", code=1, BUG="pages")
        expect("by team-pages" in page, page)
        if word == "open":
            only = project.run("test", "--test", "rehearsal/shop/tests/0005-get-pages-1.yaml", code=0, BUG="pages")
            expect("1 failure in quarantine" in only and "it does not fail the run" in only, only)
        else:
            expect("ended on 2020-01-31" in page and "fails the run again" in page, page)
    (project.folder / "rehearsal.yaml").write_text(SETTINGS)
    project.dice.unlink(missing_ok=True)
    return "until its day"


def owners(project):
    """The owner is that of the edge that differs, else of the route, else of the file."""
    (project.folder / "CODEOWNERS").write_text("* @org/all\n/rehearsal/shop/tests/*-users-* @org/users\n")
    said = project.run("test", "--format", "json", code=1, BUG=",".join(BROKEN))
    (project.folder / "CODEOWNERS").unlink()
    project.dice.unlink(missing_ok=True)
    finished = [json.loads(line) for line in said.splitlines()]
    owned = {one["name"].split("/")[1]: one["triage"]["ownership"] for one in finished if one.get("triage")}
    expected = {"orders": "team-payments", "refunds": "team-payments", "carts": "team-carts", "users": "@org/users", "stock": "@org/all"}
    for route, owner in expected.items():
        expect(owned[route]["owners"] == [owner], f"{route}: {owned[route]}")
    expect("edge payments" in owned["orders"]["source"] and "line 2 of CODEOWNERS" in owned["users"]["source"], owned)
    return len(expected)


def histories(project):
    """A history that cannot be used is said, left as it is, and fails no run; two runs at once both land."""
    file = project.folder / "rehearsal" / "runs" / "history.db"
    before = len(project.lines("history", "--runs", "1000"))
    words = [PROGRAM, "-C", str(project.folder), "test", "--test", "/carts/"]
    both = [subprocess.Popen(words, env=project.env, stdout=subprocess.DEVNULL) for _ in range(3)]
    expect([one.wait(timeout=DEADLINE) for one in both] == [0, 0, 0], "runs side by side pass")
    after = len(project.lines("history", "--runs", "1000"))
    expect(after == before + 3, f"{after} runs after {before}")
    kept = file.read_bytes()
    for bad, word in [(b"garbage " * 1000, "no database"), (kept[:4096] + b"\xa5" * 8192, "damaged")]:
        file.write_bytes(bad)
        project.run("test", "--test", "/carts/", code=0)
        expect("the run is not in the history" in project.said and word in project.said, project.said)
        expect(file.read_bytes() == bad, "the file is left as it is")
    project.run("history", code=2)
    newer = bytearray(kept)
    newer[60:64] = (99).to_bytes(4, "big")
    file.write_bytes(newer)
    project.run("test", "--test", "/carts/", code=0)
    expect("a newer release wrote it" in project.said and file.read_bytes() == newer, project.said)
    file.write_bytes(kept)
    return f"{after} runs"


def shared(project):
    """A team's history is a PostgreSQL database."""
    with team.team(project, SETTINGS) as ours:
        team.commands(ours, TESTS, EACH["users"])
        team.quarantined(ours)
        team.refused(ours)
        team.encrypted(ours)
        team.gone(ours)
    return "9 runs in PostgreSQL"


def broken_once(project):
    project.run("test", code=1, BUG=",".join(BROKEN))
    project.dice.unlink(missing_ok=True)


def defects(project):
    """A defect for each kind of failure, however often it comes; what people noted in one is kept."""
    broken_once(project)
    expect(project.run("defect", "--dry-run").count("## Reproduce") == 7, "seven would be filed")
    folder = project.folder / "rehearsal" / "defects"
    expect(not folder.exists(), "nothing was filed")
    expect(project.run("defect").count("filed ") == 7, "seven were filed")
    first = next(one for one in sorted(folder.iterdir()) if "body.amount changed" in one.read_text())
    text = first.read_text()
    expect("rehearsal test shop --test 1\n" in text and "team-payments" in text, text)
    first.write_text(text + "\nSeen by us.\n")
    broken_once(project)
    expect(project.run("defect").count("updated ") == 7 and len(list(folder.iterdir())) == 7, "still seven")
    text = first.read_text()
    expect(text.endswith("\nSeen by us.\n") and f"{2 * EACH['orders']} times" in text, text)
    expect("shop" in project.run("show") and "defects" not in project.run("show"), "it is no recording")
    shutil.rmtree(folder)
    return "7 files"


TRACKERS = {
    "jira": ("project: SHOP, user: WHO", "JIRA_TOKEN", "SHOP-1"),
    "github": ("project: org/shop", "GITHUB_TOKEN", "#1"),
    "gitlab": ("project: group/shop", "GITLAB_TOKEN", "#1"),
}


REFUSALS = [
    (401, {}, "a token that is valid"),
    (403, {}, "may read and write the issues"),
    (422, {}, "it answered 422"),
    (429, {"retry-after": "17"}, "try again after 17 s"),
    (503, {}, "try again later"),
    (301, {"location": "https://new.example/"}, "is at https://new.example/ now"),
    (404, {}, "is not there, or the token may not"),
]


def refused(project, server, env):
    """Each refusal says what to do, and never the token, which the tracker repeats."""
    basic = base64.b64encode(f"me@shop.example:{trackers.TOKEN}".encode()).decode()
    for status, headers, advice in REFUSALS:
        server.refusal = (status, headers)
        project.run("defect", code=2 if status == 404 else 4, **env)
        said = project.said
        expect(advice in said and trackers.TOKEN not in said and basic not in said, (status, said))
    server.refusal = None


def over_tls(project):
    """A tracker is asked over TLS by who trusts its certificate, under the name that the certificate has."""
    made = team.certificates(project.folder.parent / "tracker")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made / "server.crt", made / "server.key")
    with serving(trackers.Tracker) as server:
        server.asked, server.issues, server.mistakes, server.refusal = [], {}, [], None
        server.socket = context.wrap_socket(server.socket, server_side=True)
        env = {"GITHUB_TOKEN": trackers.TOKEN}
        for host, roots, code in [("localhost", "", 4), ("127.0.0.1", made / "ca.pem", 4), ("localhost", made / "ca.pem", 0)]:
            rules = f"defects: {{tracker: github, url: 'https://{host}:{server.server_port}', project: org/shop}}\n"
            (project.folder / "rehearsal.yaml").write_text(SETTINGS + rules)
            project.run("defect", code=code, **env, **({"SSL_CERT_FILE": str(roots)} if roots else {}))
            expect(code == 0 or "SSL_CERT_FILE" in project.said and not server.asked, project.said)
        expect(len(server.issues) == 7 and not server.mistakes, server.mistakes)
    shutil.rmtree(project.folder / "rehearsal" / "defects")


def issues(project):
    """Trackers get one issue for each kind, by their documented requests, and tokens are not written."""
    broken_once(project)
    for tracker, (rule, variable, key) in TRACKERS.items():
        with serving(trackers.Tracker) as server:
            server.asked, server.issues, server.mistakes, server.refusal = [], {}, [], None
            url = f"http://127.0.0.1:{server.server_port}"
            rules = f"defects: {{tracker: {tracker}, url: '{url}', {rule}}}\n"
            (project.folder / "rehearsal.yaml").write_text(SETTINGS + rules)
            env = {variable: trackers.TOKEN, "WHO": "me@shop.example"}
            project.run("defect", code=2)
            expect(variable in project.said and not server.asked, project.said)
            said = project.run("defect", **env)
            expect(said.count("filed ") == 7 and f"filed {key}: " in said, (said, server.mistakes))
            said = project.run("defect", **env)
            expect(said.count("updated ") == 7 and len(server.issues) == 7, (said, server.mistakes))
            # Without the files, the tracker is asked.
            folder = project.folder / "rehearsal" / "defects"
            text = "".join(one.read_text() for one in folder.iterdir())
            expect(key in text and trackers.TOKEN not in text + project.said + said, "the token is not written")
            shutil.rmtree(folder)
            expect(project.run("defect", **env).count("updated ") == 7 and len(server.issues) == 7, server.mistakes)
            expect(server.mistakes == [], server.mistakes)
            shutil.rmtree(folder)
            refused(project, server, env)
    over_tls(project)
    bad = "defects: {tracker: github, url: 'http://tracker.example', project: org/shop}\n"
    (project.folder / "rehearsal.yaml").write_text(SETTINGS + bad)
    project.run("defect", code=2, GITHUB_TOKEN=trackers.TOKEN)
    expect("in the clear" in project.said, project.said)
    (project.folder / "rehearsal.yaml").write_text(SETTINGS)
    return ", ".join(TRACKERS)


def outputs(project):
    """Other programs read what is written for them."""
    consumers.install(CACHE)
    folder = project.folder.parent / "outputs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    names = {"junit": "junit.xml", "ctrf": "ctrf.json", "sarif": "sarif.json", "gitlab": "quality.json", "allure": "allure"}
    words = [word for form, name in names.items() for word in ("--format", form, "--output", str(folder / name))]
    project.dice.write_text("1")
    summary = folder / "summary.md"
    project.run("test", "--rerun-failed", "1", *words, code=1, BUG="orders,users", GITHUB_STEP_SUMMARY=str(summary))
    project.dice.unlink()
    seen = consumers.read(CACHE, folder / "junit.xml", folder / "ctrf.json", folder / "sarif.json")
    tests, broken = TESTS, EACH["orders"] + EACH["users"]
    expect(seen["junit"] == [tests, broken, 0] and seen["cases"] == tests, seen)
    counts = [seen["ctrf"][name] for name in ("tests", "passed", "failed", "flaky")]
    expect(counts == [tests, tests - broken, broken, 1], counts)
    expect(len(seen["sarif"]) >= broken and all(one[1] == "error" and one[0].startswith("rehearsal/shop/tests/") for one in seen["sarif"]), seen["sarif"][:2])
    jenkins(project, folder)
    statistic = consumers.allure(CACHE, folder / "allure", folder / "page")
    expect((statistic["passed"], statistic["failed"], statistic["total"]) == (tests - broken, broken, tests), statistic)
    quality = json.loads((folder / "quality.json").read_text())
    wanted = {"description", "check_name", "fingerprint", "severity", "location"}
    expect(len(quality) == broken == len({one["fingerprint"] for one in quality}) and all(set(one) == wanted for one in quality), quality[:1])
    expect(f"{broken} failed, 1 flaky" in summary.read_text(), summary.read_text()[:200])
    project.run("test", "--format", "allure", code=2)
    return ", ".join(names)


def jenkins(project, folder):
    """JUnit of every kind of run is as the schema of Jenkins says: passed, failed, flaky, in quarantine, ended early, cut short."""
    until = "2999-01-01"
    quarantine = f"quarantine:\n  - {{test: GET /pages/1, owner: sam, until: {until}, reason: 'a \u2603 <b> & more'}}\n"
    runs = [("passed", [], 0, ""), ("early", ["--fail-fast"], 1, "orders"), ("excused", [], 1, "orders,pages"), ("dead", [], 3, "dies")]
    reports = [folder / "junit.xml"]
    for name, words, code, bug in runs:
        reports.append(folder / f"junit-{name}.xml")
        (project.folder / "rehearsal.yaml").write_text(SETTINGS + (quarantine if name == "excused" else ""))
        project.run("test", *words, "--format", "junit", "--output", str(reports[-1]), code=code, BUG=bug)
    (project.folder / "rehearsal.yaml").write_text(SETTINGS)
    project.dice.unlink(missing_ok=True)
    consumers.validate_junit(CACHE, reports)
    expect('file="rehearsal/shop/recording.yaml"' in reports[0].read_text("utf-8"), "the suite says where it is")
    try:
        (folder / "wrong.xml").write_text(reports[0].read_text("utf-8").replace("<testcase ", '<testcase nonsense="1" ', 1), "utf-8")
        consumers.validate_junit(CACHE, [folder / "wrong.xml"])
    except AssertionError:
        return
    raise AssertionError("what Jenkins does not know is taken")


def graph(project):
    """The app's surroundings are drawn, and a field's places found."""
    for form, words in {"svg": ["<svg", "POST /charges/{n}"], "html": ["<!doctype html>"], "mermaid": ["flowchart LR"], "dot": ["digraph"]}.items():
        drawn = project.run("graph", "--format", form)
        expect(all(word in drawn for word in words) and "payments" in drawn, drawn[:300])
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=project.run("graph", "--format", "dot").encode(), check=True, stdout=subprocess.DEVNULL)
    found = project.lines("impact", "--edge", "payments", "--field", "amount")
    expect(len(found) == EACH["orders"] and all(one["where"] == ["calls[0].request.body.amount"] for one in found), found[:2])
    said = project.run("impact", "--edge", "payments", "--field", "amount")
    expect(f"touches {EACH['orders']} tests, 1 operation and 1 recording" in said, said[-300:])
    project.run("impact", "--edge", "bank", code=2)
    expect("mail" in project.said, project.said)
    return "4 forms"


CASES = {"flaky": only_flaky, "clusters": clusters, "rerun": rerun, "quarantine": quarantine, "owners": owners, "histories": histories, "shared": shared, "defects": defects, "issues": issues, "outputs": outputs, "graph": graph}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeat", type=int)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where to install what reads reports")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], metavar="CASE", help=", ".join(CASES))
    given = parser.parse_args()
    globals()["CACHE"] = given.cache.resolve()
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-past-"))
    failed = 0
    try:
        first = Project(folder / "first")
        first.record()
        for name in given.cases or CASES:
            # Each begins with the recording and without a past.
            project = first
            shutil.rmtree(project.folder / "rehearsal" / "runs", ignore_errors=True)
            project.dice.unlink(missing_ok=True)
            began = time.monotonic()
            if name == "histories":
                project.run("test", "--test", "/carts/")
            try:
                print(f"{name} … ok, {CASES[name](project)} in {time.monotonic() - began:.1f} s", flush=True)
            except Exception:
                failed += 1
                print(f"{name} … FAILED\n{traceback.format_exc()}", flush=True)
    finally:
        if given.keep:
            print(folder)
        else:
            shutil.rmtree(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
