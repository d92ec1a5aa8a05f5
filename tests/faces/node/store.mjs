// The shop's supplier for Node: an Apollo Server with batches and automatic persisted queries.
//
//     store.mjs PORT

import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";

const typeDefs = `
  type Item { sku: String! price: Float }
  input NewItem { sku: String! price: Float! }
  type Query { items(first: Int = 10): [Item!]! item(sku: String!): Item }
  type Mutation { add(input: NewItem!): Item! }
`;
const items = [{ sku: "A1", price: 19.9 }, { sku: "B2", price: 250 }];
const resolvers = {
  Query: {
    items: (_, { first }) => items.slice(0, first),
    item: (_, { sku }) => {
      const found = items.find((item) => item.sku === sku);
      if (!found) throw new Error(`there is no item ${sku}`);
      return found;
    },
  },
  Mutation: { add: (_, { input }) => input },
};
const server = new ApolloServer({ typeDefs, resolvers, allowBatchedHttpRequests: true, csrfPrevention: false });
await startStandaloneServer(server, { listen: { host: "127.0.0.1", port: Number(process.argv[2]) } });
