"""An app that answers before it has ended its transaction, which has a number: `late.py PORT`.

The commands of a transaction come on whichever connection of the pool is free. BUG=committed ends it in another way,
BUG=later only amid the next request.
"""

import os
import sys
from pathlib import Path

from pymongo import MongoClient

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from latecomer import serve  # noqa: E402

CLIENT = MongoClient(os.environ["MONGO_URL"], maxPoolSize=4)


def begin(word):
    session = CLIENT.start_session()
    session.start_transaction()
    found = list(CLIENT.shop.orders.find({"item": {"$ne": word}}, session=session))

    def end(commits):
        session.commit_transaction() if commits else session.abort_transaction()
        session.end_session()

    return len(found), end


serve(begin)
