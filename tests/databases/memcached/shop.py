#!/usr/bin/env python3
"""A small shop that keeps its carts and prices in memcached: the app that run.py records.

    shop.py PORT MEMCACHED_PORT

Connects by pymemcache, over TLS if TLS says so. BUG plants a defect: wrong_expiry, missing_delete, renamed_key, n_plus_one, wrong_price.
"""

import contextlib
import json
import os
import ssl
import sys
from pathlib import Path

from pymemcache.client.base import PooledClient
from pymemcache.exceptions import MemcacheError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from web import always, serve  # noqa: E402

BUG = os.environ.get("BUG", "")
TLS = ssl.create_default_context() if os.environ.get("TLS") else None
cache = PooledClient(("localhost" if TLS else "127.0.0.1", int(sys.argv[2])), max_pool_size=4, tls_context=TLS)


def add(body, cart):
    key = f"basket:{cart}" if BUG == "renamed_key" else f"cart:{cart}"
    price = body["price"] + 1 if BUG == "wrong_price" else body["price"]
    line = json.dumps({"sku": body["sku"], "price": price})
    stored = cache.set(key, line, expire=60 if BUG == "wrong_expiry" else 600, noreply=False)
    return [stored, cache.incr("carts", 1)]


def show(_, cart):
    line = cache.get(f"cart:{cart}")
    return None if line is None else json.loads(line)


def pay(_, cart):
    if BUG != "missing_delete":
        cache.delete(f"cart:{cart}")
    cache.set("last", f"paid {cart}")
    return cache.get("last").decode()


def prices(_, skus):
    keys = [f"price:{sku}" for sku in skus.split(",")]
    if BUG == "n_plus_one":
        found = {}
        for number in range(100):
            with contextlib.suppress(MemcacheError):
                found[f"price:{number}"] = cache.get(f"price:{number}", b"")
    else:
        found = cache.get_many(keys)
    return {key: value.decode() for key, value in sorted(found.items())}


if __name__ == "__main__":
    routes = [("POST", r"/carts/(\d+)", add), ("GET", r"/carts/(\d+)", show), ("POST", r"/carts/(\d+)/pay", pay), ("GET", r"/prices/(.+)", prices)]
    serve(sys.argv[1], [(method, path, always(act)) for method, path, act in routes])
