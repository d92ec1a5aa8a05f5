// The shop for Node, on the socket of its first argument. STOCK is the socket of the service that it calls; BUG: the
// wrong article is asked for.
import fs from "node:fs";
import http from "node:http";

const path = process.argv[2];
const server = http.createServer((request, response) => {
  const article = request.url.split("/").pop();
  if (article === "none") {
    response.writeHead(404).end("no such article");
    return;
  }
  const asked = { socketPath: process.env.STOCK, path: `/stock/${process.env.BUG ? "lamp" : article}` };
  http.get(asked, (answer) => answer.pipe(response)).on("error", (error) => response.writeHead(502).end(String(error)));
});
fs.rmSync(path, { force: true });
server.listen({ path, readableAll: true, writableAll: true }, () => console.log(server.address()));
