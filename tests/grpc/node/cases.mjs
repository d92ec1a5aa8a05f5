// The interoperability cases by grpc-js; each returns a line that says what it saw.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.MODULES}/`);
export const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const files = loader.loadSync("interop/interop.proto", { includeDirs: [process.env.PROTO], longs: String, enums: String, arrays: true, keepCase: true });
export const { Interop, Nowhere } = grpc.loadPackageDefinition(files).interop;

const SIZES = [31415, 9, 2653, 58979];
const SENT = [27182, 8, 1828, 45904];
const payload = (size, rest = {}) => ({ payload: { body: Buffer.alloc(size) }, ...rest });
const limit = () => ({ deadline: Date.now() + 20_000 });
const ended = (error) => `${grpc.status[error.code]} ${JSON.stringify(error.details)}`;
const length = (answer) => answer.payload.body.length;

// A call with one answer.
function single(begin) {
  return new Promise((resolve, reject) => begin((error, answer) => (error ? reject(error) : resolve(answer))));
}

// The answers of a stream, to its end.
async function all(stream, seen = []) {
  for await (const answer of stream) seen.push(length(answer));
  return seen;
}

const unary = (stub, request, metadata = new grpc.Metadata()) => single((done) => stub.Unary(request, metadata, limit(), done));

async function turns(stream, requests) {
  const answers = stream[Symbol.asyncIterator]();
  const seen = [];
  for (const request of requests) {
    stream.write(request);
    seen.push(length((await answers.next()).value));
  }
  stream.end();
  for (let next = await answers.next(); !next.done; next = await answers.next()) seen.push(length(next.value));
  return seen;
}

const failing = async (act) => {
  try {
    return `fine: ${JSON.stringify(await act())}`;
  } catch (error) {
    return ended(error);
  }
};

export const cases = {
  empty_unary: async (stub) => JSON.stringify(await single((done) => stub.Nothing({}, limit(), done))),
  large_unary: async (stub) => {
    const answer = await unary(stub, payload(271828, { wanted: [{ size: 314159 }] }));
    return `${length(answer)} ${answer.total}`;
  },
  client_streaming: async (stub) => {
    const answer = await single((done) => {
      const call = stub.Sum(limit(), done);
      for (const size of SENT) call.write(payload(size));
      call.end();
    });
    return answer.total;
  },
  server_streaming: async (stub) => (await all(stub.Count({ wanted: SIZES.map((size) => ({ size })) }, limit()))).join(),
  ping_pong: async (stub) => (await turns(stub.Talk(limit()), SIZES.map((size, at) => payload(SENT[at], { wanted: [{ size }] })))).join(),
  empty_stream: async (stub) => (await turns(stub.Talk(limit()), [])).join() || "nothing",
  custom_metadata: async (stub) => {
    const metadata = new grpc.Metadata();
    metadata.set("x-suite-initial", "first");
    metadata.set("x-suite-trailing-bin", Buffer.from([0xab, 0xab, 0xab]));
    const seen = {};
    await single((done) => {
      const call = stub.Unary({}, metadata, limit(), done);
      call.on("metadata", (head) => (seen.head = head.get("x-suite-initial")[0]));
      seen.tail = new Promise((resolve) => call.on("status", (status) => resolve(status.metadata.get("x-suite-trailing-bin")[0])));
    });
    return `${seen.head} ${(await seen.tail).toString("hex")}`;
  },
  status_code_and_message: async (stub) => {
    const plain = await failing(() => unary(stub, { status: { code: 2, message: "\t\ntest with white space\r\nand Unicode ☺\t\n" } }));
    return `${plain}; ${await failing(() => turns(stub.Talk(limit()), [{ status: { code: 9, message: "in a stream" } }]))}`;
  },
  not_found: (stub) => failing(() => unary(stub, { status: { code: 5, message: "no such order" } })),
  unimplemented: (stub) => failing(() => single((done) => stub.Missing({}, limit(), done))),
  unimplemented_service: (_, other) => failing(() => single((done) => other.Missing({}, limit(), done))),
  server_compressed_unary: async (stub) => {
    const ask = async (compressed) => length(await unary(stub, { wanted: [{ size: 314159, compressed }] }));
    return `${await ask(true)},${await ask(false)}`;
  },
  server_compressed_streaming: async (stub) => (await all(stub.Count({ wanted: [{ size: 31415, compressed: true }, { size: 92653 }] }, limit()))).join(),
  cancel_after_begin: (stub) => failing(() => single((done) => {
    const call = stub.Sum(limit(), done);
    call.on("metadata", () => call.cancel());
  })),
  cancel_after_first_response: async (stub) => {
    const call = stub.Talk(limit());
    const ending = new Promise((resolve) => call.on("error", resolve));
    const first = new Promise((resolve) => call.once("data", resolve));
    call.write(payload(27182, { wanted: [{ size: 31415 }] }));
    const size = length(await first);
    call.cancel();
    return `${size} then ${grpc.status[(await ending).code]}`;
  },
  timeout: async (stub) => {
    const call = stub.Talk({ deadline: Date.now() + 200 });
    call.on("data", () => {});
    call.write(payload(27182));
    return grpc.status[(await new Promise((resolve) => call.on("error", resolve))).code];
  },
};
