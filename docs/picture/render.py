#!/usr/bin/env python3
"""Draws docs/picture/demo.svg: what `rehearsal demo` says, as a terminal picture.

    cargo build -p rehearsal && docs/picture/render.py            draws the picture again
    docs/picture/render.py --check                                fails when the picture is stale

It runs the demonstration, keeps the telling lines, and turns colours into an SVG whose text can be
selected. Times and the temporary folder are replaced, so that the same program gives the same
picture. It does not lay out text: every run of characters is placed on a grid.
"""

import argparse
import pathlib
import re
import subprocess
import sys
from html import escape

HERE = pathlib.Path(__file__).resolve().parent
PICTURE = HERE / "demo.svg"

# One cell of the grid, in pixels, for a monospaced font at SIZE.
SIZE, CELL, LINE = 14, 8.43, 21
PAD, BAR = 26, 40
COLUMNS = 104

BACK, BAR_BACK, EDGE = "#16181d", "#1e2128", "#2c313a"
PLAIN, BRIGHT, DIM = "#c9d1d9", "#f4f6f8", "#7d8793"
RED, GREEN, YELLOW, BLUE = "#ff7b72", "#6fdd8b", "#e3b341", "#79c0ff"
COLORS = {"31": RED, "32": GREEN, "33": YELLOW}

ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")


def demo(binary):
    """The lines of the demonstration, with their colours."""
    ran = subprocess.run(
        [binary, "demo", "--color", "always"],
        capture_output=True, text=True, timeout=60, check=False,
    )
    if ran.returncode != 0:
        sys.exit(f"render.py: {binary} demo ended with {ran.returncode}\n{ran.stderr}")
    return ran.stdout.splitlines()


def plain(line):
    return ESCAPE.sub("", line)


def steady(line):
    """The line without what differs from run to run."""
    line = re.sub(r"\S*/rehearsal/demo \(\d+\.\d s\)", "rehearsal/demo (0.2 s)", line)
    line = re.sub(r"(?:\x1b\[2m)? · (?:\x1b\[0m)?(?:\x1b\[2m)?\d[\d.]* m?s(?=\x1b|$)", "\x1b[2m", line)
    return re.sub(r" in \d+\.\d+ s", " in 0.02 s", line)


def telling(lines):
    """The lines that tell the story: what is recorded, that it passes, and what a bug looks like."""
    kept, hiding = [], True
    for line in map(steady, lines):
        text = plain(line)
        if re.match(r"\d\. ", text):
            hiding = False
            kept += ["", "#" + text]
            continue
        if text.startswith("That failure"):
            break
        if "$ rehearsal" in text:
            kept.append(text.strip())
            hiding = False
        elif re.match(r"\s+(✗ 3|connections)", text):
            # The second failure is like the first; the connections are in the documentation.
            if "✗" in text:
                kept.append(line)
            hiding = True
        elif re.match(r"\s+✓|\d+ tests:", text):
            hiding = False
            kept.append(line)
        elif re.match(r"✗|demo ·|\s+(app ready|read it|Next:)", text):
            continue
        elif not hiding:
            kept.append(line)
    # No two blank lines in a row, none at either end.
    out = []
    for line in kept:
        if plain(line).strip() or (out and plain(out[-1]).strip()):
            out.append(line)
    while out and not plain(out[-1]).strip():
        out.pop()
    return out


def runs(line):
    """(column, text, style) of each part of a line; a style is a dict of SVG attributes."""
    if line.startswith("#"):
        yield 0, line[1:], {"fill": BLUE, "font-weight": "600"}
        return
    if line.startswith("$ "):
        yield 0, "$", {"fill": GREEN}
        yield 2, line[2:], {"fill": BRIGHT, "font-weight": "600"}
        return
    codes, column, at = set(), 0, 0
    for found in [*ESCAPE.finditer(line), None]:
        text = line[at:found.start() if found else len(line)]
        # Gaps are left to the grid, since a renderer may close them.
        for word in re.finditer(r"\S+(?: \S+)*", text):
            yield column + word.start(), word.group(), style(codes)
        column += len(text)
        if found:
            at = found.end()
            for code in found.group(1).split(";"):
                codes = set() if code in ("", "0") else codes | {code}


def style(codes):
    color = next((COLORS[code] for code in codes if code in COLORS), None)
    attributes = {"fill": color or (DIM if "2" in codes else BRIGHT if "1" in codes else PLAIN)}
    if "1" in codes:
        attributes["font-weight"] = "600"
    if "7" in codes:
        attributes["inverse"] = attributes["fill"]
    return attributes


def part(column, text, attributes, y):
    """One run as SVG."""
    inverse = attributes.pop("inverse", None)
    x, width = PAD + column * CELL, len(text) * CELL
    drawn = ""
    if inverse:
        drawn = (f'<rect x="{x - 1:.1f}" y="{y - 14:.1f}" width="{width + 2:.1f}" height="19" rx="3" '
                 f'fill="{inverse}"/>')
        attributes = {**attributes, "fill": BACK}
    shown = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return (f'{drawn}<text x="{x:.1f}" y="{y:.1f}" textLength="{width:.1f}" {shown}>'
            f"{escape(text, quote=False)}</text>")


def svg(lines):
    width = round(2 * PAD + COLUMNS * CELL)
    height = BAR + 2 * PAD + LINE * len(lines) - 10
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title">',
        "<title id=\"title\">rehearsal demo: a shop is recorded, its tests pass without its services, "
        "and a change that makes an order a cent dearer is found</title>",
        "<style>text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',"
        f"monospace;font-size:{SIZE}px;white-space:pre}}</style>",
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="10" fill="{BACK}" stroke="{EDGE}"/>',
        f'<path d="M.5 {BAR}V10.5a10 10 0 0 1 10-10H{width - 10.5}a10 10 0 0 1 10 10V{BAR}z" fill="{BAR_BACK}"/>',
        f'<path d="M.5 {BAR}H{width - 0.5}" stroke="{EDGE}"/>',
    ]
    for index, color in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
        drawn.append(f'<circle cx="{24 + 20 * index}" cy="{BAR / 2}" r="6" fill="{color}"/>')
    drawn.append(f'<text x="{width / 2}" y="{BAR / 2 + 5}" text-anchor="middle" fill="{DIM}">rehearsal demo</text>')
    for index, line in enumerate(lines):
        y = BAR + PAD + 10 + index * LINE
        drawn.extend(part(*run, y) for run in runs(line))
    return "\n".join([*drawn, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description="Draw docs/picture/demo.svg.")
    parser.add_argument("--binary", default=HERE.parents[1] / "target/debug/rehearsal")
    parser.add_argument("--check", action="store_true", help="change nothing; fail when the picture is stale")
    arguments = parser.parse_args()
    picture = svg(telling(demo(arguments.binary)))
    if not arguments.check:
        PICTURE.write_text(picture)
    elif PICTURE.read_text() != picture:
        sys.exit("render.py: demo.svg is stale; run docs/picture/render.py")


if __name__ == "__main__":
    main()
