// The shop in Node: node:http, fetch, grpc-js, soap, ws and graphql-http.
//
//     node shop.mjs PORT
//
// The environment is that of ../shop.py; PROTO is the .proto file of the inventory.
import http from "node:http";
import https from "node:https";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import { buildSchema } from "graphql";
import { createHandler } from "graphql-http/lib/use/http";
import soap from "soap";
import { WebSocketServer } from "ws";

const { BUG: bug, INVENTORY, PAYMENTS, PROTO, REFUNDS, TAX } = process.env;
const { Inventory } = grpc.loadPackageDefinition(loader.loadSync(PROTO, { longs: Number, defaults: true })).inventory;
const inventory = new Inventory(INVENTORY, grpc.credentials.createSsl());
const taxes = await soap.createClientAsync(`${TAX}/tax?wsdl`);

/** What the shop does not sell. */
class Refused extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

/** The messages as they are sent on, by a shop that has the defect. */
function spoiled([first, second, ...rest]) {
  if (bug === "drops_stream_message") return [first, ...rest];
  return bug === "reorders_stream" ? [second, first, ...rest] : [first, second, ...rest];
}

function look(sku) {
  return new Promise((done, failed) =>
    inventory.Look({ sku }, (error, stock) => {
      if (!error) return done(stock);
      const missing = error.code === grpc.status.NOT_FOUND && bug !== "grpc_status";
      failed(missing ? new Refused(404, `NOT_FOUND: ${error.details}`) : new Refused(503, `UNAVAILABLE: ${error.details}`));
    }),
  );
}

async function tax(country, cents) {
  try {
    const [told] = await taxes.GetTaxAsync({ country, amount: (cents / 100).toFixed(2) });
    return Math.round(told.tax * 100);
  } catch (error) {
    const fault = error.root?.Envelope?.Body?.Fault;
    if (!fault) throw error;
    if (bug === "soap_fault") return 0;
    throw new Refused(422, fault.faultstring);
  }
}

async function charge(cents) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${PAYMENTS}/charges`, { method: "POST", headers, body: JSON.stringify({ cents }) });
  return answer.json();
}

/** What happens to an order. */
async function events({ sku, quantity, country }) {
  const priced = (await look(sku)).cents * quantity;
  const taxed = priced + (await tax(country, priced));
  const { payment } = await charge(taxed);
  return [{ event: "priced", cents: priced }, { event: "taxed", cents: taxed }, { event: "paid", cents: taxed, payment }];
}

/** Asks for a refund, of a server whose certificate has to be good. */
function refund(body) {
  const options = { method: "POST", headers: { "content-type": "application/json" }, rejectUnauthorized: bug !== "expired_cert_accepted" };
  return new Promise((done, failed) => {
    const request = https.request(`${REFUNDS}/refunds`, options, async (response) => {
      let text = "";
      for await (const part of response.setEncoding("utf8")) text += part;
      done(JSON.parse(text));
    });
    request.on("error", (error) => failed(error.code === "CERT_HAS_EXPIRED" ? new Refused(502, error.message) : error));
    request.end(JSON.stringify(body));
  });
}

async function read(request) {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  return JSON.parse(text);
}

function answer(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function deliveries(sku, response) {
  const all = [];
  for await (const told of inventory.Follow({ sku })) all.push(told);
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const told of spoiled(all)) response.write(`id: ${told.number}\nevent: delivery\ndata: ${JSON.stringify(told)}\n\n`);
  response.end();
}

const rootValue = {
  async item({ sku }) {
    const stock = await look(sku);
    return bug === "graphql_null" ? { ...stock, cents: null } : stock;
  },
};
const schema = buildSchema("type Query { item(sku: String!): Item! } type Item { sku: String! count: Int! cents: Int }");
const graphql = createHandler({ schema, rootValue });

const server = http.createServer(async (request, response) => {
  try {
    if (request.url === "/graphql") await graphql(request, response);
    else if (request.url.startsWith("/deliveries/")) await deliveries(request.url.slice("/deliveries/".length), response);
    else if (request.url === "/refunds") answer(response, 200, await refund(await read(request)));
    else answer(response, 201, (await events(await read(request))).at(-1));
  } catch (error) {
    answer(response, error.status ?? 500, { refused: error.message });
  }
});

new WebSocketServer({ server, path: "/orders", perMessageDeflate: true }).on("connection", (socket) => {
  socket.on("message", async (data) => {
    if (String(data) === "bye") return socket.close(1000, "see you");
    for (const event of spoiled(await events(JSON.parse(data)))) socket.send(JSON.stringify(event));
  });
});

server.listen(Number(process.argv[2]), "127.0.0.1");
