"""The shop in Python: aiohttp, Strawberry, grpcio and Zeep.

    shop.py PORT

PAYMENTS, REFUNDS and TAX are URLs, INVENTORY is host:port, DESCRIPTORS the descriptor set of its service. BUG plants a defect; see run.py.
"""

import asyncio
import json
import os
import ssl
import sys
from decimal import Decimal
from pathlib import Path

import aiohttp
import grpc
import strawberry
import zeep
from aiohttp import WSMsgType, web
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from strawberry.aiohttp.views import GraphQLView

BUG = os.environ.get("BUG", "")


class Refused(Exception):
    """What the shop does not sell, by status and words."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status, self.why = status, why


def spoiled(messages):
    """The messages as they are sent on, by a shop that has the defect."""
    if BUG == "drops_stream_message":
        return messages[:1] + messages[2:]
    if BUG == "reorders_stream":
        return [messages[1], messages[0], *messages[2:]]
    return messages


class Inventory:
    def __init__(self, channel):
        described = descriptor_pb2.FileDescriptorSet.FromString(Path(os.environ["DESCRIPTORS"]).read_bytes())
        types = message_factory.GetMessages(described.file, pool=descriptor_pool.DescriptorPool())
        self.item = types["inventory.Item"]
        said = {"request_serializer": lambda item: item.SerializeToString()}
        self.look_up = channel.unary_unary("/inventory.Inventory/Look", response_deserializer=types["inventory.Stock"].FromString, **said)
        self.follow = channel.unary_stream("/inventory.Inventory/Follow", response_deserializer=types["inventory.Delivery"].FromString, **said)

    async def look(self, sku):
        try:
            return await self.look_up(self.item(sku=sku), timeout=20)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND or BUG == "grpc_status":
                raise Refused(503, f"UNAVAILABLE: {error.details()}") from None
            raise Refused(404, f"NOT_FOUND: {error.details()}") from None

    async def deliveries(self, sku):
        return [{"number": told.number, "state": told.state} async for told in self.follow(self.item(sku=sku), timeout=20)]


async def tax(country, cents):
    """What a country takes, in cents."""
    try:
        amount = Decimal(cents) / 100
        return int(await asyncio.to_thread(TAXES.service.GetTax, country=country, amount=amount) * 100)
    except zeep.exceptions.Fault as fault:
        if BUG == "soap_fault":
            return 0
        raise Refused(422, fault.message) from None


async def post(url, body, **options):
    async with aiohttp.ClientSession() as session, session.post(url, json=body, **options) as answer:
        return await answer.json()


async def events(asked):
    """What happens to an order, one by one."""
    stock = await INVENTORY.look(asked["sku"])
    cents = stock.cents * asked["quantity"]
    yield {"event": "priced", "cents": cents}
    cents += await tax(asked["country"], cents)
    yield {"event": "taxed", "cents": cents}
    paid = await post(f"{os.environ['PAYMENTS']}/charges", {"cents": cents})
    yield {"event": "paid", "cents": cents, "payment": paid["payment"]}


async def order(request):
    *_, last = [event async for event in events(await request.json())]
    return web.json_response(last, status=201)


async def orders(request):
    """Orders over WebSocket, each told of event by event."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type != WSMsgType.TEXT or message.data == "bye":
            break
        for event in spoiled([event async for event in events(json.loads(message.data))]):
            await socket.send_json(event)
    await socket.close(code=1000, message=b"see you")
    return socket


async def deliveries(request):
    """What becomes of an order, as server-sent events."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for told in spoiled(await INVENTORY.deliveries(request.match_info["sku"])):
        await response.write(f"id: {told['number']}\nevent: delivery\ndata: {json.dumps(told)}\n\n".encode())
    return response


async def refund(request):
    careless = {"ssl": False} if BUG == "expired_cert_accepted" else {}
    try:
        return web.json_response(await post(f"{os.environ['REFUNDS']}/refunds", await request.json(), **careless))
    except aiohttp.ClientConnectorCertificateError as error:
        assert isinstance(error.certificate_error, ssl.SSLCertVerificationError)
        raise Refused(502, error.certificate_error.verify_message) from None


@strawberry.type
class Item:
    sku: str
    count: int
    cents: int | None


@strawberry.type
class Query:
    @strawberry.field
    async def item(self, sku: str) -> Item:
        stock = await INVENTORY.look(sku)
        return Item(sku=stock.sku, count=stock.count, cents=None if BUG == "graphql_null" else stock.cents)


@web.middleware
async def refusals(request, handler):
    try:
        return await handler(request)
    except Refused as refused:
        return web.json_response({"refused": refused.why}, status=refused.status)


async def begin(app):
    global INVENTORY, TAXES
    TAXES = await asyncio.to_thread(zeep.Client, f"{os.environ['TAX']}/tax?wsdl")
    app["channel"] = grpc.aio.secure_channel(os.environ["INVENTORY"], grpc.ssl_channel_credentials())
    INVENTORY = Inventory(app["channel"])


if __name__ == "__main__":
    shop = web.Application(middlewares=[refusals])
    shop.add_routes([web.post("/orders", order), web.get("/orders", orders), web.get("/deliveries/{sku}", deliveries), web.post("/refunds", refund)])
    shop.router.add_route("*", "/graphql", GraphQLView(schema=strawberry.Schema(Query)))
    shop.on_startup.append(begin)
    web.run_app(shop, host="127.0.0.1", port=int(sys.argv[1]), print=None)
