"""An app that calls the service of the suite: `app.py PORT`. GET /CASE answers what the case saw, by Python's own client or, if
the case is named so, by grpcurl.

The service is at the environment's UPSTREAM.
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import client
import grpc
import grpcurl


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            case = self.path.strip("/")
            text = (grpcurl if case in grpcurl.CASES else client).run(os.environ["UPSTREAM"], case).encode()
        except grpc.RpcError as error:
            text = f"failed: {error.code().name} {error.details()}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
