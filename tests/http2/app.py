"""A shop that speaks HTTP/2 without TLS (by Hypercorn), and calls its warehouse over HTTP/2 (by httpx).

    python app.py PORT    (the environment has WAREHOUSE_URL and SECURE_URL)

BUG=total, status or trailers makes it wrong in one answer. Neither httpx nor Hypercorn passes on trailers: `/trailers` sends a
field before.
"""

import asyncio
import hashlib
import json
import os
import sys

import httpx
from hypercorn.asyncio import serve
from hypercorn.config import Config

WAREHOUSE, SECURE, BUG = os.environ["WAREHOUSE_URL"], os.environ["SECURE_URL"], os.environ.get("BUG")


async def cents(client, base, sku):
    return (await client.get(f"{base}/prices/{sku}")).json()["cents"]


async def quote(client, path, query, _):
    sku, base = path.split("/")[2], SECURE if query == b"over=tls" else WAREHOUSE
    each = await cents(client, base, sku)
    reserved = (await client.post(f"{base}/reserve", json={"quantity": 3})).json()
    return 200, {"sku": sku, "total": each * 3 + (BUG == "total" and sku == "A2"), "warehouse": reserved}


async def many(client, *_):
    return 200, f"sum {sum(await asyncio.gather(*(cents(client, WAREHOUSE, f'A{number}') for number in range(20))))}"


async def upload(client, _path, _query, body):
    return 200, (await client.post(f"{WAREHOUSE}/digest", content=body)).json()


async def large(client, *_):
    return 200, (await client.get(f"{WAREHOUSE}/large")).text


async def broken(client, path, *_):
    try:
        return 200, f"fine: {(await client.get(WAREHOUSE + path)).text}"
    except httpx.HTTPError as error:
        return 200, f"broken off: {type(error).__name__}"


async def trailers(client, *_):
    text = (await client.get(f"{WAREHOUSE}/trailers")).text
    return 200, text, [(b"x-seen", b"?" if BUG == "trailers" else hashlib.md5(text.encode()).hexdigest().encode())]


async def hints(client, *_):
    return 200, (await client.get(f"{WAREHOUSE}/hints")).json()


async def missing(client, *_):
    status = (await client.get(f"{WAREHOUSE}/nowhere")).status_code
    return (500 if BUG == "status" else status), ""


ANSWERS = {"quote": quote, "many": many, "upload": upload, "large": large, "reset": broken, "half": broken, "trailers": trailers, "hints": hints, "missing": missing}


def app(client):
    async def answer(scope, receive, send):
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        status, value, *rest = await ANSWERS[scope["path"].split("/")[1]](client, scope["path"], scope["query_string"], body)
        text, kind = (value, b"text/plain") if isinstance(value, str) else (json.dumps(value), b"application/json")
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), *(field for fields in rest for field in fields)]})
        await send({"type": "http.response.body", "body": text.encode()})

    return answer


async def main():
    config = Config()
    config.bind, config.accesslog = [f"127.0.0.1:{sys.argv[1]}"], None
    async with httpx.AsyncClient(http1=False, http2=True, timeout=20) as client:
        await serve(app(client), config)


asyncio.run(main())
