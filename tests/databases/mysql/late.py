"""An app that answers before it has ended its transaction, which nothing began: `late.py PORT [server]`.

The server opens it unasked, since the driver has turned `autocommit` off, or with `server` its own settings have. BUG=committed ends it in another way,
BUG=later only amid the next request.
"""

import os
import sys
from pathlib import Path

import pymysql

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from latecomer import serve  # noqa: E402


def begin(word):
    db = pymysql.connect(
        host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]), user=os.environ["DB_USER"], password=os.environ["DB_PASSWORD"],
        database=os.environ["DB_NAME"], autocommit=None if sys.argv[2:] == ["server"] else False,
    )
    cursor = db.cursor()
    cursor.execute("SELECT count(*) FROM orders WHERE item <> %s", [word])
    [count] = cursor.fetchone()

    def end(commits):
        db.commit() if commits else db.rollback()
        db.close()

    return count, end


serve(begin)
