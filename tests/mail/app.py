"""An app that sends and fetches mail, by whichever client it is asked for.

    app.py PORT CACHE SMTP_PORT IMAP_PORT POP3_PORT REFUSING_SMTP_PORT

`GET /CLIENT` has its connection turned to TLS, logs in as `clerk` with MAIL_PASSWORD, and sends a mail or fetches one. The
answer is what the server said, or status 500 and what failed. With BUG=recipient the mail goes to somebody else.
"""

import imaplib
import os
import poplib
import random
import smtplib
import ssl
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

PORT, CACHE = int(sys.argv[1]), Path(sys.argv[2])
SMTP, IMAP, POP3, REFUSING = map(int, sys.argv[3:7])
PASSWORD = os.environ["MAIL_PASSWORD"]
TO = "thief@example.org" if os.environ.get("BUG") == "recipient" else "bob@example.org"
# What looks like commands within a mail is none.
LETTER = "Subject: hello\r\n\r\nletter of ann\r\nSTARTTLS\r\nAUTH PLAIN is a way to log in\r\n"


def send(port, context=None, method=None, tls=True):
    with smtplib.SMTP("127.0.0.1", port, "shop.example", timeout=60) as client:
        try:
            client.starttls(context=context or ssl.create_default_context())
        except smtplib.SMTPResponseException:
            if tls:
                raise
        if method:
            client.ehlo_or_helo_if_needed()
            client.user, client.password = "clerk", PASSWORD
            client.auth("LOGIN", client.auth_login, initial_response_ok=False)
        else:
            client.login("clerk", PASSWORD)
        client.mail("shop@example.org")
        client.rcpt(TO)
        return client.data(LETTER)[1].decode()


def by_imaplib(plain=False):
    # Its tags are chance's, and bytes are compared as they are.
    random.seed(7)
    with imaplib.IMAP4("127.0.0.1", IMAP, timeout=60) as client:
        client.starttls(ssl.create_default_context())
        if plain:
            client.authenticate("PLAIN", lambda _: f"\0clerk\0{PASSWORD}".encode())
        else:
            client.login("clerk", PASSWORD)
        client.select("INBOX")
        return client.fetch("1", "(RFC822)")[1][0][1].decode()


def by_poplib():
    client = poplib.POP3("127.0.0.1", POP3, timeout=60)
    client.stls(ssl.create_default_context())
    client.user("clerk")
    client.pass_(PASSWORD)
    lines = client.retr(1)[1]
    client.quit()
    return b"\n".join(lines).decode()


def run(*words, said=""):
    done = subprocess.run([*map(str, words)], input=said, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(words[0]).name} {done.returncode} {done.stdout.strip()} {done.stderr.strip()}")
    return done.stdout + done.stderr


def by_curl(url, *words, said=""):
    return run("curl", "-sS", "-v", "--ssl-reqd", "--user", f"clerk:{PASSWORD}", *words, url, said=said)


CLIENTS = {
    "smtplib": lambda: send(SMTP),
    "smtplib-login": lambda: send(SMTP, method="LOGIN"),
    "refused": lambda: send(REFUSING, tls=False),
    "pinned": lambda: send(SMTP, ssl.create_default_context(cafile=os.environ["PINNED"])),
    "imaplib": by_imaplib,
    "imaplib-plain": lambda: by_imaplib(plain=True),
    "poplib": by_poplib,
    "curl-smtp": lambda: by_curl(f"smtp://127.0.0.1:{SMTP}/shop.example", "--mail-from", "shop@example.org", "--mail-rcpt", TO, "-T", "-", said=LETTER),
    "curl-imap": lambda: by_curl(f"imap://127.0.0.1:{IMAP}/INBOX;MAILINDEX=1"),
    "curl-pop3": lambda: by_curl(f"pop3://127.0.0.1:{POP3}/1"),
    "go": lambda: run(CACHE / "client-go", SMTP, TO, said=LETTER),
}


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            said = CLIENTS[self.path[1:]]()
            status, text = (200, "letter of ann") if "letter of ann" in said else (500, said)
        except Exception as why:
            status, text = 500, f"failed: {why}"
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


HTTPServer(("127.0.0.1", PORT), App).serve_forever()
