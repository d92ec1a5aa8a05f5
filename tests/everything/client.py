"""Who buys over WebSocket: `client.py PORT ORDER...` sends each order (JSON), and hears three events of each.

It prints what it hears, then the code and the reason of the end.
"""

import asyncio
import contextlib
import sys

import websockets


async def buy(port, orders):
    async with websockets.connect(f"ws://127.0.0.1:{port}/orders") as socket:
        for order in orders:
            await socket.send(order)
            for _ in range(3):
                print(await asyncio.wait_for(socket.recv(), 60))
        await socket.send("bye")
        with contextlib.suppress(websockets.ConnectionClosed):
            print(await asyncio.wait_for(socket.recv(), 60))
        print(socket.close_code, socket.close_reason)


asyncio.run(buy(int(sys.argv[1]), sys.argv[2:]))
