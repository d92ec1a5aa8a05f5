"""Secrets that nobody may find again, and the search for them.

Each has a core that is the same in every spelling but base64 and hexadecimal digits, and signs around it that
forms, URLs, JSON and SQL have to write otherwise. A defective app has other ones.
"""

import base64
import gzip
import json
import os
import re
import zlib

KINDS = [
    "basic", "bearer", "apikey", "cookie", "form", "json", "query", "userinfo", "privatekey", "answered", "answeredcookie", "nested",
    "rpcbearer", "rpckey", "rpcanswer", "socketfirst", "socketanswer", "socketquery",
    "callerbasic", "callerbearer", "callercookie", "callerform", "callerjson", "callerquery", "calleranswer", "callercookieanswer",
    "sqlparameter", "sqlliteral", "sqlrole", "redisrole", "redisvalue", "redisfield", "rediskey", "redisentry", "document", "cached",
]


def core(kind, bug=""):
    return f"Pl4nt{kind.capitalize()}{bug.capitalize()}Zq7"


def secret(kind):
    """A password of this kind, with signs that have to be spelled."""
    return f"{core(kind, os.environ.get('BUG', ''))}/+&é%\"x"


def token(kind):
    """A token of this kind: no spelling changes it."""
    return f"{core(kind, os.environ.get('BUG', ''))}-0a1b2c3d4e5f"


def jwt(kind):
    """A signed token whose claims have the core."""
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return f"{part({'alg': 'HS256'})}.{part({'sub': core(kind, os.environ.get('BUG', '')), 'n': 1})}.c2lnbmF0dXJlMTIzNDU"


def pem(kind):
    body = base64.b64encode(f"xyz{core(kind, os.environ.get('BUG', ''))}".encode() * 3).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"


def spellings(text):
    """The text, and its base64 at each of the three places at which a group of it may begin, and its digits."""
    raw = text.encode()
    yield raw.lower()
    yield raw.hex().encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        # The first and last signs depend on what is beside the text.
        yield encoded[(before * 8 + 5) // 6 : len(encoded) - 4].lower()


WANTED = {spelling: core(kind, bug) for kind in KINDS + ["jwt"] for bug in ("", "wrong") for spelling in spellings(core(kind, bug))}
ANY = re.compile(b"|".join(re.escape(spelling) for spelling in WANTED))


def unpacked(data):
    """What a file holds: itself, and what it is when it was compressed."""
    yield data
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    for run in re.findall(rb"[A-Za-z0-9+/_-]{24,}={0,2}", data):
        try:
            plain = base64.b64decode(run + b"=" * (-len(run) % 4), altchars=b"-_" if b"-" in run or b"_" in run else None)
        except ValueError:
            continue
        if plain[:2] == b"\x1f\x8b" or plain[:1] == b"\x78":
            try:
                yield zlib.decompress(plain, 47)
            except zlib.error:
                continue


def found(data):
    """The secrets in bytes."""
    return sorted({WANTED[match] for part in unpacked(data) for match in ANY.findall(part.lower())})


def search(folder, besides=()):
    """The secrets in the names and in the contents of all files below a folder, by file; but not in these folders."""
    guilty = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if os.path.join(place, name) not in {str(path) for path in besides}]
        for name in files:
            path = os.path.join(place, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                known = found(file.read() + b"\n" + path.encode())
            if known:
                guilty[os.path.relpath(path, folder)] = known
    return guilty
