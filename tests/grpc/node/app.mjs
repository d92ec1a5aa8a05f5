// An app that calls the service of the suite by grpc-js: `app.mjs PORT`. GET /CASE answers what the case saw.
//
// The service is at UPSTREAM, over TLS if that begins with `https://`.
import { createServer } from "node:http";

import { Interop, Nowhere, cases, grpc } from "./cases.mjs";

const [, secure, address] = /^(https:\/\/)?(.*)$/.exec(process.env.UPSTREAM);
const credentials = secure ? grpc.credentials.createSsl() : grpc.credentials.createInsecure();
const options = { "grpc.enable_retries": 0 };
const stubs = [new Interop(address, credentials, options), new Nowhere(address, credentials, options)];

createServer(async (request, response) => {
  try {
    response.end(await cases[request.url.slice(1)](...stubs));
  } catch (error) {
    response.end(`failed: ${error}`);
  }
}).listen(Number(process.argv[2]), "127.0.0.1");
