"""A port that answers nobody: its listener takes one connection, which it has already."""

import select
import socket
import sys

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(0)
mine = []
while True:
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(listener.getsockname())
    mine.append(client)
    if not select.select([], [client], [], 0.2)[1]:
        break
print("full", flush=True)
select.select([], [], [])
