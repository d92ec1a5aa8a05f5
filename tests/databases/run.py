#!/usr/bin/env python3
"""Runs the suites of all databases, one after the other.

    run.py [--repeat N] [NAME ...]

A suite is a folder here with a `run.py`. The options are those of every suite; the environment's
REHEARSAL is the program's path. Exit code 0 when all passed, 1 when one failed.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    suites = {path.parent.name: path for path in sorted(HERE.glob("*/run.py"))}
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeat", type=int, default=10, help="how many times to replay each recording (10)")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(suites)} (all)")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in suites]:
        sys.exit(f"run.py: there is no suite {unknown[0]}, only {', '.join(suites)}")
    failed = []
    for name in options.names or suites:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, suites[name], "--repeat", str(options.repeat)], check=False).returncode != 0:
            failed.append(name)
    print(f"databases: {'failed: ' + ', '.join(failed) if failed else 'all passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
