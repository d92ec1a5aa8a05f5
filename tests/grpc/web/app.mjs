// An app that calls the service of the suite by gRPC-Web: `app.mjs PORT`. GET /WAY/CASE answers what the case saw.
//
// WAY is `binary` (Connect's transport) or `text` (the package grpc-web). The service is at UPSTREAM; DESCRIPTORS are its schemas.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.MODULES}/`);
const { create, createFileRegistry, fromBinary, toBinary } = require("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = require("@bufbuild/protobuf/wkt");
const { Code, createClient } = require("@connectrpc/connect");
const { createGrpcWebTransport } = require("@connectrpc/connect-node");
globalThis.XMLHttpRequest = require("xhr2");
const { GrpcWebClientBase, MethodDescriptor, MethodType, StatusCode } = require("grpc-web");

const url = `http://${process.env.UPSTREAM}`;
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(process.env.DESCRIPTORS)));
const service = registry.getService("interop.Interop");
const [asked, answered] = ["Request", "Response"].map((name) => registry.getMessage(`interop.${name}`));

const connect = createClient(service, createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" }));
const browser = new GrpcWebClientBase({ format: "text" });
const method = (name, type) =>
  new MethodDescriptor(
    `/interop.Interop/${name}`, type, Object, Object, (message) => toBinary(asked, create(asked, message)), (bytes) => fromBinary(answered, bytes),
  );

const ways = {
  binary: {
    unary: (request) => connect.unary(request),
    count: async (request) => {
      const seen = [];
      for await (const answer of connect.count(request)) seen.push(answer);
      return seen;
    },
    name: (error) => Code[error.code],
    words: (error) => error.rawMessage,
  },
  text: {
    unary: (request) =>
      new Promise((resolve, reject) => {
        const done = (error, answer) => (error ? reject(error) : resolve(answer));
        browser.rpcCall(`${url}/interop.Interop/Unary`, request, {}, method("Unary", MethodType.UNARY), done);
      }),
    count: (request) =>
      new Promise((resolve, reject) => {
        const seen = [];
        const stream = browser.serverStreaming(`${url}/interop.Interop/Count`, request, {}, method("Count", MethodType.SERVER_STREAMING));
        stream.on("data", (answer) => seen.push(answer));
        stream.on("error", reject);
        stream.on("end", () => resolve(seen));
      }),
    name: (error) => Object.entries(StatusCode).find(([, code]) => code === error.code)[0],
    words: (error) => error.message,
  },
};

const cases = {
  unary: async (way) => {
    const { payload, total } = await way.unary({ payload: { text: "quiet words" } });
    return `${payload.text} ${total}`;
  },
  stream: async (way) => {
    const seen = await way.count({ wanted: [{ size: 31415 }, { size: 9 }, { size: 2653 }] });
    return seen.map(({ payload }) => payload.body.length).join();
  },
  missing: async (way) => {
    try {
      return await way.unary({ status: { code: 5, message: "no such order" } });
    } catch (error) {
      return `${way.name(error)} ${way.words(error)}`;
    }
  },
};

createServer(async (request, response) => {
  const [, way, name] = request.url.split("/");
  try {
    response.end(await cases[name](ways[way]));
  } catch (error) {
    response.end(`failed: ${error.stack}`);
  }
}).listen(Number(process.argv[2]), "127.0.0.1");
