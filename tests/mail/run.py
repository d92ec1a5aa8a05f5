#!/usr/bin/env python3
"""Records an app that talks with mail servers which turn to TLS, and replays it with none of them there.

    run.py [--repeat N] [--cache FOLDER] [--keep] [CASE ...]

Each client speaks SMTP, IMAP or POP3, has the connection turned to TLS, and logs in. What is said inside must be in the
recording, and the password in no file, however it is written; a mail to somebody else must be red. A server that refuses
TLS is talked with in the clear, and a client that pins the certificate is passed on unread. HOME is a temporary folder.

The environment's REHEARSAL is the program's path (`rehearsal` if unset). Clients are installed into the
cache folder. Exit code 0 when all passed, 1 when one failed.
"""

import base64
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "databases"))

from stand import Failed, Server, ask, free_port, install_once, install_python, listens, main, run_tool  # noqa: E402

PACKAGES = ["cryptography==46.*"]
CLIENTS = {
    "smtplib": ["smtplib", "smtplib-login"],
    "curl-smtp": ["curl-smtp"],
    "go": ["go"],
    "imaplib": ["imaplib", "imaplib-plain"],
    "curl-imap": ["curl-imap"],
    "poplib": ["poplib"],
    "curl-pop3": ["curl-pop3"],
}
PASSWORD = "Very-Secret-Of-The-Clerk-71"
TOLD = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
UNTOLD = ["SSL_CERT_DIR", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"]
PARTS = [PASSWORD, f"\0clerk\0{PASSWORD}", f"clerk\0clerk\0{PASSWORD}"]


class Mail(Server):
    secrets = [PASSWORD, *[base64.b64encode(part.encode()).decode() for part in PARTS]]

    def __init__(self, folder):
        super().__init__(folder)
        self.ports = [self.port, free_port(), free_port(), free_port()]
        home = folder / "home"
        home.mkdir()
        for name in UNTOLD:
            self.env.pop(name, None)
        self.env |= {name: str(folder / "ca.pem") for name in TOLD}
        self.env |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "MAIL_PASSWORD": PASSWORD, "PINNED": str(folder / "ca.pem")}

    def command(self):
        return ["env", f"MAIL_PASSWORD={PASSWORD}", sys.executable, HERE / "upstream.py", self.folder, *self.ports]

    def ready(self):
        return all(map(listens, self.ports))


def hidden(stand):
    """Raises if the password is in any file that Rehearsal wrote."""
    files = [file for file in (stand.folder / "rehearsal").rglob("*") if file.is_file()]
    for file in files:
        content = file.read_bytes()
        if any(secret.encode() in content for secret in stand.server.secrets):
            raise Failed(f"a password is in {file}")
    return f"no password in {len(files)} files"


def works(stand, app, name, clients):
    said = stand.app(name, app, [("GET", f"/{client}", None, 200, "letter of ann") for client in clients])
    manifest = (stand.folder / "rehearsal" / name / "recording.yaml").read_text("utf-8")
    if "    protocol: opaque\n    starttls: valid\n" not in manifest:
        raise Failed(f"recording.yaml does not say that it turned to TLS:\n{manifest}")
    files = "\n".join(file.read_text("utf-8") for file in stand.files(name))
    if missing := [words for words in ("starttls: true", "letter of ann", "secret-") if words not in files]:
        raise Failed(f"no file has {missing}")
    return f"{said}, {hidden(stand)}"


def refused(stand, app):
    """A server that grants no TLS is recorded and replayed in the clear."""
    said = stand.app("refused", app, [("GET", "/refused", None, 200, "letter of ann")])
    files = "\n".join(file.read_text("utf-8") for file in stand.files("refused"))
    if "454" not in files or "starttls:" in files:
        raise Failed("no file has the refusal, or one says that TLS was there")
    return f"{said}, {hidden(stand)}"


def pinned(stand, app):
    """A client that trusts one authority alone fails once, and is passed on unread from then on."""
    port = free_port()
    command = [str(word).replace("{port}", str(port)) for word in app]
    stand.server.start()
    try:
        with stand.recording("pinned", command, port):
            ask(port, "GET", "/pinned", None, 500, "certificate")
            ask(port, "GET", "/pinned", None, 200, "letter of ann")
    finally:
        stand.server.stop()
    log = (stand.folder / "record-pinned.log").read_text("utf-8", "replace")
    if "did not accept the certificate" not in log or "encrypted (TLS)" not in log:
        raise Failed(f"record does not say what is not read:\n{log[-2000:]}")
    return f"failed once, then unread, {hidden(stand)}"


def cases(stand, tools):
    app = [tools, HERE / "app.py", "{port}", stand.cache, *stand.server.ports]
    for name, clients in CLIENTS.items():
        yield name, lambda name=name, clients=clients: works(stand, app, name, clients)
    for name, tests in (("smtplib", [1, 2]), ("curl-smtp", [1]), ("go", [1])):
        yield f"{name} recipient", lambda name=name, tests=tests: stand.defect(name, "recipient", tests, ["thief@example.org"])
    yield "refused", lambda: refused(stand, app)
    yield "pinned", lambda: pinned(stand, app)
    yield "isolation", lambda: stand.isolated("smtplib", "connection received")
    yield "secrets", lambda: hidden(stand)


def install(cache):
    sources = [(HERE / name).read_text("utf-8") for name in ("go/main.go", "go/go.mod")]
    install_once(cache, PACKAGES + sources, [("go", "golang"), ("curl", "curl")], fill)
    return str(cache / "python" / "bin" / "python")


def fill(cache):
    install_python(cache / "python", PACKAGES)
    run_tool(["go", "build", "-o", cache / "client-go", "."], HERE / "go")


def server(cache):
    """What makes the servers, once their certificates are there."""
    def make(folder):
        made = Mail(folder)
        run_tool([cache / "python" / "bin" / "python", HERE.parent / "tls" / "certificates.py", folder], folder)
        return made
    return make


if __name__ == "__main__":
    store = {}

    def installed(cache):
        store["cache"] = cache
        return install(cache)

    sys.exit(main("mail", __doc__.split("\n\n")[0], lambda folder: server(store["cache"])(folder), installed, cases))
