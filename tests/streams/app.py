"""The app of the suite in Python: it serves streams and calls others' streams to do so.

    app.py PORT

The environment's FEED is the address (host:port) of the dependency. BUG=drops_stream_message leaves out a
message of a stream, BUG=reorders_stream changes the order of two.
"""

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


def main():
    app = web.Application()
    app.add_routes([web.get("/desk", desk), web.get("/quotes", quotes), web.get("/chats", chats)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
