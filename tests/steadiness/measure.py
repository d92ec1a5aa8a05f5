#!/usr/bin/env python3
"""Replays the same recordings again and again, on a busy machine, and counts the verdicts.

    measure.py [--replays N] [--jobs N,N] [--load N] [--page FILE] [--keep] [CASE ...]

Each case is recorded once, with what `record` learns about noise by itself and with no other noise. Then it is replayed
N times (50) with each number of copies (1 and 4). Every replay has to come to the same verdict, that all tests pass and
none is called order-dependent or flaky. `seeded` is another question: its app has tests that depend on others, race, and
fail at random, and what is said of each has to be true in every run.

`--load N` keeps N processes busy all the while. `--page` writes what came of it as Markdown. The environment's REHEARSAL
is the program's path (`rehearsal` if unset). Exit code 0 when all is steady, 1 when something is not.
"""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from apps import CASES, Failed  # noqa: E402
from runs import busy, replay  # noqa: E402


def measured(case, program, replays, jobs):
    """Records a case and replays it: the verdicts of each number of copies, and how long one took."""
    case.record(program)
    rows = []
    for copies in jobs:
        verdicts, began, longest = Counter(), time.monotonic(), 0.0
        for number in range(1, replays + 1):
            one = time.monotonic()
            run = replay(program, case, copies, number)
            longest = max(longest, time.monotonic() - one)
            verdicts[case.verdict(run)] += 1
        seconds = (time.monotonic() - began) / replays
        rows.append((case.name, copies, replays, verdicts, seconds, longest))
        print(line(rows[-1]), flush=True)
    return rows


def good(row):
    """Whether one verdict came of all replays, and it is the right one."""
    return list(row[3]) == ["green"]


def line(row):
    name, copies, replays, verdicts, seconds, longest = row
    said = "; ".join(f"{count} x {verdict}" for verdict, count in verdicts.most_common())
    word = "ok    " if good(row) else "FAILED"
    return f"{word}  {name:14} -j{copies}  {replays} replays: {said} ({seconds:.2f} s each, {longest:.2f} s at most)"


def page(rows, options, load):
    """What came of it, for a person."""
    words = sys.argv[1:]
    with contextlib.suppress(ValueError):
        at = words.index("--page")
        del words[at:at + 2]
    text = [
        f"`tests/steadiness/measure.py {' '.join(words)}`; {os.cpu_count()} cores, load average "
        f"{load[0]:.1f} at the beginning and {os.getloadavg()[0]:.1f} at the end, {options.load} processes kept busy.", "",
        "| app | copies | replays | verdicts | seconds each | at most |", "|---|---|---|---|---|---|",
    ]
    for name, copies, replays, verdicts, seconds, longest in rows:
        said = "; ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        text.append(f"| {name} | {copies} | {replays} | {said} | {seconds:.2f} | {longest:.2f} |")
    return "\n".join(text) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--replays", type=int, default=50, help="how often each is replayed (50)")
    parser.add_argument("--jobs", default="1,4", help="with how many copies (1,4)")
    parser.add_argument("--load", type=int, default=0, help="so many processes are kept busy all the while (0)")
    parser.add_argument("--page", type=Path, help="write what came of it here, as Markdown")
    parser.add_argument("--keep", action="store_true", help="keep recordings and logs also when all is steady")
    parser.add_argument("names", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)} (all)")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in CASES]:
        sys.exit(f"measure.py: there is no case {unknown[0]}; there are {', '.join(CASES)}")
    options.program = shutil.which(os.environ.get("REHEARSAL", "rehearsal"))
    if options.program is None:
        sys.exit("measure.py: there is no rehearsal to run; set REHEARSAL to its path")
    options.program = str(Path(options.program).resolve())
    return options


def main():
    options = arguments()
    jobs = [int(word) for word in options.jobs.split(",")]
    scratch = Path(tempfile.mkdtemp(prefix="rehearsal-steadiness-"))
    rows, broken, load = [], [], os.getloadavg()
    with busy(options.load):
        for name in options.names or CASES:
            try:
                rows += measured(CASES[name](name, scratch), options.program, options.replays, jobs)
            except (Failed, OSError) as why:
                broken.append(name)
                print(f"FAILED  {name:14} {why}", flush=True)
    if options.page:
        options.page.write_text(page(rows, options, load), "utf-8")
    steady = not broken and all(map(good, rows))
    if steady and not options.keep:
        shutil.rmtree(scratch)
    else:
        print(f"recordings and logs are in {scratch}")
    print(f"{sum(map(good, rows))} of {len(rows) + len(broken)} steady")
    return 0 if steady else 1


if __name__ == "__main__":
    sys.exit(main())
