"""Sends what is posted to `/<person>` as a mail."""

import http.server
import os
import smtplib


def mail(person, text):
    if os.environ.get("BUG"):
        text = text.replace("19.90", "91.90")
    with smtplib.SMTP("127.0.0.1", int(os.environ["MAIL_PORT"]), local_hostname="app") as server:
        server.sendmail("shop@shop.test", [person + "@shop.test"], text)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            mail(self.path[1:], text)
            status, said = 200, "sent"
        except smtplib.SMTPException as error:
            status, said = 422, type(error).__name__
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
