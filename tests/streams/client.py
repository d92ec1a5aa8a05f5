"""A client of the apps of the suite: says things over a WebSocket, and prints what it hears.

    client.py PORT PATH [TEXT ...]     each TEXT is sent when COUNT messages have come: COUNT:TEXT; the last
                                       may be COUNT:close
"""

import asyncio
import contextlib
import sys

import websockets


async def talk(port, path, steps):
    async with websockets.connect(f"ws://127.0.0.1:{port}{path}") as socket:
        heard = 0
        for step in steps:
            count, _, text = step.partition(":")
            while heard < int(count):
                print(await asyncio.wait_for(socket.recv(), 30))
                heard += 1
            if text == "close":
                await socket.close(1000, "enough")
            elif text.startswith("hex:"):
                await socket.send(bytes.fromhex(text[4:]))
            elif text == "listen":
                with contextlib.suppress(websockets.ConnectionClosed):
                    async for message in socket:
                        print(message)
                print(socket.close_code, socket.close_reason)
            else:
                await socket.send(text)


asyncio.run(talk(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
