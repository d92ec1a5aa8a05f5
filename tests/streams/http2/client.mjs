// Calls an app over HTTP/2: `client.mjs URL PATH [STEP ...]`. A step is `COUNT:TEXT`: how many messages to wait for, then what to
// send (`hex:` of bytes, `close`, or `listen` to wait for the end). Without steps it reads three events and leaves.
import { connect, inbox, open } from "./socket.mjs";

const [url, path, ...steps] = process.argv.slice(2);
const session = await connect(url, steps.length > 0);

async function converse() {
  const socket = await open(session, path);
  const next = inbox(socket);
  for (const step of steps) {
    const [, count, text] = /^(\d+):(.*)$/s.exec(step);
    for (let number = 0; number < Number(count); number++) console.log(await next());
    if (text === "listen") while ((await next()) !== null);
    else if (text === "close") socket.close(1000, "done");
    else socket.send(text.startsWith("hex:") ? Buffer.from(text.slice(4), "hex") : text);
  }
  if (!socket.ended) await next();
  console.log(socket.ended);
}

async function read() {
  const stream = session.request({ ":path": path });
  stream.setEncoding("utf8");
  let text = "";
  for await (const part of stream) {
    text += part;
    if (text.split("\n\n").length > 3) break;
  }
  console.log(text);
}

await (steps.length ? converse() : read());
session.close();
