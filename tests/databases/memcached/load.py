#!/usr/bin/env python3
"""The load of memcslap as an app: an answer is its exit code.

    load.py PORT MEMCACHED_PORT MEMCSLAP
"""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from web import always, serve  # noqa: E402

PORT, SERVER, MEMCSLAP = sys.argv[1:4]


def load(_, kind):
    words = [MEMCSLAP, f"--servers=127.0.0.1:{SERVER}", "--concurrency=4", "--execute-number=200", "--initial-load=200", f"--test={kind}"]
    return subprocess.run(words, stdout=subprocess.DEVNULL, check=False, timeout=60).returncode


serve(PORT, [("GET", r"/(\w+)", always(load))])
