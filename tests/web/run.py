#!/usr/bin/env python3
"""Opens every page of `rehearsal serve` in Chromium and uses it, and tries to get in without leave.

    run.py [--repeat N] [--keep] [CASE ...]

The environment's REHEARSAL is the program's path (`rehearsal` if unset). `--repeat` is not heeded: pages are opened
once. Exit code 0 when all passed, 1 when one failed.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import sys
import time
from pathlib import Path

from project import LIMIT, TESTS, Project, Server, expect
import access  # noqa: E402
import runner  # noqa: E402
from browser import Browser  # noqa: E402

# How long the server may take to end, on a busy machine.
ENDING = 20
SILENT = 40


class Stand:
    """A project with runs of every kind, the server over it, and a browser that was let in."""

    def __init__(self, folder):
        self.folder, self.browser, self.server, self.silent = folder, None, None, []

    def __enter__(self):
        try:
            self.stand()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def stand(self):
        folder = self.folder
        self.project = Project(folder / "shop")
        self.project.record()
        for change, code in [("", 0), ("third", 1), ("", 0), ("third", 1), ("", 0), ("", 0), ("", 0), ("", 0), ("", 0), ("sum", 1)]:
            self.project.run("test", code=code, CHANGED=change)
        self.axe = access.source()
        self.server = Server(self.project)
        self.silent = [socket.create_connection(("127.0.0.1", self.server.port), timeout=LIMIT) for _ in range(SILENT)]
        self.cookie = self.server.cookie()
        self.browser = Browser(folder)
        self.browser.show(1280, 900, False)
        self.browser.ask("Page.navigate", url=self.server.url)
        self.browser.wait("location.search === '' && !!document.querySelector('main')", "the first page")

    def close(self):
        for connection in self.silent:
            connection.close()
        if self.browser:
            self.browser.close()
        if self.server:
            self.server.stop()

    def open(self, path):
        self.browser.open(self.server.base + path)

    def quiet(self, what):
        said = self.browser.complaints((self.server.base + "/",))
        expect(not said, f"{what}: complaints: {said[:4]}")
        expect(self.browser.run("window.ran === undefined"), f"{what}: recorded markup ran")

    def last(self):
        return self.project.runs()[-1].name


def pages(stand):
    """Each page, wide and light, then narrow and dark: accessible, quiet, within its width."""
    browser, run = stand.browser, stand.last()
    all_pages = {
        "runs": "/", "run": f"/runs/{run}", "test": f"/runs/{run}/shop/2", "review": f"/runs/{run}/review",
        "recordings": "/recordings", "recording": "/recordings/shop", "story": "/recordings/shop/2", "flaky": "/flaky",
        "failures": "/failures", "slow": "/slow", "graph": "/graph", "edge": "/graph/supplier", "search": "/search?q=orders+hostile",
        "found": "/search?q=total",
    }
    for width, height, dark in [(1280, 900, False), (390, 844, True)]:
        browser.show(width, height, dark)
        for name, path in all_pages.items():
            stand.open(path)
            browser.picture(stand.folder / f"{name}-{width}.png")
            # What a screen of another size or colour changes is seen on the richest pages.
            wrong = access.violations(browser, stand.axe) if not dark or name in ("run", "test", "review", "failures", "graph") else []
            expect(not wrong, f"{name}, {width} wide: {wrong[:4]}")
            wide = browser.run("document.documentElement.scrollWidth")
            expect(wide <= width, f"{name} is {wide} wide on a screen of {width}")
            stand.quiet(name)
    browser.show(1280, 900, False)
    for path, words in [("/flaky", "3 of 10"), ("/failures", "supplier|inbound|client"), ("/slow", "before"), ("/graph/supplier", "GET /stock"), ("/search?q=total", f"{TESTS} tests"), ("/recordings/shop/2", "<script>window.ran")]:
        stand.open(path)
        text = browser.run("document.querySelector('main').textContent")
        expect(re.search(words, text), f"{path} does not say {words!r}: {text[:400]}")
    return f"{len(all_pages)} pages, each twice"


def keys(stand):
    """The filter of a run, the search, the keys that lead to pages and into rows."""
    browser = stand.browser
    stand.open(f"/runs/{stand.last()}")
    rows = "[...document.querySelectorAll('#tests li')].filter(it => !it.hidden).length"
    expect(browser.run(rows) == TESTS, f"{browser.run(rows)} tests are shown")
    browser.press("/", "/")
    expect(browser.run("document.activeElement.id") == "filter", "the key / does not lead to the filter")
    for letter in "rders/3":
        browser.press(letter, letter)
    browser.wait(f"{rows} === 1", "the filter")
    browser.run("document.activeElement.blur(); document.querySelector('input[value=passed]').click(); document.getElementById('filter').value = ''; document.getElementById('filter').dispatchEvent(new Event('input'))")
    expect(browser.run(rows) == 0, "a failed test is shown as passed")
    browser.run("document.querySelector('input[value=all]').click(); document.activeElement.blur()")
    browser.press("j", "j")
    expect(browser.run("document.activeElement.getAttribute('href')").endswith("/shop/1"), "the key j does not lead to the first test")
    browser.press("g", "g")
    browser.press("d", "d")
    browser.wait("location.pathname === '/graph' && document.readyState === 'complete'", "the graph")
    browser.press("/", "/")
    for letter in "orders":
        browser.press(letter, letter)
    browser.press("Enter", "\r")
    browser.wait("location.pathname === '/search' && document.readyState === 'complete'", "the search")
    expect(browser.run("document.querySelectorAll('.tests li').length") == TESTS, "the search does not find the tests")
    stand.open(f"/runs/{stand.last()}/shop/1")
    browser.run("document.querySelector('button.copy').click()")
    browser.wait("document.querySelector('button.copy').textContent === 'Copied'", "the copy")
    stand.quiet("keys")
    return "filter, search, pages, rows, copy"


def reviews(stand):
    """Accepts, ignores, rejects and undoes by keys and buttons; undoing restores byte for byte."""
    browser, project = stand.browser, stand.project
    before, run = project.tests(), stand.last()
    review = f"/runs/{run}/review"
    said = "(document.querySelector('main [role=status]') || {}).textContent || ''"

    def act(start, expected):
        browser.events.clear()
        start()
        browser.loaded()
        browser.wait(f"({said}).includes('{expected}')", f"{expected}, found {browser.run('document.body.innerText')[:600]}")

    def undo():
        act(lambda: browser.press("u", "u"), "Undone")
        expect(project.tests() == before, "undo does not restore byte for byte")

    stand.open(review)
    act(lambda: browser.press("a", "a"), "Accepted")
    after = project.tests()
    changed = [name for name in before if before[name] != after[name]]
    expect(len(changed) == TESTS, f"{len(changed)} files were changed by accepting one change of {TESTS} tests")
    project.run("test", CHANGED="sum")
    stand.open(review)
    undo()
    act(lambda: browser.press("i", "i"), "Ignored")
    expect(any(b"noise" in text for text in project.tests().values()), "ignoring writes no noise")
    undo()
    act(lambda: browser.press("r", "r"), "Rejected")
    expect(project.tests() == before, "rejecting changes files")
    undo()
    stand.open(f"/runs/{run}/shop/2")
    stale = browser.run("new URLSearchParams(new FormData(document.querySelector('form.decide'))).toString()")
    act(lambda: browser.run("document.querySelector('button[value=accept-here]').click()"), "Accepted")
    after = project.tests()
    changed = [name for name in before if before[name] != after[name]]
    expect(len(changed) == 1 and changed[0].startswith("0002"), f"accepting in one test changed {changed}")
    head = f"POST /runs/{run}/decide HTTP/1.1\r\nOrigin: {stand.server.base}"
    status, text = stand.server.ask(head, stand.cookie, body=(stale + "&verb=accept-here").encode())
    expect(status == 409 and "meanwhile" in text, f"a page that is old decides again: {status} {text[-300:]}")
    undo()
    stand.quiet("review")
    return "accept, ignore, reject, in one test, undo, a page that was old"


def live(stand):
    """Follows a run that waits at gates, test by test, without loading the page again."""
    browser, project = stand.browser, stand.project
    gates = stand.folder / "gates"
    gates.mkdir()
    for number in range(1, TESTS):
        os.mkfifo(gates / str(number))
    stand.open("/")
    known = len(project.runs())
    before = browser.run("document.querySelectorAll('tbody tr').length")
    program = project.start("test", GATES=str(gates), CHANGED="")
    try:
        browser.wait(f"document.querySelectorAll('tbody tr').length > {before} && document.body.innerText.includes('under way')", "the run on the first page")
        run = stand.last()
        expect(len(project.runs()) >= known, "no run was begun")
        stand.open(f"/runs/{run}")
        browser.run("window.same = 1")
        browser.wait("document.querySelectorAll('#tests li').length === 1 && document.querySelector('#now').textContent.includes('/orders/1')", "the first verdict")
        browser.picture(stand.folder / "live-1280.png")
        wrong = access.violations(browser, stand.axe)
        expect(not wrong, f"live: {wrong[:4]}")
        status, _ = stand.server.ask(f"GET /runs/{run}/review HTTP/1.1", stand.cookie)
        expect(status == 409, f"a run under way is reviewed: {status}")
        for number in range(1, TESTS):
            if number == TESTS - 1:
                expect(browser.run("window.same") == 1, "the page was loaded again")
            (gates / str(number)).write_bytes(b"open")
            if number < TESTS - 1:
                browser.wait(f"document.querySelectorAll('#tests li').length === {number + 1}", f"verdict {number + 1}")
        browser.wait(f"document.body.innerText.includes('{TESTS} passed')", "the end of the run")
        said, _ = program.communicate(timeout=LIMIT)
        expect(program.returncode == 0, f"the run failed: {said[-800:]}")
        stand.quiet("live")
    finally:
        program.kill()
        program.wait()
    return f"{TESTS} verdicts as they came"


def strangers(stand):
    """Whoever has no leave gets nothing, and nothing that is sent does harm."""
    server, cookie, run = stand.server, stand.cookie, stand.last()
    before, form = stand.project.tests(), "form=x&verb=accept&cause=x"
    secret = re.search(r'name="form" value="(\w+)"', server.page(f"/runs/{stand.seeded}/review", cookie)).group(1)
    own = f"Origin: {server.base}"
    post = f"POST /runs/{stand.seeded}/decide HTTP/1.1"
    tried = [
        (403, "a stranger", "GET / HTTP/1.1", None, None, b""),
        (403, "a wrong token", "GET /?token=0000 HTTP/1.1", None, None, b""),
        (403, "an empty token", "GET /?token= HTTP/1.1", None, None, b""),
        (403, "a wrong cookie", "GET / HTTP/1.1", cookie[:-1] + "!", None, b""),
        (403, "another host", "GET / HTTP/1.1", cookie, f"evil.example:{server.port}", b""),
        (403, "another host with the token", f"GET /?token={server.token} HTTP/1.1", None, f"evil.example:{server.port}", b""),
        (403, "a host without the port", "GET / HTTP/1.1", cookie, "127.0.0.1", b""),
        (403, "two hosts", f"GET / HTTP/1.1\r\nHost: {server.host}", cookie, "evil.example", b""),
        (403, "an absolute address", "GET http://evil.example/ HTTP/1.1", cookie, None, b""),
        (403, "a stranger's live page", "GET /live HTTP/1.1", None, None, b""),
        (404, "a way out", "GET /../../etc/passwd HTTP/1.1", cookie, None, b""),
        (404, "an encoded way out", "GET /recordings/%2e%2e%2f%2e%2e/1 HTTP/1.1", cookie, None, b""),
        (404, "a way out of the runs", "GET /runs/..%2f.. HTTP/1.1", cookie, None, b""),
        (404, "a recording that is none", "GET /recordings/nix HTTP/1.1", cookie, None, b""),
        (405, "a method", "DELETE / HTTP/1.1", cookie, None, b""),
        (405, "a form for a page", f"POST / HTTP/1.1\r\n{own}", cookie, None, f"form={secret}".encode()),
        (403, "a form without an origin", post, cookie, None, f"{form}&form={secret}".encode()),
        (403, "a form of another site", f"{post}\r\nOrigin: http://evil.example", cookie, None, f"form={secret}&verb=accept".encode()),
        (403, "a form of a frame", f"{post}\r\nOrigin: null", cookie, None, f"form={secret}&verb=accept".encode()),
        (403, "a form without its secret", f"{post}\r\n{own}", cookie, None, form.encode()),
        (403, "a form without the cookie", f"{post}\r\n{own}", None, None, f"form={secret}&verb=accept".encode()),
        (409, "a cause that is none", f"{post}\r\n{own}", cookie, None, f"form={secret}&verb=accept&cause=x".encode()),
        (413, "a large form", f"{post}\r\n{own}", cookie, None, b"a=" + b"b" * 200_000),
        (400, "a broken form", f"{post}\r\n{own}", cookie, None, b"form=%zz"),
        (431, "a large header", "GET / HTTP/1.1\r\nX-Large: " + "a" * 10_000_000, cookie, None, b""),
        (431, "many headers", "GET / HTTP/1.1" + "\r\nX-Many: a" * 200, cookie, None, b""),
        (400, "no request", "\0\1\2 hello", cookie, None, b""),
    ]
    for wanted, what, head, its, host, body in tried:
        status, said = server.ask(head, its, host, body)
        # A server that refuses while it is still being sent to may close before its answer arrives.
        expect(status == wanted or status == 0 and wanted in (413, 431), f"{what}: {status} {said[:200]}")
        expect("root:" not in said, f"{what} is shown files")
    expect(stand.project.tests() == before, "a stranger changed tests")
    head = server.page("/", cookie)
    for word in ["default-src 'none'", "frame-ancestors 'none'", "nosniff", "no-store"]:
        expect(word in head, f"the header lacks {word}")
    expect("unsafe" not in head.split("\r\n\r\n")[0], "the policy allows what is unsafe")
    expect(server.page(f"/runs/{run}", cookie), "the server has ended")
    for connection in stand.silent:
        connection.settimeout(LIMIT)
        while connection.recv(1000):
            pass
    return f"{len(tried)} refused; {SILENT} silent connections were closed"


def damage(stand):
    """A history that is corrupt or newer, a run that broke off, two runs at once: said, never a failure of ours."""
    server, cookie, project = stand.server, stand.cookie, stand.project
    history = project.folder / "rehearsal" / "runs" / "history.db"
    kept = history.read_bytes()
    try:
        for what, words in [("corrupt", "left as it is"), ("newer", "a newer release wrote it")]:
            if what == "corrupt":
                history.write_bytes(b"no database at all " * 100)
            else:
                history.write_bytes(kept)
                with sqlite3.connect(history) as database:
                    database.execute("PRAGMA user_version = 99")
                database.close()
            for path in ["/", "/flaky", "/failures", "/slow", "/graph", "/recordings/shop/1", f"/runs/{stand.seeded}/shop/1"]:
                status, said = server.ask(f"GET {path} HTTP/1.1", cookie)
                expect(status in (200, 500), f"{what} history, {path}: {status}")
                expect(path in ("/graph", "/recordings/shop/1") or words in said or "/runs/" in path, f"{what} history, {path}: {said[-500:]}")
    finally:
        history.write_bytes(kept)
    whole = project.folder / "rehearsal" / "runs" / stand.seeded / "events.jsonl"
    broken = project.folder / "rehearsal" / "runs" / "9000000000000-999999999"
    broken.mkdir()
    text = whole.read_bytes()
    for cut in [0, 1, len(text) // 2, len(text) - 2]:
        (broken / "events.jsonl").write_bytes(text[:cut] if cut != 1 else b"\0\xff{}\n[1]\n" + text[: len(text) // 3])
        for path in ["/", f"/runs/{broken.name}", f"/runs/{broken.name}/review"]:
            server.page(path, cookie)
        expect("broke off" in server.page(f"/runs/{broken.name}", cookie), "a run that broke off is not said to")
    shutil.rmtree(broken)
    programs = [project.start("test", CHANGED="") for _ in range(2)]
    try:
        while any(program.poll() is None for program in programs):
            for path in ["/", "/flaky", f"/runs/{stand.last()}"]:
                status, _ = server.ask(f"GET {path} HTTP/1.1", cookie)
                expect(status in (200, 404), f"two runs at once, {path}: {status}")
        expect([program.returncode for program in programs] == [0, 0], "two runs at once fail")
    finally:
        for program in programs:
            program.kill()
            program.communicate()
    return "corrupt and newer history, four halves of a run, two runs at once"


def ends(stand):
    """Ctrl-C ends it at once, with a page that follows and one that is being sent; nothing is left."""
    files = lambda: sorted(str(path) for path in stand.project.folder.rglob("*"))  # noqa: E731
    before = files()
    stand.open("/")
    began = time.monotonic()
    stand.server.program.send_signal(signal.SIGINT)
    code = stand.server.program.wait(LIMIT)
    took = time.monotonic() - began
    expect(code == 0 and took < ENDING, f"exit code {code} after {took:.1f} s")
    said = stand.server.program.stdout.read()
    expect(said == "", f"it said {said!r}")
    expect(files() == before, "files are left")
    with socket.socket() as probe:
        expect(probe.connect_ex(("127.0.0.1", stand.server.port)) != 0, "the port is still open")
    return f"exit code 0 after {took:.2f} s"


CASES = [pages, keys, reviews, live, strangers, damage, ends]


@contextlib.contextmanager
def standing(folder):
    with Stand(folder) as stand:
        stand.seeded = stand.last()
        yield [(case.__name__, lambda case=case: case(stand)) for case in CASES]


if __name__ == "__main__":
    sys.exit(runner.main("web", __doc__.split("\n\n")[0], standing))
