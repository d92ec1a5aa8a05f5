"""The shop's suppliers: orders by GraphQL (Strawberry) at /graphql, taxes by SOAP 1.1 and 1.2 (Spyne) at /tax11 and /tax12.

    store.py PORT
"""

import decimal
import sys

import flask
import spyne
import strawberry
from spyne.protocol.soap import Soap11, Soap12
from spyne.server.wsgi import WsgiApplication
from strawberry.flask.views import GraphQLView
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

RATES = {"DE": decimal.Decimal("0.19"), "FR": decimal.Decimal("0.20")}
ORDERS = {1: ("A1", "19.90"), 2: ("B2", "250.00")}


@strawberry.type
class Order:
    id: int
    sku: str
    total: decimal.Decimal | None


@strawberry.input
class NewOrder:
    sku: str
    amount: decimal.Decimal


def find(number):
    if number not in ORDERS:
        raise ValueError(f"there is no order {number}")
    sku, total = ORDERS[number]
    return Order(id=number, sku=sku, total=decimal.Decimal(total))


@strawberry.type
class Query:
    @strawberry.field
    def orders(self, first: int = 10, sku: str | None = None) -> list[Order]:
        return [find(number) for number, (known, _) in ORDERS.items() if sku in (None, known)][:first]

    @strawberry.field
    def order(self, id: int) -> Order | None:
        return find(id)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def place_order(self, input: NewOrder) -> Order:
        return Order(id=3, sku=input.sku, total=input.amount * 2)


class Taxes(spyne.ServiceBase):
    @spyne.rpc(spyne.Unicode, spyne.Decimal, _returns=spyne.Decimal)
    def get_tax(self, country, amount):
        if country not in RATES:
            raise spyne.Fault("Client.UnknownCountry", f"no rate is known for {country}")
        return (amount * RATES[country]).quantize(decimal.Decimal("0.01"))


def soap(name, protocol):
    return WsgiApplication(
        spyne.Application([Taxes], "urn:taxes", name, in_protocol=protocol(validator="lxml"), out_protocol=protocol())
    )


def main(port):
    app = flask.Flask("store")
    app.add_url_rule("/graphql", view_func=GraphQLView.as_view("graphql", schema=strawberry.Schema(Query, Mutation)))
    mounted = DispatcherMiddleware(app, {"/tax11": soap("Taxes11", Soap11), "/tax12": soap("Taxes12", Soap12)})
    make_server("127.0.0.1", port, mounted, threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
