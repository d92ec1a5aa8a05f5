// A shop's warehouse over HTTP/2: without TLS on one port, and with it (by ALPN) on another.
//
//   node upstream.mjs PORT TLS-PORT FOLDER    (FOLDER has valid.pem and valid.key)
//
// Each stream is written to the log as it begins, so that a test sees who called.

import http2 from "node:http2";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const [plain, secure, folder] = process.argv.slice(2);
const LARGE = Buffer.alloc(3_000_000, "warehouse goods 0123456789\n");

function json(stream, value, more = {}) {
  stream.respond({ ":status": 200, "content-type": "application/json", ...more });
  stream.end(JSON.stringify(value));
}

function whole(stream, then) {
  const parts = [];
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => then(Buffer.concat(parts)));
}

// Ends a stream as the path says: `/codes/reset/CODE`, `/codes/leave/CODE` for a farewell by which it was not heard, or
// `/codes/heard/CODE` for one by which it was and an end before its answer.
// With `/once` after it, only the first time.
const ended = new Set();
function end(stream, path) {
  const [, , how, code, once] = path.split("/");
  if (once && ended.has(path)) return json(stream, { asked: "again" });
  ended.add(path);
  if (how === "reset") return stream.close(Number(code));
  stream.session.goaway(Number(code), how === "heard" ? stream.id : stream.id - 2);
  if (how === "heard") return stream.session.destroy();
  stream.session.close();
}

function answer(stream, headers) {
  const [method, path] = [headers[":method"], headers[":path"]];
  console.log(`${method} ${path}`);
  stream.on("error", () => {});
  if (path.startsWith("/prices/")) {
    const sku = path.split("/")[2];
    return json(stream, { sku, cents: 100 + 7 * Number(sku.slice(1)) }, { "x-shelf": ["3", "4"] });
  }
  if (path.startsWith("/codes/")) return end(stream, path);
  switch (path) {
    case "/reserve":
      return whole(stream, (body) => json(stream, { reserved: JSON.parse(body).quantity }));
    case "/digest":
      return whole(stream, (body) => json(stream, { length: body.length, sha256: createHash("sha256").update(body).digest("hex") }));
    case "/large":
      stream.respond({ ":status": 200, "content-type": "text/plain" });
      return stream.end(LARGE);
    case "/trailers":
      stream.respond({ ":status": 200, "content-type": "text/plain" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-checksum": "c0ffee", "x-parts": "2" }));
      stream.write("one,");
      return stream.end("two");
    case "/hints":
      stream.additionalHeaders({ ":status": 103, link: "</style.css>; rel=preload" });
      return json(stream, { hinted: true });
    case "/reset":
      return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    case "/half":
      stream.respond({ ":status": 200, "content-type": "text/plain" });
      return stream.write("only the beginning", () => stream.destroy(new Error("half is enough")));
    case "/early":
      // An answer before the request is complete, as servers that refuse an upload give it.
      stream.respond({ ":status": 413 });
      return stream.end("too much");
    default:
      stream.respond({ ":status": 404 }, { endStream: true });
  }
}

const open = http2.createServer();
const closed = http2.createSecureServer({ cert: readFileSync(`${folder}/valid.pem`), key: readFileSync(`${folder}/valid.key`) });
for (const server of [open, closed]) server.on("stream", answer);
open.listen(Number(plain), "127.0.0.1");
closed.listen(Number(secure), "127.0.0.1");
