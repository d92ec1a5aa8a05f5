// The app of the suite in Node: serves WebSocket by `ws`, and calls by `ws` and by the runtime's own fetch.
//
//     node app.mjs PORT      FEED is the address (host:port) of the dependency
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.MODULES, "package.json"));
const { WebSocket, WebSocketServer } = require("ws");
const feed = process.env.FEED;

/** Three prices, with compression unless told otherwise. */
function prices(symbol, perMessageDeflate) {
  return new Promise((done, failed) => {
    const heard = [];
    const socket = new WebSocket(`ws://${feed}/feed`, { perMessageDeflate });
    socket.on("error", failed);
    socket.on("message", (data) => {
      heard.push(JSON.parse(data));
      if (heard.length === 1) socket.send(JSON.stringify({ subscribe: symbol }));
      if (heard.length === 4) socket.close(1000, "enough");
    });
    socket.on("close", () => done(heard.slice(1).map((price) => price.price)));
  });
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://app");
  try {
    if (url.pathname === "/prices") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ prices: await prices(url.searchParams.get("symbol"), url.searchParams.has("deflate")) }));
      return;
    }
    const news = await fetch(`http://${feed}/news`, { headers: { "last-event-id": "4" } });
    const titles = [...(await news.text()).matchAll(/"title": "([^"]*)"/g)].map((found) => found[1]);
    response.setHeader("content-type", "text/event-stream");
    for (const title of titles) response.write(`data: ${JSON.stringify({ title })}\n\n`);
    response.end();
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
});

const sockets = new WebSocketServer({ server, path: "/desk", perMessageDeflate: { threshold: 0 } });
sockets.on("connection", (socket) => {
  socket.send(JSON.stringify({ hello: "node" }));
  socket.on("message", async (data, binary) => {
    if (binary) socket.send(Buffer.concat([data, Buffer.from([254])]));
    else if (String(data) === "bye") socket.close(4002, "see you");
    else socket.send(JSON.stringify({ total: (await prices(JSON.parse(data).quote, true)).reduce((sum, price) => sum + price) }));
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
