"""An app that hands secrets around in every way that its dependencies know: `app.py PORT`. With `BUG=wrong` it has other
secrets, and says that it is somebody else.

`GET /NAME` and `POST /NAME` do what the function of that name does. Where the dependencies are is in the environment.
"""

import base64
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import plants
from plants import secret, token

WHO = "eve" if os.environ.get("BUG") else "ann"


def speak(client, url):
    """All that can be said by HTTP."""
    basic = base64.b64encode(f"{WHO}:{secret('basic')}".encode()).decode()
    form = {"grant_type": "password", "username": WHO, "password": secret("form"), "client_secret": secret("form")}
    body = {"user": WHO, "password": secret("json"), "nested": [{"apiKey": token("json")}], "key": plants.pem("privatekey")}
    return [
        client.get(f"{url}/basic", headers={"authorization": f"Basic {basic}"}),
        client.get(f"{url}/bearer", headers={"authorization": f"Bearer {token('bearer')}", "x-api-key": token("apikey")}),
        client.get(f"{url}/jwt", headers={"authorization": f"Bearer {plants.jwt('jwt')}", "x-amz-security-token": token("apikey")}),
        client.get(f"{url}/cookie", headers={"cookie": f"theme=dark; session={token('cookie')}"}),
        client.post(f"{url}/form", data=form),
        client.post(f"{url}/json", json=body),
        client.get(f"{url}/query", params={"page": "1", "api_key": token("query"), "access_token": secret("query")}),
        client.post(f"{url}/json", json={"hook": f"https://{WHO}:{token('userinfo')}@hooks.example/x", "page_token": "p2"}),
        client.post(f"{url}/upload", data={"note": "n", "password": secret("form")}, files={"file": ("a.txt", b"x")}),
        client.get(f"{url}/token"),
        client.get(f"{url}/key"),
    ]


def http(_):
    import httpx

    with httpx.Client(verify=os.environ["SSL_CERT_FILE"]) as client:
        return [answer.status_code for answer in speak(client, os.environ["PLAIN_URL"])]


def https(_):
    import httpx

    with httpx.Client() as client:
        return [answer.status_code for answer in speak(client, os.environ["SECURE_URL"])]


def http2(_):
    import httpx

    with httpx.Client(http2=True) as client:
        return [answer.http_version for answer in speak(client, os.environ["SECURE_URL"])]


def sockets(_):
    from websockets.sync.client import connect

    said = []
    for url in (os.environ["PLAIN_URL"], os.environ["SECURE_URL"]):
        url = f"{url.replace('http', 'ws', 1)}/feed?access_token={token('socketquery')}"
        with connect(url, additional_headers={"authorization": f"Bearer {token('bearer')}"}) as line:
            line.send(json.dumps({"type": "connection_init", "payload": {"token": token("socketfirst"), "Authorization": f"Bearer {token('socketfirst')}"}}))
            said.append(json.loads(line.recv())["ok"])
    return said


def rpc(_):
    import grpc

    metadata = [("authorization", f"Bearer {token('rpcbearer')}"), ("x-api-key", token("rpckey")), ("auth-token-bin", secret("rpckey").encode())]
    with grpc.insecure_channel(os.environ["RPC_ADDRESS"]) as channel:
        return channel.unary_unary("/shop.Pay/Charge")(b"\x0a\x02hi", metadata=metadata).decode()


def postgres(_):
    import psycopg

    with psycopg.connect(autocommit=True) as line:
        line.execute("CREATE TABLE IF NOT EXISTS users (name text, password text, api_key text)")
        line.execute("INSERT INTO users (name, password, api_key) VALUES (%s, %s, %s)", (WHO, secret("sqlparameter"), token("sqlparameter")))
        line.execute("UPDATE users SET password = %s WHERE name = %s", (secret("sqlparameter"), WHO))
        line.execute(f"INSERT INTO users (name, password) VALUES ('bob', '{token('sqlliteral')}')")
        line.execute(f"UPDATE users SET password = '{token('sqlliteral')}' WHERE name = 'bob'")
        line.execute(f"CREATE ROLE clerk LOGIN PASSWORD '{token('sqlrole')}'")
        line.execute("DROP ROLE clerk")
        return len(line.execute("SELECT name, password, api_key FROM users").fetchall())


def mysql(_):
    import pymysql

    set_up = {"host": "127.0.0.1", "port": int(os.environ["DB_PORT"]), "user": "shop", "password": os.environ["DB_PASSWORD"], "database": "shop"}
    with pymysql.connect(**set_up, autocommit=True) as line, line.cursor() as cursor:
        cursor.execute("CREATE TABLE users (name text, password text)")
        cursor.execute("INSERT INTO users (name, password) VALUES (%s, %s)", (WHO, secret("sqlparameter")))
        cursor.execute("PREPARE p FROM 'UPDATE users SET password = ? WHERE name = ?'")
        cursor.execute(f"UPDATE users SET password = '{token('sqlliteral')}'")
        cursor.execute(f"SET @password = '{token('sqlliteral')}'")
        return cursor.execute("SELECT name, password FROM users")


def redis(_):
    import redis as driver

    line = driver.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    line.hset("user:1", mapping={"name": WHO, "profile": json.dumps({"password": token("redisvalue")})})
    line.set("profile:1", json.dumps({"name": WHO, "access_token": token("redisvalue")}))
    line.hset("user:2", mapping={"name": WHO, "password": secret("redisfield"), "api_key": token("redisfield")})
    with line.pipeline(transaction=True) as pipe:
        pipe.set("user:2:password", token("rediskey")).hgetall("user:2").hget("user:2", "password").execute()
    line.xadd("logins", {"name": WHO, "token": token("redisentry")})
    line.xrange("logins")
    line.hmget("user:2", "name", "api_key")
    line.config_get("requirepass")
    line.execute_command("ACL", "SETUSER", "clerk", "on", f">{token('redisrole')}", "~*", "+@all")
    line.execute_command("AUTH", "clerk", token("redisrole"))
    return [line.hgetall("user:1")["name"], json.loads(line.get("profile:1"))["name"]]


def memcached(_):
    from pymemcache.client.base import Client

    line = Client(("127.0.0.1", int(os.environ["CACHE_PORT"])))
    line.set("profile:1", json.dumps({"name": WHO, "password": secret("cached")}))
    return "name" in json.loads(line.get("profile:1"))


def mongo(_):
    import pymongo

    with pymongo.MongoClient(os.environ["MONGO_URL"]) as client:
        users = client.shop.users
        users.insert_one({"_id": 1, "name": WHO, "password": secret("document"), "keys": [{"apiKey": token("document")}]})
        users.update_one({"name": WHO}, {"$set": {"password": secret("document")}})
        return users.find_one({"name": WHO})["name"]


def login(_):
    return {"access_token": token("calleranswer"), "id": plants.jwt("jwt")}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = self.rfile.read(int(self.headers.get("content-length", 0)))
        name = self.path.partition("?")[0].strip("/")
        body = json.dumps({"who": WHO, "said": globals()[name](asked)}).encode()
        # What an app logs while it is tested is kept; while it is recorded it goes to the terminal as it is.
        if "REHEARSAL_WORKER" in os.environ:
            # Backwards, so that no name stands before a secret.
            print(*reversed(body.decode().split('"')), asked, dict(self.headers), flush=True)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if name == "login":
            self.send_header("set-cookie", f"session={token('callercookieanswer')}; HttpOnly")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
