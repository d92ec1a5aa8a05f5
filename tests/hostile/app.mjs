// An app that is attacked: `app.mjs HTTP2-PORT HTTP1-PORT`. It answers how long a request's content was; on the second port it has
// a WebSocket that answers how long a message was, with compression, and messages of 1 MiB at most.
import { createServer } from "node:http";
import http2 from "node:http2";
import { createRequire } from "node:module";

const { WebSocketServer } = createRequire(`${process.env.MODULES}/`)("ws");
const [newer, older] = process.argv.slice(2).map(Number);

function answer(request, response) {
  let length = 0;
  request.on("error", () => {});
  response.on("error", () => {});
  request.on("data", (part) => (length += part.length));
  request.on("end", () => response.end(`${length} bytes`));
}

http2.createServer(answer).on("sessionError", () => {}).listen(newer, "127.0.0.1");
const server = createServer(answer);
const sockets = new WebSocketServer({ server, maxPayload: 1 << 20, perMessageDeflate: true });
sockets.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data) => socket.send(`${data.length} bytes`));
});
server.listen(older, "127.0.0.1");
