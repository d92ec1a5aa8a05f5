"""The dependency of the suite: prices over WebSocket, news as server-sent events, rows as JSON lines.

    upstream.py PORT
"""

import asyncio
import json
import sys

from aiohttp import WSMsgType, web

PRICES = {"ACME": [101, 103, 99], "INIT": [7, 8, 9]}


async def feed(request):
    """Greets unasked, answers each subscription with three prices, and ends when it is told to."""
    socket = web.WebSocketResponse(compress="deflate" in request.headers.get("Sec-WebSocket-Extensions", ""))
    await socket.prepare(request)
    await socket.send_json({"welcome": "feed"})
    async for message in socket:
        if message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data[::-1])
            continue
        if message.type != WSMsgType.TEXT:
            break
        asked = json.loads(message.data)
        if "subscribe" in asked:
            for place, price in enumerate(PRICES[asked["subscribe"]]):
                await socket.send_json({"symbol": asked["subscribe"], "place": place, "price": price, "note": "é" * 50})
        if "leave" in asked:
            await socket.close(code=4001, message=b"as you wish")
    return socket


async def news(request):
    """Three events and the end."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    first = int(request.headers.get("Last-Event-ID", "0"))
    await response.write(b": welcome\n\nretry: 3000\n\n")
    for number in range(first + 1, first + 4):
        event = f"id: {number}\nevent: headline\ndata: {json.dumps({'number': number, 'title': f'News {number}'})}\n\n"
        await response.write(event.encode())
        await asyncio.sleep(0.01)
    await response.write(b"data: two\ndata: lines\n\n")
    return response


async def ticker(request):
    """Events until the client leaves."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for number in range(1, 1000):
        await response.write(f"data: {json.dumps({'tick': number})}\n\n".encode())
        await asyncio.sleep(0.02 if number < 3 else 5)
    return response


async def rows(request):
    """Values, a line each."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    for number in range(1, 5):
        await response.write(json.dumps({"row": number, "price": number * 1.5}).encode() + b"\n")
    return response


async def orders(request):
    asked = await request.json()
    return web.json_response({"id": 1000 + asked["quantity"], "accepted": True}, status=201)


def main():
    app = web.Application()
    app.add_routes([
        web.get("/feed", feed), web.get("/news", news), web.get("/ticker", ticker), web.get("/rows", rows),
        web.post("/orders", orders),
    ])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
