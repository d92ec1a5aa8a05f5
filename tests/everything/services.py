"""What the shops call, all of it over TLS: payments, refunds, inventory and taxes.

    services.py FOLDER payments=PORT refunds=PORT inventory=PORT tax=PORT

FOLDER has valid.pem and expired.pem, a certificate with its key each. Refunds show the one that is expired.
Inventory is gRPC, taxes are SOAP 1.1 (its WSDL is at /tax?wsdl), the others JSON. DESCRIPTORS is the descriptor set of inventory.proto.
"""

import asyncio
import os
import ssl
import sys
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import grpc
from aiohttp import web
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

STOCK = {"A1": (3, 1990), "B2": (0, 25000)}
RATES = {"DE": Decimal("0.19"), "FR": Decimal("0.20")}
DELIVERY = ["packed", "sent", "arrived", "signed"]
TAXES = "{urn:taxes}"
ENVELOPE = '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
WSDL = """<?xml version="1.0"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:t="urn:taxes" xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:taxes" name="Taxes">
  <types><x:schema targetNamespace="urn:taxes" elementFormDefault="qualified">
    <x:element name="GetTax"><x:complexType><x:sequence>
      <x:element name="country" type="x:string"/><x:element name="amount" type="x:decimal"/>
    </x:sequence></x:complexType></x:element>
    <x:element name="GetTaxResponse"><x:complexType><x:sequence><x:element name="tax" type="x:decimal"/></x:sequence></x:complexType></x:element>
  </x:schema></types>
  <message name="Asked"><part name="parameters" element="t:GetTax"/></message>
  <message name="Told"><part name="parameters" element="t:GetTaxResponse"/></message>
  <portType name="TaxesPort"><operation name="GetTax"><input message="t:Asked"/><output message="t:Told"/></operation></portType>
  <binding name="TaxesBinding" type="t:TaxesPort">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="GetTax"><soap:operation soapAction="urn:taxes/GetTax"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <service name="Taxes"><port name="Taxes" binding="t:TaxesBinding"><soap:address location="ADDRESS"/></port></service>
</definitions>
"""


async def charge(request):
    asked = await request.json()
    return web.json_response({"payment": f"pay-{asked['cents']}", "state": "authorised"}, status=201)


async def refund(request):
    return web.json_response({"refund": (await request.json())["payment"]}, status=201)


async def wsdl(request):
    return web.Response(text=WSDL.replace("ADDRESS", f"https://{request.host}/tax"), content_type="text/xml")


async def tax(request):
    asked = ElementTree.fromstring(await request.text()).find(f".//{TAXES}GetTax")
    country = asked.findtext(f"{TAXES}country")
    if country not in RATES:
        fault = f"<s:Fault><faultcode>s:Client</faultcode><faultstring>no rate is known for {country}</faultstring></s:Fault>"
        return web.Response(text=ENVELOPE.format(fault), content_type="text/xml", status=500)
    told = (Decimal(asked.findtext(f"{TAXES}amount")) * RATES[country]).quantize(Decimal("0.01"))
    answer = f'<t:GetTaxResponse xmlns:t="urn:taxes"><t:tax>{told}</t:tax></t:GetTaxResponse>'
    return web.Response(text=ENVELOPE.format(answer), content_type="text/xml")


def messages():
    """The classes of the messages, by name."""
    described = descriptor_pb2.FileDescriptorSet.FromString(Path(os.environ["DESCRIPTORS"]).read_bytes())
    return {name.removeprefix("inventory."): made for name, made in message_factory.GetMessages(described.file, pool=descriptor_pool.DescriptorPool()).items()}


def inventory():
    """The methods of the gRPC service."""
    types = messages()

    async def look(item, context):
        if item.sku not in STOCK:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no item {item.sku}")
        count, cents = STOCK[item.sku]
        return types["Stock"](sku=item.sku, count=count, cents=cents)

    async def follow(_item, _context):
        for number, state in enumerate(DELIVERY, 1):
            yield types["Delivery"](number=number, state=state)

    spoken = {"request_deserializer": types["Item"].FromString, "response_serializer": lambda message: message.SerializeToString()}
    methods = {"Look": grpc.unary_unary_rpc_method_handler(look, **spoken), "Follow": grpc.unary_stream_rpc_method_handler(follow, **spoken)}
    return grpc.method_handlers_generic_handler("inventory.Inventory", methods)


async def main(folder, ports):
    app = web.Application()
    app.add_routes([web.post("/charges", charge), web.post("/refunds", refund), web.get("/tax", wsdl), web.post("/tax", tax)])
    runner = web.AppRunner(app)
    await runner.setup()
    for name, file in [("payments", "valid"), ("refunds", "expired"), ("tax", "valid")]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{file}.pem")
        await web.TCPSite(runner, "127.0.0.1", int(ports[name]), ssl_context=context).start()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([inventory()])
    pem = (folder / "valid.pem").read_bytes()
    server.add_secure_port(f"127.0.0.1:{ports['inventory']}", grpc.ssl_server_credentials([(pem, pem)]))
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), dict(word.split("=") for word in sys.argv[2:])))
