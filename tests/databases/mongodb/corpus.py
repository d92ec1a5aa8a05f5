#!/usr/bin/env python3
"""A value of every BSON type and a command of every kind, and an app that sends them by pymongo.

    corpus.py PORT sync|async STATEMENTS

STATEMENTS is a file of Extended JSON that maps the path of a request to a list of commands; `statements`
makes it, and the apps in other languages read the same file. Beside these, `/api/…` use the driver as
apps do: the ids of documents are invented, cursors read on, transactions end.
"""

import asyncio
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BYTES = {"$binary": {"base64": "AAECA/8=", "subType": "00"}}
VALUES = {
    "string": ["", "plain", "é ☃ 😀", "line\nbreak", "nul \u0000 inside", "'quoted' \"text\"", "yes", "1.0", "null", "~", "- a", " x ", "\u2028"],
    "integer": [0, 1, -1, 2147483647, -2147483648],
    "long": [{"$numberLong": text} for text in ("0", "5", "-5", "2147483648", "9223372036854775807", "-9223372036854775808")],
    "double": [{"$numberDouble": text} for text in ("0.0", "-0.0", "1.0", "0.1", "1e300", "5e-324", "NaN", "Infinity", "-Infinity")],
    "decimal": [{"$numberDecimal": text} for text in ("0", "12.30", "-0.00", "1E+6144", "1E-6176", "NaN", "Infinity", "9" * 34)],
    "bool": [True, False],
    "null": [None],
    "date": [{"$date": {"$numberLong": text}} for text in ("0", "1714989600123", "-1", "253402300799999", "253402300800000")],
    "oid": [{"$oid": "65e0a1b2c3d4e5f601020304"}],
    "binary": [BYTES, {"$binary": {"base64": "", "subType": "05"}}, {"$binary": {"base64": "AQID", "subType": "80"}}],
    "uuid": [{"$binary": {"base64": "EjRWeBI0VngSNFZ4EjRWeA==", "subType": "04"}}],
    "regex": [{"$regularExpression": {"pattern": "^a.*b$", "options": "im"}}],
    "timestamp": [{"$timestamp": {"t": 1714989600, "i": 7}}],
    "keys": [{"$minKey": 1}, {"$maxKey": 1}],
    "code": [{"$code": "function() { return 1; }"}],
    "nested": [{"a": {"b": {"c": [[], {}, [{"d": [1, [2, [3]]]}]]}}, "z": 1, "y": 2}, {}, [], [None, [None]]],
    "large": ["x" * 40_000, {"$binary": {"base64": "AAEC" * 10_000, "subType": "00"}}],
    "names": [{"": 1, " ": 2, "a b": 3, "é": 4, "yes": 5, "1": 6, "a:b": 7, "- x": 8}],
}


def plain(collection):
    found = {"find": collection, "filter": {"v": {"$gte": 2}}, "sort": {"_id": -1}, "skip": 1, "limit": 2, "projection": {"v": 1}}
    fruit = [{"_id": number, "v": number, "tags": ["a", "b"][: number % 3]} for number in range(6)]
    return [
        {"insert": collection, "documents": fruit, "ordered": True},
        found,
        {"count": collection, "query": {"v": {"$in": [1, 2, 9]}}},
        {"distinct": collection, "key": "tags", "query": {}},
        {"update": collection, "updates": [
            {"q": {"_id": 1}, "u": {"$set": {"v": 10}, "$push": {"tags": "c"}}},
            {"q": {"_id": 77}, "u": {"v": 77}, "upsert": True},
            {"q": {"v": {"$lt": 3}}, "u": {"$inc": {"v": 100}}, "multi": True},
        ]},
        {"findAndModify": collection, "query": {"_id": 2}, "update": {"$set": {"found": True}}, "new": True, "fields": {"found": 1}},
        {"findAndModify": collection, "query": {"_id": 3}, "remove": True},
        {"delete": collection, "deletes": [{"q": {"v": {"$gt": 100}}, "limit": 1}, {"q": {"_id": 5}, "limit": 0}]},
        {"aggregate": collection, "pipeline": [
            {"$match": {"v": {"$exists": True}}}, {"$unwind": {"path": "$tags", "preserveNullAndEmptyArrays": True}},
            {"$group": {"_id": "$tags", "sum": {"$sum": "$v"}}}, {"$sort": {"_id": 1}},
        ], "cursor": {}},
        {"drop": collection},
    ]


COMMANDS = {
    "plain": plain("fruit"),
    "indexes": [
        {"createIndexes": "kinds", "indexes": [{"key": {"a": 1, "b": -1}, "name": "both"}, {"key": {"c": 1}, "name": "once", "unique": True}]},
        {"listIndexes": "kinds", "cursor": {}},
        {"insert": "kinds", "documents": [{"_id": 1, "c": 1}, {"_id": 2, "c": 1}, {"_id": 3, "c": 3}], "ordered": False},
        {"dropIndexes": "kinds", "index": "both"},
        {"drop": "kinds"},
    ],
    "collections": [
        {"create": "capped", "capped": True, "size": 4096},
        {"listCollections": 1, "filter": {"name": "capped"}, "nameOnly": True, "cursor": {}},
        {"collStats": "numbers"},
        {"dbStats": 1},
        {"drop": "capped"},
    ],
    "server": [{"ping": 1}, {"buildInfo": 1}, {"connectionStatus": 1}, {"getParameter": 1, "featureCompatibilityVersion": 1}],
    "errors": [{"noSuchCommand": 1}, {"find": "numbers", "filter": {"$nope": 1}}, {"insert": "numbers", "documents": []}],
    "cursor": [{"find": "numbers", "filter": {}, "batchSize": 5, "limit": 3, "singleBatch": True}],
}

