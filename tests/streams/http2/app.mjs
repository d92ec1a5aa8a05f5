// A desk over HTTP/2: `app.mjs PORT`, over TLS if the environment has CERTIFICATE. It calls the prices at PRICES.
//
// With BUG=drops_stream_message it leaves one out, and with BUG=reorders_stream it says two the other way round.
import { readFileSync } from "node:fs";
import http2 from "node:http2";

import { accept, connect, inbox, open, settings } from "./socket.mjs";

const bug = process.env.BUG;
let prices;

const session = async () => {
  if (!prices || prices.destroyed || prices.closed) prices = connect(process.env.PRICES);
  prices = await prices;
  return prices.on("error", () => {});
};

// What is said, with the defect.
function faulty(list) {
  if (bug === "drops_stream_message") return list.filter((_, place) => place !== 1);
  return bug === "reorders_stream" ? [list[1], list[0], ...list.slice(2)] : list;
}

function desk(stream) {
  const socket = accept(stream);
  socket.on("message", (data, binary) => {
    if (binary) return socket.send(data.reverse());
    if (data.toString() === "bye") return socket.close(4002, "see you");
    const { quote } = JSON.parse(data);
    for (const number of faulty([1, 2, 3])) socket.send(JSON.stringify({ quote, total: number * 101 }));
  });
}

async function ask(symbol) {
  const socket = await open(await session(), "/prices");
  const next = inbox(socket);
  const seen = [];
  socket.send(JSON.stringify({ subscribe: symbol }));
  for (let number = 0; number < 3; number++) seen.push(JSON.parse(await next()).price);
  if (symbol !== "LAST") socket.close(1000, "thanks");
  await next();
  return { seen, ended: socket.ended };
}

async function listen() {
  const stream = (await session()).request({ ":path": "/ticks" });
  stream.setEncoding("utf8");
  stream.on("error", () => {});
  let text = "";
  for await (const part of stream) {
    text += part;
    if (text.split("\n\n").length > 3) break;
  }
  return { ticks: text.match(/\d+(?=})/g).map(Number) };
}

async function answer(stream, headers) {
  stream.on("error", () => {});
  if (headers[":method"] === "CONNECT") return desk(stream);
  const url = new URL(headers[":path"], "http://desk");
  if (url.pathname === "/ticks") {
    stream.respond({ ":status": 200, "content-type": "text/event-stream" });
    for (const number of faulty([1, 2, 3])) stream.write(`id: ${number}\ndata: {"tick": ${number}}\n\n`);
    return;
  }
  const value = url.pathname === "/listen" ? await listen() : await ask(url.searchParams.get("symbol"));
  stream.respond({ ":status": 200, "content-type": "application/json" });
  stream.end(JSON.stringify(value));
}

const pem = process.env.CERTIFICATE;
const pair = pem && { cert: readFileSync(pem), key: readFileSync(pem.replace(/pem$/, "key")) };
const server = pem ? http2.createSecureServer({ ...pair, settings }) : http2.createServer({ settings });
server.on("stream", answer).listen(Number(process.argv[2]), "127.0.0.1");
