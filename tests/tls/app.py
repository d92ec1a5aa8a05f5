"""An app that calls an HTTPS server by the clients of Python, and by curl.

    app.py PORT

It listens over TLS when APP_CERTIFICATE names a file with a certificate and its key: of the version APP_TLS
alone, if that is set, and for clients of the authority APP_CLIENTS alone, if that is. With APP_SIGNALS it is
interrupted all the time.

`GET /CLIENT/KIND` calls the server with that kind of certificate, whose URL is in KIND_URL: first GET,
then POST. The answer is what the server said, or `failed:` with the kind of the failure.
"""

import concurrent.futures
import contextlib
import ctypes
import hashlib
import http.client
import json
import os
import platform
import re
import shutil
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHARGE = json.dumps({"amount": "19.90"}).encode()
JSON = {"content-type": "application/json"}


def why(error):
    """The kind of a failure, from the causes of an exception."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"failed: {error.verify_message}"
        inner = getattr(error, "reason", None) or next(iter(getattr(error, "args", [])), None)
        error = error.__cause__ or error.__context__ or (inner if isinstance(inner, BaseException) else None)
    return None


def by_urllib(url):
    calls = [urllib.request.Request(f"{url}/item"), urllib.request.Request(f"{url}/charges", CHARGE, JSON)]
    return [urllib.request.urlopen(call, timeout=20).read().decode() for call in calls]


def by_requests(url):
    import requests

    with requests.Session() as session:
        return [session.get(f"{url}/item").text, session.post(f"{url}/charges", CHARGE, headers=JSON).text]


def by_httpx(url):
    import httpx

    with httpx.Client() as client:
        return [client.get(f"{url}/item").text, client.post(f"{url}/charges", content=CHARGE, headers=JSON).text]


def by_large(url):
    return [str(len(urllib.request.urlopen(f"{url}/large", timeout=20).read()))]


def curl(*words):
    done = subprocess.run(["curl", "-sS", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"failed: curl {done.returncode}")
    return done.stdout


def by_curl(url):
    return [curl(f"{url}/item"), curl("-H", "content-type: application/json", "-d", CHARGE.decode(), f"{url}/charges")]


def by_openssl(url):
    """OpenSSL's own client, which trusts nobody unless it is told whom, and says at the end whether it does."""
    host, port = url.removeprefix("https://").split(":")
    name = ["-verify_ip", host, "-noservername"] if host[0].isdigit() else ["-verify_hostname", host]
    words = ["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", os.environ["SSL_CERT_FILE"], *name, "-connect", f"{host}:{port}"]
    asked = f"GET /item HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\n\r\n"
    done = subprocess.run(words, input=asked, capture_output=True, text=True, check=False, timeout=60)
    # That the server has ended the connection is an error to it, too.
    if (why := re.findall(r"verify error:num=(\d+)", done.stderr)) or not done.stdout:
        raise RuntimeError(f"failed: openssl {why[:1]}")
    return [done.stdout.partition("\r\n\r\n")[2]]


