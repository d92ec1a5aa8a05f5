"""A name server that knows a few names, and an HTTP server on the addresses that it gives (RFC 1035)."""

import http.server
import socket
import struct
import sys
import threading

ADDRESSES = {
    "payments.test": ["127.0.0.21"],
    "several.test": ["127.0.0.31", "127.0.0.32"],
}
ALIASES = {"alias.test": "payments.test"}


def encoded(name):
    return b"".join(bytes([len(word)]) + word.encode() for word in name.split(".")) + b"\0"


def record(name, kind, data):
    return encoded(name) + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def answer(query):
    words, at = [], 12
    while query[at]:
        words.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    name, question = ".".join(words).lower(), query[12 : at + 5]
    kind = struct.unpack("!H", query[at + 1 : at + 3])[0]
    target = ALIASES.get(name, name)
    records = [record(name, 5, encoded(target))] if target != name else []
    if kind == 1:
        addresses = ADDRESSES.get(target, [])
        records += [record(target, 1, socket.inet_aton(address)) for address in addresses]
    code = 0 if target in ADDRESSES else 3
    head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(records), 0, 0)
    return head + question + b"".join(records)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{self.server.server_address[0]} answers {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("127.0.0.1", int(sys.argv[1])))
for address in [address for addresses in ADDRESSES.values() for address in addresses]:
    server = http.server.ThreadingHTTPServer((address, int(sys.argv[2])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
while True:
    query, client = names.recvfrom(4096)
    names.sendto(answer(query), client)
