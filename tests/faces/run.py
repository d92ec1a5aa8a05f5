#!/usr/bin/env python3
"""Records apps that speak GraphQL and SOAP and replays them with their suppliers stopped.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Both are asked and ask: the Python shop by Strawberry, gql, Spyne and Zeep, the Node shop by graphql-http and
Apollo Client. Every run must be green without the suppliers, and every planted defect must turn exactly its
tests red and name the place.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Clients are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, install_once, install_python, main, run_tool  # noqa: E402

PACKAGES = ["strawberry-graphql[flask]==0.341.*", "gql[requests]==4.*", "zeep==4.*", "spyne==2.14.*", "flask==3.*"]
ENVELOPE = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><total xmlns="urn:invoices">'
    "<country>{}</country><amount>{}</amount></total></soap:Body></soap:Envelope>"
)
SHOP = [
    ("GET", "/orders", None, 200, '"total":"250.00"'),
    ("GET", "/first", None, 200, '"sku":"A1"'),
    ("GET", "/orders/7", None, 404, "there is no order 7"),
    ("POST", "/orders", {"sku": "A1", "amount": "19.90"}, 201, '"total":"39.80"'),
    ("GET", "/tax/11/DE/100", None, 200, '"tax":"19.00"'),
    ("GET", "/tax/12/FR/100", None, 200, '"tax":"20.00"'),
    ("GET", "/tax/11/XX/100", None, 404, "no rate is known for XX"),
    ("POST", "/graphql", {"query": "query Mine { orders { id total } }"}, 200, '"total":"250.00"'),
    ("POST", "/graphql", {"query": "mutation ($sku: String!) { buy(sku: $sku) { total } }", "variables": {"sku": "A1"}}, 200, "39.80"),
    ("POST", "/graphql", {"query": "query Wrong { nothing }"}, 200, "Cannot query field"),
    ("POST", "/invoices", ENVELOPE.format("DE", "100"), 200, "119.00"),
    ("POST", "/invoices", ENVELOPE.format("XX", "100"), 500, "no rate is known for XX"),
]
NODE = [
    ("GET", "/alone", None, 200, '"price":19.9'),
    ("GET", "/get", None, 200, '"price":19.9'),
    ("GET", "/batch", None, 200, ",250]"),
    ("GET", "/persisted", None, 200, '"price":19.9'),
    ("GET", "/persisted", None, 200, '"price":19.9'),
    ("GET", "/missing", None, 200, "there is no item none"),
    ("POST", "/graphql", {"query": "query Mine { items { sku price } }"}, 200, '"price":19.9'),
    ("POST", "/graphql", {"query": 'mutation { add(sku: "C3", price: 1.50) { sku } }'}, 200, "C3"),
]
# The defect, the tests that must be red by it, and words of which each must be in what `rehearsal test` prints.
SHOP_DEFECTS = {
    "graphql_null": ([8], ["query Mine", "response.body.data.orders[1].total"]),
    "soap_fault": ([11], ["SOAP total", "response.body/Envelope/Body/totalResponse", "Fault"]),
    "wrong_variable": ([4, 9], ["mutation PlaceOrder", "body.variables.input.amount"]),
    "wrong_literal": ([2], ["query { orders }", 'body.literals["orders.first"]']),
    "wrong_element": ([5, 6, 7, 11, 12], ["SOAP get_tax", "body/Envelope/Body/get_tax/amount"]),
}
NODE_DEFECTS = {
    "graphql_null": ([7], ["query Mine", "response.body.data.items[0].price"]),
    "wrong_first": ([1, 2, 3, 4, 5, 7], ["query Items", "body.variables.first", "query.variables.first", "body[1].variables.first"]),
}
# What a recording must call its tests and calls.
NAMES = {
    "shop": ["test: query Mine", "test: mutation { buy }", "test: SOAP total"],
    "node": ["test: query Mine", "test: mutation { add }"],
}


class Suppliers(Server):
    """The Python supplier, and the one in Node beside it."""

    def __init__(self, folder, tools):
        super().__init__(folder)
        self.python, self.node = tools
        self.second = Second(folder / "node", self.node)
        base = f"http://127.0.0.1:{self.port}"
        self.env |= {"GRAPHQL_URL": f"{base}/graphql", "SOAP11_URL": f"{base}/tax11", "SOAP12_URL": f"{base}/tax12"}
        self.env |= {"ITEMS_URL": f"http://127.0.0.1:{self.second.port}/", "NODE_ENV": "production"}

    def command(self):
        return [self.python, HERE / "store.py", self.port]

    def start(self):
        super().start()
        self.second.start()

    def stop(self):
        super().stop()
        self.second.stop()


class Second(Server):
    def __init__(self, folder, node):
        super().__init__(folder)
        self.node = node

    def command(self):
        return [shutil.which("node"), self.node / "store.mjs", self.port]


def named(stand, name):
    """The tests are called by what they ask for."""
    said = "".join(file.read_text("utf-8") for file in stand.files(name))
    if missing := [word for word in NAMES[name] if word not in said]:
        raise Failed(f"no test is called {missing}")
    return f"{len(NAMES[name])} names"


def cases(stand, tools):
    python, node = tools
    commands = {"shop": [python, HERE / "shop.py", "{port}"], "node": [shutil.which("node"), node / "shop.mjs", "{port}"]}
    for name, requests, defects in [("shop", SHOP, SHOP_DEFECTS), ("node", NODE, NODE_DEFECTS)]:
        yield name, lambda name=name, requests=requests: stand.app(name, commands[name], requests)
        yield f"{name} names", lambda name=name: named(stand, name)
        for bug, (red, words) in defects.items():
            yield f"{name} {bug}", lambda name=name, bug=bug, red=red, words=words: stand.defect(name, bug, red, words)


def install(cache):
    sources = [source.read_text("utf-8") for source in sorted((HERE / "node").iterdir())]
    install_once(cache, PACKAGES + sources, [("npm", "npm"), ("node", "nodejs")], fill)
    return str(cache / "python" / "bin" / "python"), cache / "node"


def fill(cache):
    install_python(cache / "python", PACKAGES)
    node = shutil.copytree(HERE / "node", cache / "node")
    run_tool(["npm", "install", "--silent", "--no-audit", "--no-fund"], node)


if __name__ == "__main__":
    store = []

    def installed(cache):
        store.append(install(cache))
        return store[0]

    sys.exit(main("faces", __doc__.split("\n\n")[0], lambda folder: Suppliers(folder, store[0]), installed, cases))
