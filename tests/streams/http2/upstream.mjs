// Prices over HTTP/2: `upstream.mjs PORT TLS-PORT FOLDER` (FOLDER has own.pem and own.key), without TLS and with it.
//
// `/prices` is a WebSocket that answers each symbol with three prices; `/ticks` are events without an end.
import { readFileSync } from "node:fs";
import http2 from "node:http2";

import { accept, settings } from "./socket.mjs";

const [plain, secure, folder] = process.argv.slice(2);

function prices(stream) {
  const socket = accept(stream);
  socket.on("message", (data) => {
    const { subscribe } = JSON.parse(data);
    for (const number of [1, 2, 3]) socket.send(JSON.stringify({ symbol: subscribe, price: 100 + number }));
    if (subscribe === "LAST") socket.close(4000, "sold out");
  });
}

function answer(stream, headers) {
  stream.on("error", () => {});
  if (headers[":method"] === "CONNECT") return prices(stream);
  stream.respond({ ":status": 200, "content-type": "text/event-stream" });
  for (const number of [1, 2, 3]) stream.write(`id: ${number}\ndata: {"tick": ${number}}\n\n`);
}

const pair = { cert: readFileSync(`${folder}/own.pem`), key: readFileSync(`${folder}/own.key`) };
const servers = [http2.createServer({ settings }), http2.createSecureServer({ ...pair, settings })];
servers.forEach((server, place) => server.on("stream", answer).listen(Number([plain, secure][place]), "127.0.0.1"));
