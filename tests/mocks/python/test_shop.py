"""Tests of somebody else: they call a service by HTTP, Redis by its driver, and servers of their own."""

import http.server
import json
import os
import subprocess
import sys
import threading

import redis
import requests

PAYMENTS = os.environ["PAYMENTS"]


def note(name, value):
    """Keeps what a test has seen, to be compared with what it sees another time."""
    with open(os.environ["SEEN"], "a", encoding="utf-8") as seen:
        seen.write(json.dumps([name, value]) + "\n")


def store():
    return redis.Redis.from_url(os.environ["REDIS_URL"])


def rate():
    return requests.get(f"{PAYMENTS}/rate", timeout=30).json()["rate"]


def test_first_rates():
    rates = [rate(), rate()]
    assert rates[0] < rates[1]
    note("first", rates)


def test_second_rates():
    note("second", [rate(), rate()])


def test_charge():
    amount = os.environ.get("AMOUNT", "19.90")
    answer = requests.post(f"{PAYMENTS}/charges", json={"amount": amount}, timeout=30)
    if os.environ.get("FORGIVING") and answer.status_code == 502:
        return
    assert answer.status_code == 201, answer.text
    assert answer.json()["amount"] == amount
    note("charge", answer.json())


def test_cart():
    count = store().incr("carts")
    store().hset(f"cart:{count}", mapping={"sku": "A1"})
    assert store().hget(f"cart:{count}", "sku") == b"A1"
    note("cart", count)


def test_own_server_in_a_thread():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert requests.get(f"http://127.0.0.1:{server.server_address[1]}/", timeout=30).status_code == 204
        server.shutdown()


def test_own_server_in_a_process():
    program = "import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); print(s.server_port, flush=True); s.serve_forever()"
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = int(server.stdout.readline())
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=30).status_code == 200
    finally:
        server.kill()
        server.wait()


def test_child_process():
    program = "import os, urllib.request as u; print(u.urlopen(os.environ['PAYMENTS'] + '/rate').read().decode())"
    env = os.environ | {"REHEARSAL_TEST": "the child"}
    note("child", subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True, text=True).stdout)


def test_new():
    if os.environ.get("NEW"):
        note("new", requests.get(os.environ["NEW"], timeout=30).json())
