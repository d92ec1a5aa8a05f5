"""The shop for gunicorn (`wsgi`) and for uvicorn (`asgi`). STOCK is the socket of the service that it calls; BUG: the
wrong article is asked for."""

import http.client
import os
import socket


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ["STOCK"])


def ask(path):
    """Status and body of an answer."""
    article = path.rsplit("/", 1)[1]
    if article == "none":
        return 404, b"no such article"
    connection = Connection("stock")
    try:
        connection.request("GET", "/stock/" + ("lamp" if os.environ.get("BUG") else article))
        return 200, connection.getresponse().read()
    finally:
        connection.close()


def wsgi(environment, start):
    status, body = ask(environment["PATH_INFO"])
    start({200: "200 OK", 404: "404 Not Found"}[status], [("content-length", str(len(body)))])
    return [body]


async def asgi(scope, _, send):
    if scope["type"] == "http":
        status, body = ask(scope["path"])
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})
