"""One replay and its verdict, and processes that keep the machine busy."""

import contextlib
import json
import subprocess
import sys

TEST_LIMIT = 600  # seconds


class Run:
    """What one `rehearsal test` said, in its events."""

    def __init__(self, code, events):
        self.code, self.events = code, events

    def of(self, kind):
        return [event for event in self.events if event["event"] == kind]

    def outcomes(self):
        """Of each test its outcome."""
        return {event["number"]: event["outcome"] for event in self.of("test-finished")}

    def retried(self):
        """Of each test that was tried again: why, and the test that it depends on."""
        return {event["number"]: (event["cause"], event["depends_on"]) for event in self.of("retried")}

    def in_words(self, but=()):
        """`green`, or what is not. What is called one of `but` is rightly called so."""
        words = [f"exit code {self.code}"] if self.code else []
        for event in self.of("test-finished"):
            if event["outcome"] != "passed":
                kinds = sorted({finding["kind"] for finding in event["findings"]})
                words.append(f"test {event['number']} {event['outcome']} ({', '.join(kinds)})")
        words += [f"test {number} called {cause}" for number, (cause, _) in self.retried().items() if cause not in but]
        return ", ".join(words) or "green"


def replay(program, case, copies, number):
    """Replays what a case has recorded, the `number`th time."""
    events = case.folder / f"events-{copies}-{number}.jsonl"
    log = case.folder / f"test-{copies}-{number}.log"
    command = [program, "test", case.name, f"-j{copies}", "--format", "json", "--output", events]
    with open(log, "wb") as output:
        done = subprocess.run(
            command, cwd=case.folder, env=case.environment(), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, timeout=TEST_LIMIT, check=False,
        )
    told = [json.loads(line) for line in events.read_text("utf-8").splitlines()] if events.exists() else []
    run = Run(done.returncode, told)
    if case.verdict(run) == "green":
        events.unlink()
        log.unlink()
    return run


@contextlib.contextmanager
def busy(count):
    """So many processes that only count."""
    spin = [sys.executable, "-c", "while True: sum(range(100000))"]
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            process = stack.enter_context(subprocess.Popen(spin, stdin=subprocess.DEVNULL))
            stack.callback(process.kill)
        yield
