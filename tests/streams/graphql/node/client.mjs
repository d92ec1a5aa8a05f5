// Asks by graphql-transport-ws and prints the answers: `client.mjs URL OPERATION VARIABLES`.
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

const [url, query, variables] = process.argv.slice(2);
const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
for await (const { data, errors } of client.iterate({ query, variables: JSON.parse(variables) })) console.log(JSON.stringify(data ?? errors));
await client.dispose();
