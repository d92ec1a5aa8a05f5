"""Makes the certificates of the suite: an authority that the apps trust, one that nobody trusts, and servers of both.

    certificates.py FOLDER

Writes ca.pem, and NAME.pem (certificate and key) for each kind of server; crl.pem has who is revoked.
"""

import datetime
import ipaddress
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def pem(certificate, key=None):
    text = certificate.public_bytes(serialization.Encoding.PEM)
    if key:
        plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        text += key.private_bytes(*plain)
    return text


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def make(subject, issuer, until, extensions, since=NOW - 30 * DAY, key=None):
    """A certificate and its key. `issuer` is such a pair; none for a certificate that signs itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer, by = (key, name(subject)) if issuer is None else (issuer[1], issuer[0].subject)
    builder = (
        x509.CertificateBuilder().subject_name(name(subject)).issuer_name(by).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(since).not_valid_after(until)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256()), key


def authority(subject, issuer=None):
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
    )
    usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage)
    return make(subject, issuer, NOW + 30 * DAY, [(x509.BasicConstraints(True, None), True), (usage, True)])


def server(issuer, until=NOW + 20 * DAY, own=False, use=x509.oid.ExtendedKeyUsageOID.SERVER_AUTH, **more):
    names = [x509.DNSName("elsewhere.example")]
    if own:
        names = [x509.DNSName("localhost"), x509.DNSName("payments.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    extensions = [(x509.SubjectAlternativeName(names), False), (x509.BasicConstraints(False, None), True)]
    usage = x509.ExtendedKeyUsage([use])
    return make("server", issuer, until, [*extensions, (usage, False)], **more)


def revocations(issuer, certificate):
    """A list with that certificate alone."""
    entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(NOW - DAY).build()
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer[0].subject).last_update(NOW - DAY).next_update(NOW + 20 * DAY)
    return builder.add_revoked_certificate(entry).sign(issuer[1], hashes.SHA256())


def main(folder):
    trusted, unknown = authority("The suite's authority"), authority("Another authority")
    (folder / "ca.pem").write_bytes(pem(trusted[0]))
    servers = {
        "valid": server(trusted, own=True),
        "expired": server(trusted, NOW - DAY, own=True),
        "misnamed": server(trusted),
        "untrusted": server(unknown, own=True),
        "mutual": server(trusted, own=True),
        "early": server(trusted, own=True, since=NOW + 5 * DAY),
        "selfsigned": server(None, own=True),
        "chainless": server(authority("An authority between", trusted), own=True),
        "weak": server(trusted, own=True, key=rsa.generate_private_key(65537, 1024)),
        "revoked": server(trusted, own=True),
        "stranger": server(unknown, use=x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH),
        "client": server(trusted, use=x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH),
    }
    for kind, pair in servers.items():
        (folder / f"{kind}.pem").write_bytes(pem(*pair))
    (folder / "crl.pem").write_bytes(revocations(trusted, servers["revoked"][0]).public_bytes(serialization.Encoding.PEM))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
