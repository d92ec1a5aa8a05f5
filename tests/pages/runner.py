"""Runs the cases of a suite that opens pages, in a folder of its own, and tells how each came out."""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from browser import Failed


def main(name, about, stand):
    """Runs the cases that are asked for; the exit code: 0 when all passed, 1 when one failed.

    `stand` is a context manager made from the folder; it gives pairs of a name and a function, which returns a few
    words about what it saw, or raises Failed.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--repeat", type=int, default=1, help="not heeded: pages are opened once")
    parser.add_argument("--keep", action="store_true", help="keep the pictures")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    arguments = parser.parse_args()
    folder, failed = Path(tempfile.mkdtemp(prefix=f"{name}-")), 0
    try:
        with stand(folder) as cases:
            for case, play in cases:
                if arguments.cases and case not in arguments.cases:
                    continue
                began = time.monotonic()
                try:
                    print(f"ok     {case}: {play()} ({time.monotonic() - began:.1f} s)", flush=True)
                except (Failed, OSError) as problem:
                    failed += 1
                    print(f"FAILED {case}: {problem}", flush=True)
    finally:
        if arguments.keep:
            print(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0
