// An echo over WebSocket by ws: `echo.mjs PORT`.
import { createRequire } from "node:module";

const { WebSocketServer } = createRequire(`${process.env.MODULES}/`)("ws");

const server = new WebSocketServer({ port: Number(process.argv[2]), host: "127.0.0.1", maxPayload: 1 << 20, perMessageDeflate: true });
server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, binary) => socket.send(data, { binary }));
});
