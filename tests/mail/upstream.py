"""The mail servers of the suite.

    upstream.py FOLDER SMTP_PORT IMAP_PORT POP3_PORT REFUSING_SMTP_PORT

They know one user, `clerk` with the password in MAIL_PASSWORD, and let nobody log in before TLS; the last one has none and
lets people in all the same. The certificate is FOLDER/valid.pem. Each connection
on which something is said is written to standard error.
"""

import base64
import contextlib
import os
import re
import socket
import socketserver
import ssl
import sys
import threading
from pathlib import Path

PASSWORD = os.environ["MAIL_PASSWORD"]
CONTEXT = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
LETTER = b"Subject: hello\r\n\r\nletter of ann\r\n"


class Talk(socketserver.BaseRequestHandler):
    """Lines both ways."""

    def setup(self):
        self.lines, self.secure = self.request.makefile("rb"), False

    def handle(self):
        try:
            self.greet()
            heard = False
            while line := self.lines.readline():
                if not heard:
                    # Whoever only looks whether somebody listens says nothing.
                    print("connection received", file=sys.stderr, flush=True)
                heard = True
                if self.answer(line.rstrip(b"\r\n").decode()) == "over":
                    return
        except OSError as why:
            print("it broke off:", why, file=sys.stderr, flush=True)

    def say(self, *lines):
        self.request.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def turn(self):
        """Goes on within TLS; what came before that in the clear is forgotten."""
        self.request = CONTEXT.wrap_socket(self.request, server_side=True)
        self.lines, self.secure = self.request.makefile("rb"), True

    def finish(self):
        """Ends in order, after the client: a reset could take the last answer with it."""
        with contextlib.suppress(OSError):
            if self.secure:
                self.request = self.request.unwrap()
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_WR)
            while self.request.recv(4096):
                pass
        self.request.close()

    def proves(self, proof):
        return base64.b64decode(proof).split(b"\0")[1:] == [b"clerk", PASSWORD.encode()]

    def hears(self, prompt):
        self.say(prompt)
        return self.lines.readline().rstrip(b"\r\n").decode()


class Smtp(Talk):
    grants = True

    def greet(self):
        self.known, self.to = False, ""
        self.say("220-mail.example", "220 ready")

    def answer(self, line):
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO":
                offers = ["250-AUTH PLAIN LOGIN"] if self.secure or not self.grants else []
                self.say("250-mail.example", *(["250-STARTTLS"] if not self.secure else []), *offers, "250 8BITMIME")
            case "STARTTLS" if self.grants and not self.secure:
                self.say("220 go ahead")
                self.turn()
            case "STARTTLS":
                self.say("454 not available")
            case "AUTH" if self.secure or not self.grants:
                self.known = self.let_in(rest.split(" "))
                self.say("235 welcome" if self.known else "535 no")
            case "MAIL" if self.known:
                self.say("250 well")
            case "RCPT" if self.known:
                self.to = rest
                self.say("250 well")
            case "DATA" if self.known:
                self.say("354 go on")
                text = b""
                while (line := self.lines.readline()) != b".\r\n":
                    text += line
                self.say(f"250 taken, letter of {'ann' if b'ann' in text else 'nobody'} {self.to}")
            case "QUIT":
                self.say("221 bye")
                return "over"
            case "NOOP" | "RSET":
                self.say("250 well")
            case _:
                self.say("530 not now")

    def let_in(self, words):
        if words[0] == "PLAIN":
            return self.proves(words[1] if len(words) > 1 else self.hears("334 "))
        name = words[1] if len(words) > 1 else self.hears("334 VXNlcm5hbWU6")
        word = self.hears("334 UGFzc3dvcmQ6")
        return self.proves(base64.b64encode(b"\0" + base64.b64decode(name) + b"\0" + base64.b64decode(word)))


class Refusing(Smtp):
    grants = False


class Imap(Talk):
    def greet(self):
        self.known = False
        self.say("* OK ready")

    def answer(self, line):
        tag, verb, *words = line.split(" ")
        match verb.upper():
            case "CAPABILITY":
                self.say(f"* CAPABILITY IMAP4rev1 {'AUTH=PLAIN' if self.secure else 'STARTTLS LOGINDISABLED'}", f"{tag} OK done")
            case "STARTTLS" if not self.secure:
                self.say(f"{tag} OK begin")
                self.turn()
            case "LOGIN" if self.secure:
                self.known = [word.strip('"') for word in words] == ["clerk", PASSWORD]
                self.say(f"{tag} {'OK welcome' if self.known else 'NO'}")
            case "AUTHENTICATE" if self.secure:
                self.known = self.proves(words[1] if len(words) > 1 else self.hears("+ "))
                self.say(f"{tag} {'OK welcome' if self.known else 'NO'}")
            case "SELECT" if self.known:
                self.say("* 1 EXISTS", "* OK [UIDVALIDITY 1] well", f"{tag} OK [READ-WRITE] done")
            case "FETCH" | "UID" if self.known:
                number = words[0] if verb.upper() == "FETCH" else words[1]
                part = re.search(r"\((.*?)\)|(\S+)$", line)
                self.request.sendall(f"* {number} FETCH ({(part[1] or part[2]).replace('.PEEK', '')} {{{len(LETTER)}}}\r\n".encode() + LETTER + b")\r\n")
                self.say(f"{tag} OK done")
            case "LOGOUT":
                self.say("* BYE", f"{tag} OK done")
                return "over"
            case _:
                self.say(f"{tag} NO not now")


class Pop3(Talk):
    def greet(self):
        self.known, self.name = False, ""
        self.say("+OK ready")

    def answer(self, line):
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "CAPA":
                self.say("+OK", "USER" if self.secure else "STLS", "TOP", ".")
            case "STLS" if not self.secure:
                self.say("+OK begin")
                self.turn()
            case "USER" if self.secure:
                self.name = rest
                self.say("+OK")
            case "PASS" if self.secure:
                self.known = (self.name, rest) == ("clerk", PASSWORD)
                self.say("+OK welcome" if self.known else "-ERR no")
            case "RETR" if self.known:
                self.say("+OK", *LETTER.decode().splitlines(), ".")
            case "QUIT":
                self.say("+OK bye")
                return "over"
            case _:
                self.say("-ERR not now")


class Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request, client_address):
        print("it broke off:", sys.exc_info()[1], file=sys.stderr, flush=True)


def main():
    folder, *ports = sys.argv[1:]
    CONTEXT.load_cert_chain(Path(folder) / "valid.pem")
    for talk, port in zip([Smtp, Imap, Pop3, Refusing], map(int, ports)):
        threading.Thread(target=Threads(("127.0.0.1", port), talk).serve_forever, daemon=True).start()
    threading.Event().wait()


main()
