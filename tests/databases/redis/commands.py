"""The commands of corpus.json: their words, for run.py and corpus.py."""

import json
from pathlib import Path

CORPUS = json.loads(Path(__file__).with_name("corpus.json").read_text("utf-8"))


def word(item):
    if isinstance(item, str):
        return item
    return bytes.fromhex(item["hex"]) if "hex" in item else item["repeat"] * item["times"]


def group(name):
    return [[word(item) for item in command] for command in CORPUS[name]]


def encoded(word):
    return word if isinstance(word, bytes) else word.encode()
