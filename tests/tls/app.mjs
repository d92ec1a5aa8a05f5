// An app that calls an HTTPS server by Node's own clients; what it does is in app.py.
import fs from "node:fs";
import http from "node:http";
import https from "node:https";

const charge = JSON.stringify({ amount: "19.90" });
const headers = { "content-type": "application/json" };

async function byFetch(url) {
  const item = await (await fetch(`${url}/item`)).text();
  return [item, await (await fetch(`${url}/charges`, { method: "POST", headers, body: charge })).text()];
}

function call(url, options, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, options, async (response) => {
      let text = "";
      for await (const part of response.setEncoding("utf8")) text += part;
      resolve(text);
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function byHttps(url) {
  const agent = new https.Agent({ keepAlive: true });
  const item = await call(`${url}/item`, { agent });
  const paid = await call(`${url}/charges`, { agent, method: "POST", headers }, charge);
  agent.destroy();
  return [item, paid];
}

const clients = { fetch: byFetch, https: byHttps };

const pem = process.env.APP_CERTIFICATE && fs.readFileSync(process.env.APP_CERTIFICATE);
const server = pem ? (answer) => https.createServer({ key: pem, cert: pem }, answer) : http.createServer;

server(async (request, response) => {
    const [, client, kind] = request.url.split("/");
    if (client === "self") return response.end(`${kind}\n${request.socket.getProtocol()}\n${request.socket.servername}`);
    const said = await clients[client](process.env[`${kind.toUpperCase()}_URL`]).catch((error) => [
      `failed: ${error.cause?.code ?? error.code}`,
    ]);
    response.end(said.join("\n"));
  }).listen(Number(process.argv[2]), "127.0.0.1");
