// Breaks off every call as soon as it begins: `reset.mjs CODE PORT...`, with CODE as Node names it after NGHTTP2_.
import http2 from "node:http2";

const [code, ...ports] = process.argv.slice(2);
for (const port of ports) {
  const server = http2.createServer();
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.close(http2.constants[`NGHTTP2_${code}`]);
  });
  server.listen(Number(port), "127.0.0.1");
}
