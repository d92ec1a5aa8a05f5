"""Asks one dependency that is encrypted and answers with what it said."""

import http.server
import os
import socket
import ssl

# Without certificates: nobody is to be trusted here, only to be unreadable.
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.set_ciphers("aNULL:@SECLEVEL=0")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        try:
            with socket.create_connection(("127.0.0.1", int(os.environ["SERVICE"]))) as plain:
                with context.wrap_socket(plain) as stream:
                    stream.sendall(b"hello\n")
                    status, body = 200, stream.recv(100)
        except OSError:
            status, body = 503, b"no service"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
