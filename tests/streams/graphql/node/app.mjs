// A shop that is asked by GET and by graphql-transport-ws, and subscribes to its supplier by the same: `app.mjs PORT`.
//
// PRICES_URL is the supplier. BUG=graphql_null answers a null where a number is due, and BUG=wrong_operation asks for another one.
import { createServer } from "node:http";

import { buildSchema } from "graphql";
import { createClient } from "graphql-ws";
import { useServer } from "graphql-ws/use/ws";
import { WebSocket, WebSocketServer } from "ws";

const bug = process.env.BUG;
const schema = buildSchema(`
  type Order { id: ID! total: Int }
  type Query { orders: [Order!]! }
  type Subscription { orders(to: Int!): [Order!]! }
`);
const order = (id) => ({ id, total: bug === "graphql_null" && id === 2 ? null : id * 100 });
const roots = {
  query: { orders: () => [order(1), order(2)] },
  subscription: {
    async *orders({ to }) {
      for (let last = 1; last <= to; last++) yield { orders: Array.from({ length: last }, (_, place) => order(place + 1)) };
    },
  },
};

// What the supplier says to an operation, to its end.
async function ask(query, variables) {
  const client = createClient({ url: process.env.PRICES_URL, webSocketImpl: WebSocket, retryAttempts: 0 });
  const seen = [];
  try {
    for await (const { data, errors } of client.iterate({ query, variables })) seen.push(errors?.[0].message ?? data);
  } catch (errors) {
    seen.push([errors].flat()[0].message);
  }
  await client.dispose();
  return seen;
}

async function answer(url) {
  const symbol = url.searchParams.get("symbol");
  if (!symbol) return ask(bug === "wrong_operation" ? "query Others { symbols }" : "query Symbols { symbols }");
  return ask("subscription Prices($symbol: String!) { prices(symbol: $symbol) { symbol cents } }", { symbol });
}

const server = createServer(async (request, response) => {
  const value = await answer(new URL(request.url, "http://shop"));
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
});
useServer({ schema, roots }, new WebSocketServer({ server, path: "/graphql" }));
server.listen(Number(process.argv[2]), "127.0.0.1");
