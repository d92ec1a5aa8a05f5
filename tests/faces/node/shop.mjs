// A shop that is asked by GraphQL (graphql-http) and REST, and asks its supplier through Apollo Client: alone, in
// batches, by persisted queries, and by GET.
//
//     shop.mjs PORT
//
// ITEMS_URL is the supplier. BUG plants a defect; see run.py.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { BatchHttpLink } from "@apollo/client/link/batch-http";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { buildSchema } from "graphql";
import { createHandler } from "graphql-http/lib/use/http";

const uri = process.env.ITEMS_URL;
const bug = process.env.BUG;
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const client = (link) => new ApolloClient({ link, cache: new InMemoryCache(), defaultOptions: { query: { fetchPolicy: "no-cache" } } });
const clients = {
  alone: client(new HttpLink({ uri })),
  get: client(new HttpLink({ uri, useGETForQueries: true })),
  batch: client(new BatchHttpLink({ uri, batchInterval: 10 })),
  persisted: client(new PersistedQueryLink({ sha256 }).concat(new HttpLink({ uri }))),
};
const ITEMS = gql`query Items($first: Int) { items(first: $first) { sku price } }`;
const ITEM = gql`query Item($sku: String!) { item(sku: $sku) { price } }`;
const ADD = gql`mutation Add($input: NewItem!) { add(input: $input) { sku price } }`;

async function items(way) {
  const first = bug === "wrong_first" ? 3 : 2;
  return (await clients[way].query({ query: ITEMS, variables: { first } })).data.items;
}

async function add(sku, price) {
  const input = { sku, price };
  return (await clients.alone.mutate({ mutation: ADD, variables: { input } })).data.add;
}

const answers = {
  "/alone": () => items("alone"),
  "/get": () => items("get"),
  "/persisted": () => items("persisted"),
  "/batch": () => {
    const one = clients.batch.query({ query: ITEM, variables: { sku: "B2" } });
    return Promise.all([items("batch"), one.then((answer) => answer.data.item.price)]);
  },
  "/missing": () =>
    clients.alone.query({ query: ITEM, variables: { sku: "none" } }).then(() => "found", (error) => ({ refused: error.message })),
};
const schema = buildSchema(`
  type Item { sku: String! price: Float }
  type Query { items: [Item!]! }
  type Mutation { add(sku: String!, price: Float!): Item! }
`);
const rootValue = {
  items: async () => (await items("alone")).map((item) => (bug === "graphql_null" ? { ...item, price: null } : item)),
  add: ({ sku, price }) => add(sku, price),
};
const graphql = createHandler({ schema, rootValue });

createServer(async (request, response) => {
  if (request.url.startsWith("/graphql")) return graphql(request, response);
  let status = 200;
  const said = await answers[request.url]().catch((error) => ((status = 500), { failed: error.message }));
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(said));
}).listen(Number(process.argv[2]), "127.0.0.1");
