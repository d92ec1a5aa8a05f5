// The service of the suite by grpc-js: `service.mjs PORT [SECURE]`; over TLS on the port SECURE, by the key at CERTIFICATE.
//
// With `BUG=grpc_status` it answers what it does not find with another status.
import { readFileSync } from "node:fs";

import { Interop, grpc } from "./cases.mjs";

// Metadata of these names is sent back.
function note(call) {
  const initial = new grpc.Metadata();
  for (const value of call.metadata.get("x-suite-initial")) initial.add("x-suite-initial", value);
  call.sendMetadata(initial);
  const trailing = new grpc.Metadata();
  for (const value of call.metadata.get("x-suite-trailing-bin")) trailing.add("x-suite-trailing-bin", value);
  return trailing;
}

function failure({ status }) {
  if (!status) return null;
  const code = status.code === grpc.status.NOT_FOUND && process.env.BUG === "grpc_status" ? grpc.status.INTERNAL : status.code;
  return { code, details: status.message };
}

const answer = (request, size, total) => ({ payload: { body: Buffer.alloc(size), text: request.payload?.text }, total });

const service = {
  Nothing: (_, done) => done(null, {}),
  Unary: (call, done) => {
    const trailing = note(call);
    const { request } = call;
    const made = { ...answer(request, request.wanted[0]?.size ?? 0, request.payload?.body.length ?? 0), kind: request.kind };
    done(failure(request), made, trailing);
  },
  Sum: (call, done) => {
    let total = 0;
    call.sendMetadata(new grpc.Metadata());
    call.on("data", (request) => (total += request.payload.body.length));
    call.on("end", () => done(null, { total }));
  },
  Count: (call) => {
    call.request.wanted.forEach(({ size }, number) => call.write(answer(call.request, size, number)));
    const why = failure(call.request);
    if (why) call.emit("error", why);
    else call.end();
  },
  Talk: (call) => {
    const trailing = note(call);
    call.on("data", (request) => {
      const why = failure(request);
      if (why) call.emit("error", why);
      for (const { size } of request.wanted) call.write(answer(request, size, 0));
    });
    call.on("end", () => call.end(trailing));
  },
  Missing: (_, done) => done({ code: grpc.status.UNIMPLEMENTED, details: "Method not implemented!" }),
};

const server = new grpc.Server();
server.addService(Interop.service, service);
process.argv.slice(2).forEach((port, place) => {
  const pem = process.env.CERTIFICATE;
  const pair = () => [{ private_key: readFileSync(pem.replace(/\.pem$/, ".key")), cert_chain: readFileSync(pem) }];
  const credentials = place ? grpc.ServerCredentials.createSsl(null, pair()) : grpc.ServerCredentials.createInsecure();
  server.bindAsync(`127.0.0.1:${port}`, credentials, (error) => {
    if (error) throw error;
  });
});
