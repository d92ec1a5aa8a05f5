"""What RFC 6455 and RFC 7692 allow and forbid, as frames: each case is a name and the frames that a client sends.

The sections are those of the RFC's rules: lengths, pings, reserved bits, opcodes, fragments, UTF-8, closing, compression.
"""

import struct
import zlib

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = b"\x12\x34\x56\x78"


def frame(opcode, payload=b"", last=True, reserved=0, masked=True, length=None):
    size = len(payload) if length is None else length
    head = bytes([(0x80 if last else 0) | reserved << 4 | opcode])
    bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 1 << 16:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    key = (MASK * (len(payload) // 4 + 1))[: len(payload)]
    return head + MASK + (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(len(payload))


def pressed(payload):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


def cases():
    for size in (0, 1, 125, 126, 127, 128, 65535, 65536, 100_000, (1 << 20) + 1):
        yield f"text of {size}", [frame(TEXT, b"*" * size)]
        yield f"bytes of {size}", [frame(BINARY, b"\xfe" * size)]
    for size in (0, 1, 125, 126):
        yield f"ping of {size}", [frame(PING, b"p" * size)]
        yield f"pong of {size}", [frame(PONG, b"p" * size), frame(TEXT, b"after")]
    yield "ten pings", [frame(PING, b"%d" % number) for number in range(10)]
    for bits in range(1, 8):
        yield f"reserved bits {bits}", [frame(TEXT, b"one"), frame(TEXT, b"two", reserved=bits)]
        yield f"reserved bits {bits} of a ping", [frame(PING, b"one", reserved=bits)]
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield f"opcode {opcode}", [frame(TEXT, b"before"), frame(opcode, b"x")]
    yield "without a mask", [frame(TEXT, b"x", masked=False)]
    yield from fragments()
    yield from texts()
    yield from closes()


def fragments():
    yield "two fragments", [frame(TEXT, b"one", last=False), frame(0, b"two")]
    yield "fragments with a ping between", [frame(TEXT, b"one", last=False), frame(PING, b"!"), frame(0, b"two")]
    yield "empty fragments", [frame(BINARY, last=False), frame(0, last=False), frame(0)]
    yield "a fragment of a ping", [frame(PING, b"one", last=False), frame(0, b"two")]
    yield "a fragment without a beginning", [frame(0, b"x")]
    yield "a fragment without a beginning, not last", [frame(0, b"x", last=False), frame(TEXT, b"y")]
    yield "a message within a message", [frame(TEXT, b"one", last=False), frame(TEXT, b"two")]
    yield "a hundred fragments", [frame(TEXT, b"*", last=False), *[frame(0, b"*", last=False)] * 98, frame(0, b"*")]


def texts():
    good = "κόσμε ☺ 𝄞".encode()
    yield "UTF-8", [frame(TEXT, good)]
    yield "UTF-8 cut within a character", [frame(TEXT, good[:1], last=False), frame(0, good[1:])]
    bad = {
        "a lone continuation": b"\x80", "cut off": b"\xce\xba\xe1\xbd", "a surrogate": b"\xed\xa0\x80", "overlong": b"\xc0\xaf", "above all": b"\xf4\x90\x80\x80",
        "five bytes": b"\xf8\x88\x80\x80\x80", "no byte of it": b"\xff",
    }
    for name, text in bad.items():
        yield f"no UTF-8: {name}", [frame(TEXT, text)]
        yield f"no UTF-8 in a fragment: {name}", [frame(TEXT, b"good", last=False), frame(0, text)]


def closes():
    yield "close", [frame(CLOSE)]
    yield "close of one byte", [frame(CLOSE, b"\x03")]
    yield "close with a reason", [frame(CLOSE, b"\x03\xe8" + b"why not")]
    yield "close with a long reason", [frame(CLOSE, b"\x03\xe8" + b"*" * 124)]
    yield "close whose reason is no UTF-8", [frame(CLOSE, b"\x03\xe8\xce\xba\xe1\xbd")]
    yield "close twice", [frame(CLOSE, b"\x03\xe8"), frame(CLOSE, b"\x03\xe8")]
    yield "close, then a text", [frame(CLOSE, b"\x03\xe8"), frame(TEXT, b"late")]
    for code in (0, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1015, 1016, 1100, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535):
        yield f"close with {code}", [frame(CLOSE, struct.pack(">H", code))]


def compressed():
    """What may be said once compression was agreed to."""
    for size in (0, 1, 1000, 100_000, (1 << 20) + 1):
        yield f"compressed text of {size}", [frame(TEXT, pressed(b"*" * size), reserved=4)]
    yield "compressed in fragments", [frame(TEXT, pressed(b"one two")[:3], last=False, reserved=4), frame(0, pressed(b"one two")[3:])]
    yield "compressed, the bit in a later fragment", [frame(TEXT, b"one", last=False), frame(0, b"two", reserved=4)]
    yield "not compressed, and said to be", [frame(TEXT, b"\xff\xff\xff\xff", reserved=4)]
    yield "not compressed", [frame(TEXT, b"plain")]
