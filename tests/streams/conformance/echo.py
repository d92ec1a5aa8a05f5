"""An echo over WebSocket by `websockets` or aiohttp: `echo.py PORT LIBRARY`."""

import asyncio
import sys

import websockets.asyncio.server
from aiohttp import WSMsgType, web

PORT, LIMIT = int(sys.argv[1]), 1 << 20


async def answer(socket):
    async for message in socket:
        await socket.send(message)


async def handle(request):
    socket = web.WebSocketResponse(max_msg_size=LIMIT)
    await socket.prepare(request)
    async for message in socket:
        if message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


async def main():
    if sys.argv[2] == "websockets":
        async with websockets.asyncio.server.serve(answer, "127.0.0.1", PORT, max_size=LIMIT):
            await asyncio.get_running_loop().create_future()
    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", PORT).start()
    await asyncio.get_running_loop().create_future()


asyncio.run(main())
