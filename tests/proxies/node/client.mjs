// Calls a server by the fetch that Node has, with undici's agent for proxies: GET of the first URL, then POST of
// a text to the second.
import { EnvHttpProxyAgent, setGlobalDispatcher, fetch } from "undici";

setGlobalDispatcher(new EnvHttpProxyAgent());
const [, , item, charges, body] = process.argv;
const headers = { "content-type": "application/json" };
for (const [url, options] of [[item, {}], [charges, { method: "POST", headers, body }]]) {
  const answer = await fetch(url, options).catch((error) => {
    console.log(error.cause?.code ?? error.cause?.message);
    process.exit(1);
  });
  console.log(await answer.text());
}
