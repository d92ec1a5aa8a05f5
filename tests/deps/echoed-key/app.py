"""Shows its key to a dependency, and answers with the key as the dependency and itself know it."""

import http.server
import json
import os
import urllib.error
import urllib.request


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        key = os.environ["KEY"]
        path = self.path.replace("/one", "/other") if os.environ.get("BUG") else self.path
        url = os.environ["SERVICE_URL"] + path
        request = urllib.request.Request(url, headers={"X-Api-Key": key})
        try:
            with urllib.request.urlopen(request) as found:
                theirs = json.load(found)
        except urllib.error.HTTPError as error:
            theirs = error.code
        request = urllib.request.Request(os.environ["SERVICE_URL"] + "/as/" + key)
        urllib.request.urlopen(request).close()
        body = json.dumps({"theirs": theirs, "mine": key}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
