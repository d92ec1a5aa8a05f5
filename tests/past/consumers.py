"""Programs and schemas of others that read what Rehearsal writes: installed once, each asked what it sees."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import install_once, install_python, run_tool  # noqa: E402

PYTHON = ["junitparser==4.*", "jsonschema==4.*", "sarif-tools==3.*", "lxml==6.*"]
# Its source has the schema of Jenkins' xUnit plugin.
SOURCE, SCHEMA = "pytest==8.3.4", "testing/example_scripts/junit-10.xsd"
NODE = ["ctrf@0.3", "allure-commandline@2"]
READ = """
import json, sys
from junitparser import JUnitXml
from jsonschema import validate
from sarif.loader import load_sarif_file
junit, ctrf, schema, sarif = sys.argv[1:]
suites = JUnitXml.fromfile(junit)
report = json.load(open(ctrf))
validate(report, json.load(open(schema)))
records = load_sarif_file(sarif).get_records()
print(json.dumps({
    "junit": [suites.tests, suites.failures, sum(suite.skipped for suite in suites)],
    "cases": sum(1 for suite in suites for _ in suite),
    "ctrf": report["results"]["summary"],
    "sarif": [[one["Location"], one["Severity"]] for one in records],
}))
"""


VALIDATE = """
import sys
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
for file in sys.argv[2:]:
    schema.assertValid(etree.parse(file))
"""


def install(cache):
    def fill(folder):
        python = install_python(folder / "python", PYTHON)
        run_tool([python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pytest", SOURCE, "-d", folder], folder)
        [source] = folder.glob("pytest-*.tar.gz")
        with tarfile.open(source) as files:
            [member] = [name for name in files.getnames() if name.endswith(SCHEMA)]
            (folder / "junit-10.xsd").write_bytes(files.extractfile(member).read())
        run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, *NODE], folder)

    install_once(cache, [*PYTHON, SOURCE, *NODE], [("npm", "npm"), ("java", "default-jre-headless")], fill)


def read(cache, junit, ctrf, sarif):
    schema = cache / "node_modules" / "ctrf" / "dist" / "ctrf-schema-0.0.json"
    python = cache / "python" / "bin" / "python"
    done = subprocess.run([python, "-c", READ, junit, ctrf, schema, sarif], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def validate_junit(cache, reports):
    """Each must be as the schema of Jenkins says."""
    python = cache / "python" / "bin" / "python"
    done = subprocess.run([python, "-c", VALIDATE, cache / "junit-10.xsd", *reports], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr)


def allure(cache, results, page):
    """The statuses that `allure generate` counts."""
    program = cache / "node_modules" / "allure-commandline" / "dist" / "bin" / "allure"
    done = subprocess.run(["sh", program, "generate", results, "-o", page], capture_output=True, text=True, env=os.environ)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return json.loads((page / "widgets" / "summary.json").read_text())["statistic"]
