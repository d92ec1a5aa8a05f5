"""The app of the suite in Python: it serves streams and calls others' streams to do so.

    app.py PORT

The environment's FEED is the address (host:port) of the dependency. BUG=drops_stream_message leaves out a
message of a stream, BUG=reorders_stream changes the order of two.
"""

import asyncio
import json
import os
import sys

import aiohttp
import websockets
from aiohttp import WSMsgType, web

FEED, BUG = os.environ["FEED"], os.environ.get("BUG", "")


def spoiled(messages):
    """The messages as they are sent on, by an app that has the defect."""
    if BUG == "drops_stream_message":
        return messages[:1] + messages[2:]
    if BUG == "reorders_stream":
        return [messages[1], messages[0], *messages[2:]]
    return messages


async def by_websockets(symbol):
    """Three prices, by the client of `websockets`, with compression."""
    async with websockets.connect(f"ws://{FEED}/feed") as socket:
        json.loads(await socket.recv())
        await socket.send(json.dumps({"subscribe": symbol}))
        return [json.loads(await socket.recv()) for _ in range(3)]


async def by_aiohttp(symbol, compress):
    async with aiohttp.ClientSession() as session, session.ws_connect(f"http://{FEED}/feed", compress=compress) as socket:
        await socket.receive_json()
        await socket.send_json({"subscribe": symbol})
        prices = [await socket.receive_json() for _ in range(3)]
        await socket.send_bytes(b"\x00\x01\xff")
        turned = (await socket.receive()).data
        await socket.send_json({"leave": True})
        last = await socket.receive()
        return prices, turned.hex(), socket.close_code, str(last.extra)


async def desk(request):
    """A WebSocket of our own: quotes, orders, echoes."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_json({"hello": request.query.get("name", "desk")})
    async for message in socket:
        if message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data + b"\xfe")
            continue
        if message.type != WSMsgType.TEXT:
            break
        if message.data == "bye":
            await socket.close(code=1000, message=b"see you")
            break
        asked = json.loads(message.data)
        if "quote" in asked:
            prices = await by_websockets(asked["quote"])
            for price in spoiled(prices):
                await socket.send_json({"quote": price["symbol"], "total": price["price"] * asked.get("quantity", 1)})
        if "order" in asked:
            async with aiohttp.ClientSession() as session, session.post(f"http://{FEED}/orders", json={"quantity": asked["order"]}) as answer:
                await socket.send_json({"ordered": (await answer.json())["id"]})
    return socket


async def quotes(request):
    prices, turned, code, reason = await by_aiohttp(request.query["symbol"], 15 if "deflate" in request.query else 0)
    return web.json_response({"prices": [price["price"] for price in prices], "turned": turned, "code": code, "reason": reason})


async def chats(request):
    """Says two things to the dependency, in an order that a defect changes."""
    symbols = spoiled(["ACME", "INIT"])
    async with websockets.connect(f"ws://{FEED}/feed", compression=None) as socket:
        prices = []
        await socket.recv()
        for symbol in symbols:
            await socket.send(json.dumps({"subscribe": symbol}))
            prices += [json.loads(await socket.recv())["price"] for _ in range(3)]
    return web.json_response({"prices": sorted(prices)})


async def begun(request, kind):
    response = web.StreamResponse(headers={"Content-Type": kind, "Cache-Control": "no-cache"})
    await response.prepare(request)
    return response


def event(data, **fields):
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return ("\n".join([*lines, f"data: {json.dumps(data)}"]) + "\n\n").encode()


async def events(request):
    """Passes on the titles of the dependency's events, and ends with it."""
    response = await begun(request, "text/event-stream")
    titles = []
    async with aiohttp.ClientSession() as session, session.get(f"http://{FEED}/news") as news:
        async for line in news.content:
            if line.startswith(b"data: {"):
                titles.append(json.loads(line[6:])["title"])
    for number, title in enumerate(spoiled(titles)):
        await response.write(event({"title": title}, id=number, event="title"))
    return response


async def ticks(request):
    """Hears three events of a stream that has no end, and says them in one that has none either."""
    response = await begun(request, "text/event-stream")
    heard = []
    async with aiohttp.ClientSession() as session, session.get(f"http://{FEED}/ticker") as ticker:
        async for line in ticker.content:
            if line.startswith(b"data: "):
                heard.append(json.loads(line[6:])["tick"])
            if len(heard) == 3:
                break
    for tick in spoiled(heard):
        await response.write(event({"tick": tick}))
    await asyncio.sleep(60)
    return response


async def rows(request):
    """Passes on the dependency's rows, a line each."""
    response = await begun(request, "application/x-ndjson")
    async with aiohttp.ClientSession() as session, session.get(f"http://{FEED}/rows") as upstream:
        lines = [json.loads(line) async for line in upstream.content]
    for line in spoiled(lines):
        await response.write(json.dumps({"price": line["price"]}).encode() + b"\n")
    return response


def main():
    app = web.Application()
    app.add_routes([web.get("/desk", desk), web.get("/quotes", quotes), web.get("/chats", chats)])
    app.add_routes([web.get("/events", events), web.get("/ticks", ticks), web.get("/rows", rows)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
