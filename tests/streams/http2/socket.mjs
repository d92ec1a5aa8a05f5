// WebSocket on a stream of HTTP/2 (RFC 8441), by Node's own http2 and the package ws.
import { once } from "node:events";
import http2 from "node:http2";
import { createRequire } from "node:module";

const { WebSocket } = createRequire(`${process.env.MODULES}/`)("ws");

const made = (isServer, stream) => {
  const socket = new WebSocket(null, undefined, { autoPong: true, closeTimeout: 20_000 });
  socket._isServer = isServer;
  socket.setSocket(stream, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 1 << 24, skipUTF8Validation: false });
  return socket;
};

// Settings of a server on whose streams there may be a WebSocket.
export const settings = { enableConnectProtocol: true };

// Accepts what a client asks for.
export function accept(stream) {
  stream.respond({ ":status": 200 });
  return made(true, stream);
}

// A connection, once it is known that it takes WebSockets, if such are wanted.
export async function connect(url, converses = true) {
  const session = http2.connect(url);
  if (!session.remoteSettings?.enableConnectProtocol) await once(session, "remoteSettings");
  if (converses && !session.remoteSettings.enableConnectProtocol) throw new Error("the server takes no WebSocket");
  return session;
}

export async function open(session, path) {
  const stream = session.request({ ":method": "CONNECT", ":protocol": "websocket", ":path": path, "sec-websocket-version": "13" });
  const [headers] = await once(stream, "response");
  if (headers[":status"] !== 200) throw new Error(`the server says ${headers[":status"]}`);
  return made(false, stream);
}

// The messages of a socket, of which `next` waits for the next one; null at its end.
export function inbox(socket) {
  const [waiting, came] = [[], []];
  const put = (message) => (waiting.length ? waiting.shift()(message) : came.push(message));
  socket.on("message", (data, binary) => put(binary ? `hex:${data.toString("hex")}` : data.toString()));
  socket.on("close", (code, reason) => {
    socket.ended = `${code} ${reason}`.trim();
    put(null);
  });
  return () => (came.length ? Promise.resolve(came.shift()) : new Promise((resolve) => waiting.push(resolve)));
}
