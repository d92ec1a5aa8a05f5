#!/usr/bin/env python3
"""A small shop on MongoDB: the app that run.py records.

    shop.py PORT

Connects by pymongo to the server that the environment's MONGO_URL names. BUG plants a defect:
missing_write, wrong_field, wrong_filter, n_plus_one, local_time, other_id,
returned_id, no_transaction.
"""

import contextlib
import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from bson import ObjectId
from bson.decimal128 import Decimal128
from pymongo import ASCENDING, CursorType, MongoClient, ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError, OperationFailure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from web import serve  # noqa: E402

BUG = os.environ.get("BUG", "")
CLIENT = MongoClient(os.environ["MONGO_URL"], maxPoolSize=int(os.environ.get("POOL", "2")))
DB = CLIENT.shop


def shown(order):
    return {
        "id": str(order["_id"]), "item": order["item"], "amount": str(order["amount"]), "paid": order["paid"],
        "due": order["due"].isoformat(), "tags": order.get("tags", []),
    }


def orders(_):
    found = list(DB.orders.find(sort=[("item", ASCENDING)], batch_size=2))
    if BUG == "n_plus_one":
        for number in range(100):
            with contextlib.suppress(OperationFailure):
                DB.orders.find_one({"_id": ObjectId(f"65e0a1b2c3d4e5f6{number:08x}")})
    return 200, [shown(order) for order in found]


def order(_, number):
    found = DB.orders.find_one({"_id": ObjectId(number)})
    return (404, {"error": "no such order"}) if found is None else (200, shown(found))


def create(body):
    """The driver invents the id; what comes afterwards carries it."""
    due = datetime.fromisoformat(body["due"]).replace(tzinfo=timezone.utc)
    if BUG == "local_time":
        due = due.replace(tzinfo=timezone(timedelta(hours=2)))
    made = {
        "state" if BUG == "wrong_field" else "item": body["item"], "amount": Decimal128(body["amount"]), "paid": False,
        "due": due, "tags": body["tags"], "note": bytes.fromhex(body["note"]), "size": {"width": 1.5, "height": 2},
    }
    try:
        number = DB.orders.insert_one(made).inserted_id
    except DuplicateKeyError as error:
        return 409, {"error": error.details["codeName"] if "codeName" in error.details else error.code}
    about = ObjectId() if BUG == "other_id" else number
    if BUG != "missing_write":
        DB.log.insert_one({"_id": f"created-{about}", "order": about, "what": "created"})
    found = DB.orders.find_one({"item" if BUG == "wrong_filter" else "_id": number})
    return 201, {"id": str(ObjectId() if BUG == "returned_id" else number), "found": found is not None}


def pay(_, number):
    """Two writes in one transaction."""
    number = ObjectId(number)
    with CLIENT.start_session() as session:
        def both(session):
            using = None if BUG == "no_transaction" else session
            found = DB.orders.find_one_and_update(
                {"_id": number, "paid": False}, {"$set": {"paid": True}}, return_document=ReturnDocument.AFTER, session=using
            )
            if found is not None:
                DB.ledger.insert_one({"_id": f"paid-{number}", "amount": found["amount"]}, session=using)
            return found
        found = session.with_transaction(both)
    return 200, {"paid": int(found is not None)}


def import_orders(body):
    log = DB.get_collection("log", write_concern=WriteConcern(w=0))
    log.insert_many([{"_id": row[0], "what": row[1]} for row in body["rows"]])
    DB.log.update_many({"what": {"$exists": True}}, {"$inc": {"seen": 1}})
    return 200, sorted(found["_id"] for found in DB.log.find({"_id": {"$in": [row[0] for row in body["rows"]]}}))


def report(_):
    """Counts, groups, a streamed cursor and an error."""
    told = [DB.orders.count_documents({"paid": False}), DB.orders.distinct("item", {"paid": False})]
    groups = DB.orders.aggregate([{"$group": {"_id": "$paid", "count": {"$sum": 1}}}, {"$sort": {"_id": 1}}])
    told.append([[group["_id"], group["count"]] for group in groups])
    with DB.numbers.find(cursor_type=CursorType.EXHAUST, batch_size=10, sort=[("_id", 1)]) as numbers:
        told.append(sum(number["_id"] for number in numbers))
    try:
        DB.command("noSuchCommand")
    except OperationFailure as error:
        told.append(error.code)
    return 200, told


ROUTES = [
    ("GET", r"/orders", orders), ("GET", r"/orders/([0-9a-f]{24})", order), ("POST", r"/orders", create),
    ("POST", r"/orders/([0-9a-f]{24})/pay", pay), ("POST", r"/log", import_orders), ("GET", r"/report", report),
]


if __name__ == "__main__":
    DB.orders.create_index("item", unique=True)
    serve(sys.argv[1], ROUTES, threads=True)
