#!/usr/bin/env python3
"""Runs the suites that need real servers, drivers and applications, some of them at a time.

    suites.py [--jobs N] [--repeat N] [--except NAME] [NAME ...]

A suite is a folder below this one with a `run.py`; its name is its path, such as `tls` or `databases/redis`, and a
folder's name stands for all suites in it. The environment's REHEARSAL is the program's path. Each line that a suite
prints comes with its name before it. Exit code 0 when all passed, 1 when one failed.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent


# Those that take minutes, the longest first: they begin before the others, so that none runs alone at the end.
LONG = ["http2", "databases/postgres", "databases/mysql", "everything", "databases/mongodb", "databases/redis", "tls", "streams", "past"]


def chosen(names, without, suites):
    """The suites of these names, all if there are none, without some."""
    def named(suite, name):
        return suite == name or suite.startswith(f"{name}/")

    for name in names + without:
        if not any(named(suite, name) for suite in suites):
            sys.exit(f"suites.py: there is no suite {name}, only {', '.join(suites)}")
    wanted = [suite for suite in suites if not names or any(named(suite, name) for name in names)]
    return [suite for suite in wanted if not any(named(suite, name) for name in without)]


def run(name, program, repeat, width):
    """Runs a suite and passes on what it says; whether it passed."""
    began = time.monotonic()
    command = [sys.executable, "-u", str(program), "--repeat", str(repeat)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as suite:
        for line in suite.stdout:
            say(name, width, line.decode(errors="replace").rstrip())
        # What all its processes computed, to tell a suite that computes from one that waits.
        _, status, used = os.wait4(suite.pid, 0)
        suite.returncode = os.waitstatus_to_exitcode(status)
    word = "passed" if suite.returncode == 0 else f"FAILED with exit code {suite.returncode}"
    say(name, width, f"{word} after {time.monotonic() - began:.0f} s, {used.ru_utime + used.ru_stime:.0f} of them computing")
    return suite.returncode == 0


printing = threading.Lock()


def say(name, width, line):
    with printing:
        print(f"{name:{width}} | {line}", flush=True)


def main():
    suites = {str(path.parent.relative_to(HERE)): path for path in sorted(HERE.glob("**/run.py"))}
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1, help="how many suites at a time (one more than cores: they wait more than they compute)")
    parser.add_argument("--repeat", type=int, default=10, help="how many times to replay each recording (10)")
    parser.add_argument("--except", dest="without", action="append", default=[], metavar="NAME", help="leave this one out")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(suites)} (all)")
    options = parser.parse_args()
    names = chosen(options.names, options.without, suites)
    names.sort(key=lambda name: LONG.index(name) if name in LONG else len(LONG))
    width = max(map(len, names), default=0)
    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        passed = list(pool.map(lambda name: run(name, suites[name], options.repeat, width), names))
    failed = [name for name, good in zip(names, passed) if not good]
    print(f"suites: {len(names) - len(failed)} passed, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
