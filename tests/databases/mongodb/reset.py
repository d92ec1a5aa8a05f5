#!/usr/bin/env python3
"""Makes the data that every recording begins with, or a user.

    reset.py URL [USER PASSWORD]
"""

import sys
from datetime import datetime, timezone

from bson import ObjectId
from bson.decimal128 import Decimal128
from pymongo import MongoClient

ORDERS = [
    ("65e0a1b2c3d4e5f601020304", "pen", "1.50", datetime(2024, 2, 29, tzinfo=timezone.utc)),
    ("65e0a1b2c3d4e5f601020305", "book", "20", datetime(2024, 3, 1, 12, 30, 0, 500000, tzinfo=timezone.utc)),
    ("65e0a1b2c3d4e5f601020306", "ink", "3.00", datetime(1969, 12, 31, tzinfo=timezone.utc)),
]

if __name__ == "__main__":
    with MongoClient(sys.argv[1]) as client:
        if len(sys.argv) > 2:
            client.admin.command("createUser", sys.argv[2], pwd=sys.argv[3], roles=["root"])
            sys.exit(0)
        for name in ("shop", "corpus"):
            client.drop_database(name)
        orders = [
            {"_id": ObjectId(number), "item": item, "amount": Decimal128(amount), "paid": False, "due": due}
            for number, item, amount, due in ORDERS
        ]
        client.shop.orders.insert_many(orders)
        client.shop.numbers.insert_many([{"_id": number} for number in range(87)])
        for name in ("log", "ledger"):
            client.shop.create_collection(name)