NOISE = ("$clusterTime", "operationTime", "localTime", "electionId", "opTime")
API = ["crud", "cursor", "transaction", "bulk", "unacknowledged", "watch"]
# What only the apps in Python do.
MORE = ["many", "exhaust", "raw", "session", "resume"]


def statements():
    """Commands by the path of the request that sends them."""
    paths = {}
    for name, values in VALUES.items():
        kept = [{"_id": name, "v": values}] + [{"_id": f"{name}-{number}", "v": value} for number, value in enumerate(values)]
        paths[f"/values/{name}"] = [
            {"insert": "values", "documents": kept},
            {"find": "values", "filter": {"_id": {"$gte": name, "$lt": f"{name}~"}}, "sort": {"_id": 1}},
            {"delete": "values", "deletes": [{"q": {}, "limit": 0}]},
        ]
    paths |= {f"/commands/{name}": commands for name, commands in COMMANDS.items()}
    return paths


def paths(api):
    return [*statements(), *(f"/api/{name}" for name in api)]


async def run(db, commands):
    """The replies; errors count as replies."""
    from pymongo.errors import OperationFailure

    told = []
    for command in commands:
        try:
            reply = await db.command(command)
        except OperationFailure as error:
            reply = error.details
        told.append({key: value for key, value in reply.items() if key not in NOISE})
    return told


async def crud(client):
    kinds = client.corpus.crud
    number = (await kinds.insert_one({"item": "a", "n": 1})).inserted_id
    await kinds.update_one({"_id": number}, {"$set": {"n": 2}})
    await kinds.replace_one({"_id": number}, {"item": "b", "about": number})
    found = await kinds.find_one({"about": number})
    many = (await kinds.insert_many([{"n": n} for n in range(3)])).inserted_ids
    count = await kinds.count_documents({"_id": {"$in": many}})
    deleted = (await kinds.delete_many({})).deleted_count
    return [str(number), found["item"], str(many[1]), count, deleted]


async def many(client):
    """More documents, each with an id that the driver invents, than differences are ever listed."""
    kinds = client.corpus.many
    made = (await kinds.insert_many([{"n": number} for number in range(300)])).inserted_ids
    found = [document["_id"] async for document in kinds.find({}, sort=[("n", 1)])]
    await kinds.delete_many({"_id": {"$in": made[:299]}})
    return [made == found, str(made[299])]


async def cursor(client):
    numbers = client.shop.numbers.find({"_id": {"$lt": 20}}, sort=[("_id", 1)], batch_size=3)
    found = [number["_id"] async for number in numbers]
    groups = await client.shop.numbers.aggregate([{"$sort": {"_id": -1}}], batchSize=40)
    found.append(len([group async for group in groups]))
    some = client.shop.numbers.find({}, batch_size=2)
    async for _ in some:  # Closing it early kills it.
        break
    await some.close()
    return found


async def transaction(client):
    kinds = client.corpus.moves
    await kinds.delete_many({})
    async with client.start_session() as session:
        async def both(session):
            await kinds.insert_one({"_id": 1}, session=session)
            await kinds.update_one({"_id": 1}, {"$set": {"v": 1}}, session=session)

        await session.with_transaction(both)
        await session.start_transaction()
        await kinds.insert_one({"_id": 2}, session=session)
        await session.abort_transaction()
    return await kinds.count_documents({})


async def bulk(client):
    from pymongo import DeleteOne, InsertOne, UpdateOne

    kinds = client.corpus.bulk
    await kinds.delete_many({})
    done = []
    for ordered in (True, False):
        work = [InsertOne({"_id": 1}), InsertOne({"v": 2}), UpdateOne({"_id": 9}, {"$set": {"v": 1}}, upsert=True), DeleteOne({"_id": 1})]
        done.append(await kinds.bulk_write(work, ordered=ordered))
    return [[one.inserted_count, one.upserted_count, one.matched_count, one.deleted_count] for one in done]


async def unacknowledged(client):
    from pymongo import WriteConcern

    log = client.corpus.get_collection("log", write_concern=WriteConcern(w=0))
    await log.insert_one({"_id": 1})
    await log.delete_one({"_id": 1})
    return "sent"


async def watch(client):
    kinds = client.corpus.watched
    await kinds.delete_many({})
    async with await kinds.watch() as stream:
        number = (await kinds.insert_one({"v": 1})).inserted_id
        event = await anext(stream)
        await kinds.delete_one({"_id": number})
        last = await anext(stream)
    return [event["operationType"], str(event["documentKey"]["_id"]), last["operationType"]]


