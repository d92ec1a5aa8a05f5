// Breaks off every call as soon as it begins: `reset.mjs PORT...`.
import http2 from "node:http2";

for (const port of process.argv.slice(2)) {
  const server = http2.createServer();
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  });
  server.listen(Number(port), "127.0.0.1");
}
