"""A dependency with every bad manner that HTTP allows, on a port and on a Unix socket."""

import socket
import struct
import sys
import threading
import time

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s"


def answer(connection, target):
    """Answers a request; whether the connection stays open."""
    body = b"you asked " + target.encode()
    if target.startswith("/half"):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        return False
    if target.startswith("/chunk"):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        return False
    if target.startswith("/reset"):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    if target.startswith("/hang-up"):
        return False
    if target.startswith("/old"):
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + body)
        return False
    if target.startswith("/close"):
        connection.sendall(PLAIN % (len(body), b"Connection: close\r\n", body))
        return False
    if target.startswith("/silent-close"):
        connection.sendall(PLAIN % (len(body), b"", body))
        return False
    if target.startswith("/redirect"):
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n")
        return True
    if target.startswith("/slow"):
        time.sleep(1)
    connection.sendall(PLAIN % (len(body), b"", body))
    return True


def serve(connection):
    with connection, connection.makefile("rb") as lines:
        while request := lines.readline():
            while lines.readline().strip():
                pass
            if not answer(connection, request.split()[1].decode()):
                return


def listen(family, address):
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen()
    return listener


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


listeners = [
    listen(socket.AF_INET, ("127.0.0.1", int(sys.argv[1]))),
    listen(socket.AF_UNIX, sys.argv[2]),
]
print("ready", flush=True)
threads = [threading.Thread(target=accept, args=(listener,)) for listener in listeners]
for thread in threads:
    thread.start()
