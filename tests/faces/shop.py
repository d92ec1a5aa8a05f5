"""A shop that is asked by REST, GraphQL and SOAP, and asks its suppliers by GraphQL (gql) and SOAP (Zeep).

    shop.py PORT

`GRAPHQL_URL`, `SOAP11_URL` and `SOAP12_URL` are the suppliers. `BUG` plants a defect; see `run.py`.
"""

import decimal
import os
import sys

import flask
import spyne
import strawberry
import zeep
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication
from strawberry.flask.views import GraphQLView
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

BUG = os.environ.get("BUG")
PARTS = " fragment Parts on Order { id sku total }"
ORDERS = "query Orders($first: Int!) { orders(first: $first) { ...Parts } }" + PARTS
ONE = 'query { orders(first: 1, sku: "A1") { ...Parts } }' + PARTS
PLACE = "mutation PlaceOrder($input: NewOrder!) { placeOrder(input: $input) { ...Parts } }" + PARTS
app = flask.Flask("shop")


def ask(document, **variables):
    request = gql(document.replace("first: 1", "first: 2") if BUG == "wrong_literal" else document)
    request.variable_values = variables
    with Client(transport=RequestsHTTPTransport(os.environ["GRAPHQL_URL"])) as session:
        return session.execute(request)


def place(sku, amount):
    amount = amount + 1 if BUG == "wrong_variable" else amount
    return ask(PLACE, input={"sku": sku, "amount": str(amount)})["placeOrder"]


@app.get("/orders")
def orders():
    return ask(ORDERS, first=2)


@app.get("/first")
def first():
    return ask(ONE)


@app.get("/orders/<int:number>")
def one(number):
    try:
        return ask("query ($id: Int!) { order(id: $id) { total } }", id=number)
    except TransportQueryError as refused:
        return {"refused": refused.errors[0]["message"]}, 404


@app.post("/orders")
def new():
    sent = flask.request.get_json()
    return place(sent["sku"], decimal.Decimal(sent["amount"])), 201


@app.get("/tax/<version>/<country>/<amount>")
def tax(version, country, amount):
    try:
        return {"tax": str(taxes(version, country, decimal.Decimal(amount)))}
    except zeep.exceptions.Fault as fault:
        return {"refused": fault.message}, 404


def taxes(version, country, amount):
    amount = amount + 1 if BUG == "wrong_element" else amount
    return SUPPLIERS[version].service.get_tax(country, amount)


@strawberry.type
class Order:
    id: int
    total: decimal.Decimal | None


def told(order):
    total = None if BUG == "graphql_null" and order["id"] == 2 else decimal.Decimal(order["total"])
    return Order(id=order["id"], total=total)


@strawberry.type
class Query:
    @strawberry.field
    def orders(self) -> list[Order]:
        return [told(order) for order in ask(ORDERS, first=2)["orders"]]


@strawberry.type
class Mutation:
    @strawberry.mutation
    def buy(self, sku: str) -> Order:
        return told(place(sku, decimal.Decimal("19.90")))


class Invoices(spyne.ServiceBase):
    @spyne.rpc(spyne.Unicode, spyne.Decimal, _returns=spyne.Decimal)
    def total(self, country, amount):
        try:
            tax = taxes("11", country, amount)
        except zeep.exceptions.Fault as fault:
            raise spyne.Fault("Client.Refused", fault.message) from None
        if BUG == "soap_fault":
            raise spyne.Fault("Server.Broken", "the total is not known")
        return amount + tax


if __name__ == "__main__":
    SUPPLIERS = {version: zeep.Client(f"{os.environ[f'SOAP{version}_URL']}?wsdl") for version in ("11", "12")}
    app.add_url_rule("/graphql", view_func=GraphQLView.as_view("graphql", schema=strawberry.Schema(Query, Mutation)))
    invoices = spyne.Application([Invoices], "urn:invoices", "Invoices", in_protocol=Soap11(), out_protocol=Soap11())
    mounted = DispatcherMiddleware(app, {"/invoices": WsgiApplication(invoices)})
    make_server("127.0.0.1", int(sys.argv[1]), mounted, threaded=True).serve_forever()
