// Prices by graphql-transport-ws (graphql-ws): `upstream.mjs PORT`.
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

const schema = buildSchema(`
  type Price { symbol: String! cents: Int }
  type Query { symbols: [String!]! }
  type Subscription { prices(symbol: String!): Price! }
`);

const roots = {
  query: { symbols: () => ["ACME", "INIT"] },
  subscription: {
    async *prices({ symbol }) {
      if (symbol === "NONE") throw new Error("there is no symbol NONE");
      for (const cents of [101, 102, 103]) yield { prices: { symbol, cents } };
    },
  },
};

useServer({ schema, roots }, new WebSocketServer({ port: Number(process.argv[2]), host: "127.0.0.1" }));
