"""Authorities and certificates for the tests of TLS, good ones and bad ones, and two sessions back to back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulator.wire.tls import TLSError, TLSInfo, TLSSession

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
SERVER_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
CLIENT_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])


@dataclass
class Identity:
    certificate: bytes
    key: bytes


class Authority:
    """A good one, by trustme."""

    def __init__(self) -> None:
        self._ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.pem = self._ca.cert_pem.bytes()

    def issue(self, *names: str) -> Identity:
        leaf = self._ca.issue_cert(*names, key_type=trustme.KeyType.ECDSA)

        return Identity(b"".join(blob.bytes() for blob in leaf.cert_chain_pems), leaf.private_key_pem.bytes())


class Issuer:
    """One that issues whatever it is asked for."""

    def __init__(self, name: str, above: Issuer | None = None, *, ca: bool = True, length: int | None = None) -> None:
        self.name, self.key = name, new_key()
        self.certificate = (above or self).certify(
            name, self.key, x509.BasicConstraints(ca=ca, path_length=length if ca else None)
        )
        self.pem = self.certificate.public_bytes(Encoding.PEM)

    def certify(
        self,
        name: str,
        key: Key,
        *extensions: x509.ExtensionType,
        since: dt.datetime = NOW - DAY,
        until: dt.datetime = NOW + DAY,
    ) -> x509.Certificate:
        """A certificate for `key`; `extensions` are critical where RFC 5280 wants it."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
        )

        for extension in extensions:
            critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage | x509.UnrecognizedExtension)
            builder = builder.add_extension(extension, critical=critical)

        return builder.sign(self.key, hashes.SHA256())

    def issue(
        self,
        name: str,
        *extensions: x509.ExtensionType,
        key: Key | None = None,
        chain: tuple[Issuer, ...] = (),
        since: dt.datetime = NOW - DAY,
        until: dt.datetime = NOW + DAY,
    ) -> Identity:
        """A certificate for a DNS name, with its key, and the certificates of `chain` behind it."""
        key = key or new_key()
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        leaf = self.certify(name, key, names, *extensions, since=since, until=until)
        certificates = [leaf, *(issuer.certificate for issuer in chain)]

        return Identity(b"".join(each.public_bytes(Encoding.PEM) for each in certificates), key_pem(key))


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def shake(client: TLSSession, server: TLSSession) -> tuple[TLSInfo, TLSInfo]:
    """Carry bytes until both are silent, and tell what client and server saw.

    The alert of one that fails still reaches the other; the first error is raised then.
    """
    client.start()
    failed: TLSError | None = None

    while True:
        to_server, to_client = client.outgoing(), server.outgoing()

        if not to_server and not to_client:
            break

        for end, data in ((server, to_server), (client, to_client)):
            try:
                end.receive(data)
            except TLSError as error:
                failed = failed or error

        if failed is not None:
            raise failed

    assert client.info is not None
    assert server.info is not None

    return client.info, server.info
