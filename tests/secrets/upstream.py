"""The dependencies of the suite that speak HTTP: over HTTP/1.1 and HTTP/2, with and without TLS, WebSocket, gRPC.

    upstream.py CERTIFICATE PLAIN_PORT SECURE_PORT RPC_PORT

They take whatever they are given, and answer with secrets of their own.
"""

import asyncio
import json
import sys
from concurrent import futures

import grpc
import plants
from hypercorn.asyncio import serve
from hypercorn.config import Config


async def shop(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "websocket":
        return await talk(receive, send)
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json")]
    if scope["path"] == "/token":
        value = {"access_token": plants.token("answered"), "id_token": plants.jwt("jwt"), "expires_in": 3600}
        value["inner"] = json.dumps({"client_secret": plants.secret("nested")})
        headers.append((b"set-cookie", f"session={plants.token('answeredcookie')}; Path=/; HttpOnly".encode()))
    elif scope["path"] == "/key":
        value = {"pem": plants.pem("privatekey")}
    else:
        value = {"ok": scope["http_version"]}
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


async def talk(receive, send):
    """The first message has to say who it is."""
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    await send({"type": "websocket.send", "text": json.dumps({"ok": True, "session_token": plants.token("socketanswer")})})
    await send({"type": "websocket.close", "code": 1000})


class Service(grpc.GenericRpcHandler):
    def service(self, details):
        def answer(request, context):
            context.send_initial_metadata([("x-auth-token", plants.token("rpcanswer"))])
            return b"\x0a\x02ok"

        return grpc.unary_unary_rpc_method_handler(answer)


async def main(certificate, plain, secure, rpc):
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Service(),))
    server.add_insecure_port(f"127.0.0.1:{rpc}")
    server.start()
    config = Config()
    config.certfile = config.keyfile = certificate
    config.bind, config.insecure_bind = [f"127.0.0.1:{secure}"], [f"127.0.0.1:{plain}"]
    config.errorlog = None
    await serve(shop, config)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
