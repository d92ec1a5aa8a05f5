#!/usr/bin/env python3
"""A small shop on Redis: the app that run.py records.

    shop.py PORT

Connects by redis-py to the server that the environment's REDIS_URL names; RESP says the version of the
protocol (2 or 3). A worker takes jobs from a queue, a listener takes messages from a channel. BUG plants
a defect: wrong_expiry, missing_del, renamed_key, n_plus_one, wrong_price, wrong_order.
"""

import contextlib
import json
import os
import sys
import threading
from pathlib import Path

import redis

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from web import serve  # noqa: E402

BUG = os.environ.get("BUG", "")
OPTIONS = {"decode_responses": True, "protocol": int(os.environ.get("RESP", "2")), "client_name": "shop"}
db = redis.Redis.from_url(os.environ["REDIS_URL"], **OPTIONS)
visits = redis.Redis.from_url(os.environ["REDIS_URL"], db=2, **OPTIONS)
reserve = db.register_script(
    "local left = tonumber(redis.call('GET', KEYS[1]) or '0') - ARGV[1] if left < 0 then return {err = 'SOLDOUT none left'} end redis.call('SET', KEYS[1], left) return left"
)
seen, done = threading.Event(), threading.Event()


def add(body, cart):
    key = f"basket:{cart}" if BUG == "renamed_key" else f"cart:{cart}"
    price = body["price"] + 1 if BUG == "wrong_price" else body["price"]
    with db.pipeline(transaction=False) as pipe:
        pipe.hset(key, body["sku"], json.dumps({"quantity": body["quantity"], "price": price}))
        pipe.expire(key, 60 if BUG == "wrong_expiry" else 600)
        pipe.hlen(key)
        return 201, pipe.execute()


def show(_, cart):
    if (cached := db.get(f"view:{cart}")) is not None:
        return 200, {"cached": json.loads(cached)}
    view = {sku: json.loads(line) for sku, line in sorted(db.hgetall(f"cart:{cart}").items())}
    db.set(f"view:{cart}", json.dumps(view), ex=30)
    return 200, {"fresh": view}


def checkout(_, cart):
    with db.pipeline(transaction=True) as pipe:
        pipe.watch(f"cart:{cart}")
        lines = pipe.hgetall(f"cart:{cart}")
        pipe.multi()
        pipe.incr("orders")
        if BUG == "wrong_order":
            pipe.delete(f"view:{cart}")
            pipe.rpush("sold", *sorted(lines))
        else:
            pipe.rpush("sold", *sorted(lines))
            pipe.delete(f"view:{cart}")
        if BUG != "missing_del":
            pipe.delete(f"cart:{cart}")
        return 200, pipe.execute()


def prices(_, skus):
    keys = [f"price:{sku}" for sku in skus.split(",")]
    if BUG == "n_plus_one":
        for number in range(100):
            with contextlib.suppress(redis.ResponseError):
                db.get(f"price:{number}")
        return 200, []
    return 200, db.mget(keys)


def take(_, count):
    try:
        return 200, reserve(keys=["stock"], args=[count])
    except redis.ResponseError as error:
        return 409, str(error)


def job(body):
    done.clear()
    length = db.lpush("jobs", json.dumps(body))
    if not done.wait(10):
        return 504, "the worker is asleep"
    return 200, {"queued": length >= 1, "result": db.get("result")}


def work():
    worker = redis.Redis.from_url(os.environ["REDIS_URL"], **OPTIONS)
    while True:
        if (item := worker.brpop("jobs", timeout=2)) is not None:
            worker.set("result", json.loads(item[1])["name"].upper())
            done.set()


def publish(body):
    seen.clear()
    count = db.publish("news", body["text"])
    if not seen.wait(10):
        return 504, "nobody listens"
    return 200, {"listeners": count, "last": db.get("last")}


def listen():
    listener = redis.Redis.from_url(os.environ["REDIS_URL"], **OPTIONS)
    channel = listener.pubsub(ignore_subscribe_messages=True)
    channel.subscribe("news")
    for message in channel.listen():
        listener.set("last", message["data"])
        seen.set()


def visit(_):
    return 200, [visits.incr("visits"), visits.ttl("visits"), db.get("visits")]


def trouble(_):
    told = [db.get("nothing")]
    for command in (["INCR", "cart-count"], ["NOSUCH"], ["GETEX", "view:1", "EX", "nonsense"]):
        try:
            told.append(db.execute_command(*command))
        except redis.RedisError as error:
            told.append(f"{type(error).__name__}: {error}")
    with db.pipeline(transaction=True) as pipe:
        pipe.execute_command("NOSUCH", "at all")
        pipe.get("orders")
        try:
            told.append(pipe.execute())
        except redis.RedisError as error:
            told.append(f"{type(error).__name__}: {error}")
    return 200, told


ROUTES = [
    ("POST", r"/carts/(\d+)", add), ("GET", r"/carts/(\d+)", show), ("POST", r"/carts/(\d+)/checkout", checkout), ("GET", r"/prices/(.+)", prices),
    ("POST", r"/take/(\d+)", take), ("POST", r"/jobs", job), ("POST", r"/news", publish), ("POST", r"/visits", visit), ("GET", r"/trouble", trouble),
]


if __name__ == "__main__":
    for loop in (work, listen):
        threading.Thread(target=loop, daemon=True).start()
    serve(sys.argv[1], ROUTES, threads=True)
