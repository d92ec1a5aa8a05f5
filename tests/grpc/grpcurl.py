"""Calls the service of the suite by grpcurl, which has no schemas and asks the server for them by reflection.

The environment's GRPCURL is the program, CERTIFICATES the file of whom it trusts. What a case says is what the program
prints, without spaces.
"""

import os
import subprocess

UNARY = '{"payload": {"text": "héllo", "body": "eA=="}, "kind": "LOUD"}'
WANTED = ['{"wanted": [{"size": 3}]}', '{"wanted": [{"size": 5}]}']
SENT = ['{"payload": {"body": "eHh4"}}', '{"payload": {"body": "eHg="}}']
# The words, what is sent, and what is said.
CASES = {
    "grpcurl-list": (["list", "interop.Interop"], None, "interop.Interop.Count" "interop.Interop.Missing" "interop.Interop.Nothing" "interop.Interop.Sum" "interop.Interop.Talk" "interop.Interop.Unary"),
    "grpcurl-unary": (["interop.Interop/Unary"], UNARY, '{"payload":{"text":"héllo"},"total":"1","kind":"LOUD"}'),
    "grpcurl-count": (["interop.Interop/Count"], '{"wanted": [{"size": 3}, {"size": 5}]}', '{"payload":{"body":"AAAA"}}{"payload":{"body":"AAAAAAA="},"total":"1"}'),
    "grpcurl-sum": (["interop.Interop/Sum"], " ".join(SENT), '{"total":"5"}'),
    "grpcurl-talk": (["interop.Interop/Talk"], " ".join(WANTED), '{"payload":{"body":"AAAA"}}{"payload":{"body":"AAAAAAA="}}'),
    "grpcurl-missing": (["interop.Interop/Unary"], '{"status": {"code": 5, "message": "no such order"}}', "Code:NotFound"),
}


def run(target, name):
    """What a case says. A target that begins with `https://` is called over TLS."""
    words, sent, _ = CASES[name]
    _, secure, address = target.rpartition("https://")
    trust = ["-cacert", os.environ["CERTIFICATES"]] if secure else ["-plaintext"]
    data = [] if sent is None else ["-d", sent]
    done = subprocess.run([os.environ["GRPCURL"], "-max-time", "60", *trust, *data, address, *words], capture_output=True, text=True, check=False, timeout=90)
    said = done.stdout + done.stderr.removeprefix("ERROR:")
    return "".join(said.split())
