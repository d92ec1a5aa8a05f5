"""An app that calls two servers through a forward proxy, by whichever client it is asked for.

    app.py PORT CACHE

`GET /CLIENT/SCHEME` calls `payments.example` by that scheme: first GET, then POST. `GET /CLIENT/blocked` calls
a server with which the proxy connects nobody. The proxy is named by HTTP_PROXY, HTTPS_PROXY and PROXY_URL; clients whose
names begin with `socks` use the one of SOCKS_URL.
The answer is what the server said, or status 500 and what failed. Clients in other languages are
programs in the folder CACHE, given the URLs.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHARGE = json.dumps({"amount": "19.90"})
JSON = {"content-type": "application/json"}
CACHE = Path(sys.argv[2])


def by_urllib(url):
    calls = [urllib.request.Request(f"{url}/item?n=1"), urllib.request.Request(f"{url}/charges", CHARGE.encode(), JSON)]
    return [urllib.request.urlopen(call, timeout=20).read().decode() for call in calls]


def by_requests(url):
    import requests

    with requests.Session() as session:
        return [session.get(f"{url}/item?n=1").text, session.post(f"{url}/charges", CHARGE, headers=JSON).text]


def by_httpx(url):
    import httpx

    with httpx.Client() as client:
        return [client.get(f"{url}/item?n=1").text, client.post(f"{url}/charges", content=CHARGE, headers=JSON).text]


def run(*words, **env):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **env})
    if done.returncode != 0:
        raise RuntimeError(f"{Path(words[0]).name} {done.returncode} {done.stdout.strip()}")
    return done.stdout


def by_curl(url):
    return [run("curl", "-sSf", f"{url}/item?n=1"), run("curl", "-sSf", "-H", "content-type: application/json", "-d", CHARGE, f"{url}/charges")]


def by_asked_curl(url):
    """Says who asks only when the proxy wants to know."""
    proxy = os.environ["PROXY_URL"]
    login, address = proxy.removeprefix("http://").split("@")
    words = ["env", "-u", "HTTP_PROXY", "-u", "HTTPS_PROXY", "-u", "http_proxy", "-u", "https_proxy", "curl", "-sSf"]
    return [run(*words, "--proxy", f"http://{address}", "--proxy-user", login, "--proxy-anyauth", f"{url}/item?n=1")]


def by_tunnel_curl(url):
    """Has itself connected also where no TLS follows."""
    return [run("curl", "-sSf", "--proxytunnel", f"{url}/item?n=1")]


def by_go(url):
    return [run(CACHE / "client-go", f"{url}/item?n=1", f"{url}/charges", CHARGE)]


def by_socks_curl(url):
    names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]
    words = ["env", *(word for name in names for word in ("-u", name)), "curl", "-sSf"]
    calls = [[f"{url}/item?n=1"], ["-H", "content-type: application/json", "-d", CHARGE, f"{url}/charges"]]
    return [run(*words, *call, ALL_PROXY=os.environ["SOCKS_URL"]) for call in calls]


def by_looked_up_curl(url):
    """Knows the address by itself, and tells the proxy no name."""
    known = [word for port in (80, 443) for word in ("--resolve", f"payments.example:{port}:192.0.2.7")]
    words = ["env", *(word for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy") for word in ("-u", name)), "curl", "-sSf", *known]
    proxy = os.environ["SOCKS_URL"].replace("socks5h:", "socks5:")
    calls = [[f"{url}/item?n=1"], ["-H", "content-type: application/json", "-d", CHARGE, f"{url}/charges"]]
    return [run(*words, *call, ALL_PROXY=proxy) for call in calls]


def by_looked_up_requests(url):
    """Looks up the address of this machine, whose name every machine knows."""
    return by_socks_requests(url.replace("payments.example", "localhost"), os.environ["SOCKS_URL"].replace("socks5h:", "socks5:"))


def by_socks_requests(url, proxy=os.environ["SOCKS_URL"]):
    import requests

    proxies = dict.fromkeys(("http", "https"), proxy)
    with requests.Session() as session:
        item = session.get(f"{url}/item?n=1", proxies=proxies).text
        return [item, session.post(f"{url}/charges", CHARGE, headers=JSON, proxies=proxies).text]


def by_socks_httpx(url):
    import httpx

    with httpx.Client(proxy=os.environ["SOCKS_URL"]) as client:
        return [client.get(f"{url}/item?n=1").text, client.post(f"{url}/charges", content=CHARGE, headers=JSON).text]


def by_socks_go(url):
    names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    return [run(CACHE / "client-go", f"{url}/item?n=1", f"{url}/charges", CHARGE, **dict.fromkeys(names, os.environ["SOCKS_URL"]))]


def by_node(url):
    return [run(shutil.which("node"), CACHE / "node" / "client.mjs", f"{url}/item?n=1", f"{url}/charges", CHARGE)]


def by_java(url):
    words = ["-XX:TieredStopAtLevel=1", "-Djdk.http.auth.tunneling.disabledSchemes=", "-cp", CACHE / "java", "Client"]
    return [run(shutil.which("java"), *words, f"{url}/item?n=1", f"{url}/charges", CHARGE)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, client, kind = self.path.split("/")
        url = "https://blocked.example" if kind == "blocked" else f"{kind}://payments.example"
        status = 200
        try:
            said = globals()["by_" + client.replace("-", "_")](url)
        except Exception as error:  # noqa: BLE001: whatever it is, the answer says it
            status, said = 500, [f"failed: {error}"]
        body = "\n".join(said).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
