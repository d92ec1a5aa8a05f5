// A shop that speaks HTTP/2 without TLS, and calls its warehouse over HTTP/2, by Node's own http2.
//
//   node app.mjs PORT    (the environment has WAREHOUSE_URL and SECURE_URL)
//
// BUG=total, status or trailers makes it wrong in one answer.

import http2 from "node:http2";
import { createHash } from "node:crypto";

const bug = process.env.BUG;
const sessions = new Map();

// One connection for each server, as long as it lasts.
function connection(url) {
  let session = sessions.get(url);
  if (!session || session.closed || session.destroyed) {
    session = http2.connect(url);
    session.on("error", () => {});
    sessions.set(url, session);
  }
  return session;
}

function call(method, url, path, body) {
  return new Promise((resolve, reject) => {
    const stream = connection(url).request({ ":method": method, ":path": path, ...(body && { "content-type": "application/json" }) });
    const found = { headers: {}, trailers: {}, hints: [], parts: [] };
    stream.on("headers", (headers) => found.hints.push(headers.link));
    stream.on("response", (headers) => (found.headers = headers));
    stream.on("trailers", (trailers) => (found.trailers = trailers));
    stream.on("data", (part) => found.parts.push(part));
    stream.on("end", () => stream.rstCode === 0 && resolve({ ...found, body: Buffer.concat(found.parts) }));
    stream.on("error", (error) => reject(Object.assign(error, { body: Buffer.concat(found.parts) })));
    stream.end(body);
  });
}

const warehouse = (method, path, body) => call(method, process.env.WAREHOUSE_URL, path, body);
const cents = async (url, sku) => JSON.parse((await call("GET", url, `/prices/${sku}`)).body).cents;

function whole(stream) {
  return new Promise((resolve) => {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("end", () => resolve(Buffer.concat(parts)));
  });
}

const answers = {
  async quote(url) {
    const sku = url.pathname.split("/")[2];
    const base = url.searchParams.get("over") === "tls" ? process.env.SECURE_URL : process.env.WAREHOUSE_URL;
    const each = await cents(base, sku);
    const reserved = JSON.parse((await call("POST", base, "/reserve", '{"quantity":3}')).body);
    return { sku, total: each * 3 + (bug === "total" && sku === "A2" ? 1 : 0), warehouse: reserved };
  },
  async many() {
    const skus = Array.from({ length: 20 }, (_, number) => `A${number}`);
    const found = await Promise.all(skus.map((sku) => cents(process.env.WAREHOUSE_URL, sku)));
    return `sum ${found.reduce((sum, one) => sum + one)}`;
  },
  async upload(_, stream) {
    return JSON.parse((await warehouse("POST", "/digest", await whole(stream))).body);
  },
  async large(_, stream) {
    const { body } = await warehouse("GET", "/large");
    stream.respond({ ":status": 200, "x-sum": createHash("sha256").update(body).digest("hex") });
    stream.end(body);
  },
  async trailers(_, stream) {
    const { body, trailers } = await warehouse("GET", "/trailers");
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-seen": bug === "trailers" ? "?" : trailers["x-checksum"] }));
    stream.end(body);
  },
  async hints(_, stream) {
    const { body, hints } = await warehouse("GET", "/hints");
    stream.additionalHeaders({ ":status": 103, link: hints.join() });
    return JSON.parse(body);
  },
  async reset(url) {
    try {
      return `fine: ${(await warehouse("GET", url.pathname)).body}`;
    } catch (error) {
      return `broken off: ${error.body}`;
    }
  },
  // How the warehouse ends a stream: by the stream's code, or by that of the connection.
  async codes(url) {
    await cents(process.env.WAREHOUSE_URL, "A1");
    return new Promise((resolve) => {
      const stream = connection(process.env.WAREHOUSE_URL).request({ ":path": url.pathname });
      let why = null;
      stream.on("error", (error) => (why = error.message.match(/^Session closed with error code (\d+)/)));
      stream.on("close", () => resolve(`code ${why ? why[1] : stream.rstCode}`));
      stream.resume();
    });
  },
  breaks(url, stream) {
    const code = Number(url.pathname.split("/")[2]);
    stream.close(bug === "breaks" ? http2.constants.NGHTTP2_CANCEL : code);
  },
  async missing(_, stream) {
    const { headers } = await warehouse("GET", "/nowhere");
    stream.respond({ ":status": bug === "status" ? 500 : headers[":status"] }, { endStream: true });
  },
};
answers.half = answers.reset;

const server = http2.createServer();
server.on("stream", async (stream, headers) => {
  stream.on("error", () => {});
  const url = new URL(headers[":path"], "http://shop");
  const value = await answers[url.pathname.split("/")[1]](url, stream);
  if (value !== undefined) {
    stream.respond({ ":status": 200, "content-type": typeof value === "string" ? "text/plain" : "application/json" });
    stream.end(typeof value === "string" ? value : JSON.stringify(value));
  }
});
server.listen(Number(process.argv[2]), "127.0.0.1");