def by_rustls(url):
    """A program of Rust."""
    done = subprocess.run([os.environ["SUITE_RUST"], "tls", f"{url}/item"], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0 or done.stdout.startswith("failed: "):
        raise RuntimeError(done.stdout or "failed: it ended")
    return [done.stdout.partition("\r\n\r\n")[2]]


def by_careless_curl(url):
    return [curl("--insecure", f"{url}/item")]


def tries(once):
    """Tries again when the server's certificate was not the one wanted, as an app does that pins it."""
    for left in (2, 1, 0):
        try:
            return once()
        except (ssl.SSLError, ConnectionError, http.client.HTTPException, urllib.error.URLError):
            if not left:
                raise


def by_own_roots(url):
    """Brings its own roots, and reads no variable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(os.environ["SUITE_CA"])
    return tries(lambda: [urllib.request.urlopen(f"{url}/item", timeout=20, context=context).read().decode()])


def by_pinning(url):
    """Looks at the certificate itself once the handshake is done."""
    host, port = url.removeprefix("https://").split(":")
    with open(os.environ["SUITE_SERVER"], encoding="ascii") as file:
        wanted = hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read().partition("-----BEGIN PRIVATE")[0])).digest()

    def once():
        connection = http.client.HTTPSConnection(host, int(port), timeout=20)
        with contextlib.closing(connection):
            connection.connect()
            if hashlib.sha256(connection.sock.getpeercert(True)).digest() != wanted:
                raise ssl.SSLError("another certificate than the one that is pinned")
            connection.request("GET", "/item")
            return [connection.getresponse().read().decode()]

    return tries(once)


def by_mutual(url):
    """Has a certificate of its own."""
    context = ssl.create_default_context()
    context.load_cert_chain(os.environ["SUITE_CLIENT"])
    return [urllib.request.urlopen(f"{url}/item", timeout=20, context=context).read().decode()]


def by_nameless(url):
    """Has no certificate, which the server wants. It is told so after the handshake, or by the end of the connection."""
    return by_strange_mutual(url, None)


def by_strange_mutual(url, certificate=os.environ.get("SUITE_STRANGER")):
    """Has a certificate that the server does not want."""
    context = ssl.create_default_context()
    if certificate:
        context.load_cert_chain(certificate)
    try:
        return [urllib.request.urlopen(f"{url}/item", timeout=20, context=context).read().decode()]
    except (OSError, http.client.HTTPException):
        raise RuntimeError("failed: refused") from None


def by_revocation(url):
    """Looks whether the certificate was revoked."""
    context = ssl.create_default_context()
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    context.load_verify_locations(os.environ["SUITE_REVOKED"])
    return tries(lambda: [urllib.request.urlopen(f"{url}/item", timeout=20, context=context).read().decode()])


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"failed: {os.path.basename(words[0])} {done.returncode} {done.stderr[-500:]}")
    return done.stdout


def by_wget(url):
    """GnuTLS's wget, which reads no variable."""
    return [run("wget", "-qO-", "--tries=1", f"{url}/item")]


def by_bare_java(url):
    """Java without any option."""
    return [run("env", "-i", shutil.which("java"), "-XX:TieredStopAtLevel=1", "-cp", os.environ["SUITE_JAVA"], "Once", f"{url}/item")]


def by_bare_curl(url):
    """curl without any variable."""
    return [run("env", "-i", shutil.which("curl"), "-sS", f"{url}/item")]


def by_files(_):
    """Opens the system's roots in every way, from many threads, which signals interrupt: reading shows more than is there."""
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    with open(os.environ["GIT_SSL_CAINFO"], "rb") as file:
        wanted = file.read()
    folder = tempfile.mkdtemp()
    os.symlink(bundle, f"{folder}/link")
    at = os.open("/etc/ssl", os.O_RDONLY | os.O_DIRECTORY)
    how = struct.pack("QQQ", os.O_RDONLY | os.O_CLOEXEC, 0, 0)
    call = ctypes.CDLL(None, use_errno=True).syscall
    ways = [
        lambda: os.open(bundle, os.O_RDONLY),
        lambda: os.open(f"{folder}/link", os.O_RDONLY | os.O_CLOEXEC),
        lambda: os.open("certs/../certs/ca-certificates.crt", os.O_RDONLY, dir_fd=at),
        lambda: call(437, -100, bundle.encode(), how, len(how)),
    ]
    if platform.machine() == "x86_64":
        ways.append(lambda: call(2, bundle.encode(), os.O_RDONLY))

    def same(way):
        with open(way(), "rb") as file:
            return file.read() == wanted

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        shown = [sum(pool.map(same, [way] * 40)) for way in ways]
    opened = os.open(bundle, os.O_RDWR) if os.access(bundle, os.W_OK) else os.open(bundle, os.O_PATH)
    real = os.fstat(opened).st_ino == os.stat(bundle).st_ino
    own = open(__file__, "rb").read().startswith(b'"""An app')
    os.close(opened)
    os.close(at)
    shutil.rmtree(folder)
    return [f"shown {shown} times 40, others real: {real and own}"]


def by_bug(url):
    """With `BUG=expired_cert_accepted` it goes on with a certificate whose time is over."""
    context = ssl.create_default_context()
    if os.environ.get("BUG") == "expired_cert_accepted":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return [urllib.request.urlopen(f"{url}/item", timeout=20, context=context).read().decode()]


def by_http2_alone(url):
    """Offers HTTP/2 only. That is all that matters here, so it goes on with what the server can speak."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2"])
    connection = http.client.HTTPSConnection(url.removeprefix("https://"), timeout=20, context=context)
    with contextlib.closing(connection):
        connection.request("GET", "/item")
        return [connection.getresponse().read().decode()]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, client, kind = self.path.split("/")
        if client == "self":
            return self.answer([kind, *self.caller()])
        try:
            said = globals()["by_" + client.replace("-", "_")](os.environ[f"{kind.upper()}_URL"])
        except Exception as error:  # noqa: BLE001: whatever it is, the answer says it
            said = [why(error) or str(error)]
        self.answer(said)

    def caller(self):
        """Whom a caller over TLS asked for, and who it is, by the certificate that it has shown."""
        if not isinstance(self.connection, ssl.SSLSocket):
            return []
        shown = self.connection.getpeercert() or {}
        return [self.connection.version(), self.connection.session_name or "", str(dict(name for part in shown.get("subject", ()) for name in part))]

    def answer(self, said):
        body = "\n".join(said).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Secured(ssl.SSLSocket):
    """Remembers the name by which it was asked for."""

    session_name = None


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.sslsocket_class = Secured
    made.sni_callback = lambda line, name, _: setattr(line, "session_name", name)
    made.load_cert_chain(os.environ["APP_CERTIFICATE"])
    if version := os.environ.get("APP_TLS"):
        made.minimum_version = made.maximum_version = ssl.TLSVersion[version]
    if clients := os.environ.get("APP_CLIENTS"):
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(clients)
    return made


class Server(ThreadingHTTPServer):
    daemon_threads = True
    secrets = context() if "APP_CERTIFICATE" in os.environ else None

    def finish_request(self, request, client_address):
        if not self.secrets:
            return super().finish_request(request, client_address)
        request.settimeout(20)
        with self.secrets.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request, client_address):
        print("it broke off:", sys.exc_info()[1], file=sys.stderr, flush=True)


if __name__ == "__main__":
    if os.environ.get("APP_SIGNALS"):
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