async def exhaust(client):
    """The server sends all batches without being asked for each, if it can."""
    from pymongo import CursorType

    numbers = client.shop.numbers.find({"_id": {"$lt": 30}}, sort=[("_id", 1)], batch_size=4, cursor_type=CursorType.EXHAUST)
    return [number["_id"] async for number in numbers]


async def raw(client):
    """Cursors read on and closed by their numbers, as apps do that hand them around."""
    from pymongo.errors import OperationFailure

    db, told = client.shop, []
    first = await db.command({"find": "numbers", "filter": {}, "sort": {"_id": 1}, "batchSize": 2})
    again = await db.command({"find": "numbers", "filter": {}, "sort": {"_id": 1}, "batchSize": 2})
    numbers = [reply["cursor"]["id"] for reply in (first, again)]
    for number in (numbers[1], numbers[0], numbers[1]):
        more = await db.command({"getMore": number, "collection": "numbers", "batchSize": 3})
        told.append([more["cursor"]["id"] == number, [document["_id"] for document in more["cursor"]["nextBatch"]]])
    killed = await db.command({"killCursors": "numbers", "cursors": numbers})
    told.append(killed["cursorsKilled"] == numbers)
    try:
        await db.command({"getMore": numbers[0], "collection": "numbers"})
    except OperationFailure as error:
        told.append(error.code)
    return [*told, numbers[0] != numbers[1], min(numbers) > 0]


async def session(client):
    """What a driver and a server tell each other of sessions and times."""
    kinds = client.corpus.causal
    async with client.start_session(causal_consistency=True) as session:
        await kinds.delete_many({}, session=session)
        await kinds.insert_one({"_id": 1}, session=session)
        found = await kinds.find_one({"_id": 1}, session=session)
        told = [session.operation_time is not None, session.cluster_time is not None]
    async with client.start_session(causal_consistency=True) as other:
        counted = await kinds.count_documents({}, session=other)
    return [found, counted, *told]


async def resume(client):
    """A change stream that begins where another session stood, and one where that one ended."""
    kinds, told = client.corpus.resumed, []
    async with client.start_session() as session:
        await kinds.delete_many({}, session=session)
        began = session.operation_time
    await kinds.insert_one({"_id": 1})
    async with await kinds.watch(start_at_operation_time=began) as stream:
        told.append((await anext(stream))["documentKey"])
        token = stream.resume_token
    await kinds.insert_one({"_id": 2})
    async with await kinds.watch(resume_after=token) as stream:
        told.append((await anext(stream))["documentKey"])
    return told


class Awaited:
    """Makes the methods of the blocking driver look like those of the other one."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        from pymongo.collection import Collection
        from pymongo.database import Database

        found = getattr(self.inner, name)
        if isinstance(found, (Collection, Database)):
            return Awaited(found)
        if not callable(found):
            return found
        if name in ("find", "start_session", "get_collection"):
            return lambda *words, **named: Awaited(found(*words, **plainly(named)))

        async def call(*words, **named):
            told = found(*words, **plainly(named))
            return Awaited(told) if name in ("watch", "aggregate") else told

        if name == "with_transaction":
            async def with_transaction(act):
                return found(lambda session: finish(act(Awaited(session))))

            return with_transaction
        return call

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return self.inner.next()
        except StopIteration:
            raise StopAsyncIteration from None

    async def __aenter__(self):
        self.inner.__enter__()
        return self

    async def __aexit__(self, *words):
        self.inner.__exit__(*words)


def finish(coroutine):
    """What a coroutine returns that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("it waits")


def plainly(named):
    return {key: value.inner if isinstance(value, Awaited) else value for key, value in named.items()}


def main(port, mode, file):
    from bson import DatetimeConversion, json_util
    from pymongo import AsyncMongoClient, MongoClient

    far = {"datetime_conversion": DatetimeConversion.DATETIME_AUTO}
    options = json_util.JSONOptions(json_mode=json_util.JSONMode.CANONICAL, uuid_representation=0, document_class=dict, **far)
    with open(file, encoding="utf-8") as text:
        known = json_util.loads(text.read(), json_options=options)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    far = {"datetime_conversion": "DATETIME_AUTO"}
    client = AsyncMongoClient(os.environ["MONGO_URL"], **far) if mode == "async" else Awaited(MongoClient(os.environ["MONGO_URL"], **far))
    api = {"crud": crud, "many": many, "cursor": cursor, "transaction": transaction, "bulk": bulk, "unacknowledged": unacknowledged, "watch": watch}
    api |= {"exhaust": exhaust, "raw": raw, "session": session, "resume": resume}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.removeprefix("/api/")
            act = api[name](client) if name in api else run(client.corpus, known[self.path])
            try:
                told = asyncio.run_coroutine_threadsafe(act, loop).result(30)
                text = json_util.dumps(told, json_options=options)
            except Exception as error:  # The tests are to see it.
                text = json.dumps({"failed": f"{type(error).__name__}: {error}"})
            self.send_response(500 if text.startswith('{"failed"') else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
