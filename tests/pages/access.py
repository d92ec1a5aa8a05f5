"""What somebody could not use who does not see, or has a keyboard alone: asked of axe-core, in the page itself."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import install_once, run_tool  # noqa: E402

CACHE = HERE.parent.parent / "target" / "fixtures" / "pages"
AXE = "axe-core@4.10"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASK = """
axe.run(document, {runOnly: {type: 'tag', values: %s}, resultTypes: ['violations']}).then(found => found.violations.map(
  it => it.id + ' (' + it.help + '): ' + it.nodes.slice(0, 3).map(node => node.html.slice(0, 120)).join(' | ')))
"""


def source(cache=CACHE):
    """The program that looks; installed the first time."""

    def fill(folder):
        run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, AXE], folder)

    install_once(cache, [AXE], [("npm", "npm")], fill)
    return (cache / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def violations(browser, program):
    """What is wrong with the page that is open, each in a line; `program` is what `source` gives."""
    browser.run(program + "; 0")
    return browser.run(ASK % json.dumps(RULES))


