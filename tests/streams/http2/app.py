"""A desk over HTTP/2 by Hypercorn, which calls the events of its upstream by httpx: `app.py PORT`.

It serves over TLS if the environment has CERTIFICATE; the events are at PRICES. BUG as in `app.mjs`.
"""

import asyncio
import json
import os
import sys

import httpx
from hypercorn.asyncio import serve
from hypercorn.config import Config

PRICES, BUG, PEM = os.environ["PRICES"], os.environ.get("BUG"), os.environ.get("CERTIFICATE")


def faulty(items):
    if BUG == "drops_stream_message":
        return items[:1] + items[2:]
    return [items[1], items[0], *items[2:]] if BUG == "reorders_stream" else items


async def desk(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        if event.get("bytes") is not None:
            await send({"type": "websocket.send", "bytes": event["bytes"][::-1]})
        elif event["text"] == "bye":
            await send({"type": "websocket.close", "code": 4002, "reason": "see you"})
        else:
            for number in faulty([1, 2, 3]):
                await send({"type": "websocket.send", "text": json.dumps({"quote": json.loads(event["text"])["quote"], "total": number * 101})})


async def ticks(client, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for number in faulty([1, 2, 3]):
        await send({"type": "http.response.body", "body": f'id: {number}\ndata: {{"tick": {number}}}\n\n'.encode(), "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


async def listen(client, receive, send):
    seen = []
    async with client.stream("GET", f"{PRICES}/ticks") as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                seen.append(json.loads(line[6:])["tick"])
            if len(seen) == 3:
                break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps({"ticks": seen}).encode()})


def app(client):
    async def answer(scope, receive, send):
        if scope["type"] == "websocket":
            await desk(receive, send)
        elif scope["type"] == "http":
            await {"/ticks": ticks, "/listen": listen}[scope["path"]](client, receive, send)

    return answer


async def main():
    config = Config()
    config.bind, config.accesslog = [f"127.0.0.1:{sys.argv[1]}"], None
    if PEM:
        config.certfile, config.keyfile = PEM, PEM[:-3] + "key"
    async with httpx.AsyncClient(http1=False, http2=True, timeout=20) as client:
        await serve(app(client), config)


asyncio.run(main())
