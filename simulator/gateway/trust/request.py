"""The request for the certificate that the Edge shows outside: a new key, and what an authority shall sign.

Knows which names an Edge needs and how a request is written. Does not know authorities, nor what becomes of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulator.document import read_document
from simulator.gateway.settings import normalized
from simulator.gateway.trust.fitness import LEAST_RSA_BITS
from simulator.gateway.trust.identities import SERVICE, SRV_NAME, reference

# X.520: ub-common-name
_LONGEST_COMMON_NAME = 64
_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=True,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


class RequestError(Exception):
    """No request can be made of this; the text says why, and what to do."""


@dataclass(frozen=True)
class CertificateRequest:
    """A request and its private key, in PEM, and the names that it asks for."""

    request: bytes
    key: bytes
    names: tuple[str, ...]
    """DNS names, in A-labels; the first is the subject, too."""


def domains_in(file: Path) -> tuple[str, ...]:
    """The gateway's own domains in a configuration file, whatever else it still lacks; raises DocumentError.

    Whoever has no certificate yet may have a configuration that does not start without one.
    """
    document = read_document(file)

    if not isinstance(document.data, dict) or "domains" not in document.data:
        raise document.error((), "the gateway's own domains are missing", "domains: [contoso.com]")

    domains = document.convert(list[str], ("domains",))

    for index, domain in enumerate(domains):
        if reference(domain) is None:
            raise document.error(("domains", index), f"{domain!r} is no name that a certificate can have")

    return tuple(domains)


def names_for(domains: Iterable[str], *, web_conferences: bool = False) -> tuple[str, ...]:
    """The names of the Edge's external certificate, the subject first; raises RequestError.

    Lync: the subject is ``sip.`` before the first SIP domain, and is repeated among the names; every SIP domain has its
    ``sip.`` name, and every domain that federates over XMPP has its own: a wildcard would not do, neither for Lync
    nor for RFC 6125 §6.4.3.
    """
    found = [_name(domain) for domain in dict.fromkeys(map(normalized, domains))]

    if not found:
        raise RequestError("a certificate needs at least one domain")

    conferences = [f"webcon.{found[0]}"] if web_conferences else []

    return tuple(dict.fromkeys([*(f"sip.{name}" for name in found), *conferences, *found]))


def _name(domain: str) -> str:
    name = reference(domain)

    if name is None:
        raise RequestError(f"{domain!r} is no name that a certificate can have; write a domain such as contoso.com")

    return name


def make_request(
    domains: Iterable[str],
    *,
    key_size: int = LEAST_RSA_BITS,
    web_conferences: bool = False,
    service_names: bool = False,
) -> CertificateRequest:
    """A request for these domains with a new RSA key of `key_size` bits; raises RequestError.

    With `service_names` it asks for SRV-IDs, too. RFC 6120 §13.7.1.2.1 has providers do so (SHOULD); public authorities
    refuse such requests, so it is a choice.
    """
    domains = tuple(domains)
    names = names_for(domains, web_conferences=web_conferences)

    if key_size < LEAST_RSA_BITS:
        # RFC 9325 §4.5
        raise RequestError(f"a key of {key_size} bits is too weak: {LEAST_RSA_BITS} are the least")

    if len(names[0]) > _LONGEST_COMMON_NAME:
        raise RequestError(f"{names[0]} is longer than {_LONGEST_COMMON_NAME} characters, and cannot be a subject")

    general: list[x509.GeneralName] = [x509.DNSName(name) for name in names]

    if service_names:
        general += [_service(name) for name in dict.fromkeys(map(_name, domains))]

    key = rsa.generate_private_key(public_exponent=65537, key_size=key_size)
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
        .add_extension(x509.SubjectAlternativeName(general), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        # The gateway is a TLS client as often as a TLS server.
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    # "Mark the private key as exportable": every Edge of a pool is given the same one.
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    return CertificateRequest(request.public_bytes(Encoding.PEM), pem, names)


def _service(domain: str) -> x509.OtherName:
    text = f"{SERVICE}.{domain}".encode("ascii")

    # An IA5String (RFC 4985 §2) whose length takes one octet. No domain of a request is longer: its subject has 64.
    if len(text) >= 0x80:
        raise RequestError(f"{domain} is too long for the name of a service")

    return x509.OtherName(SRV_NAME, bytes([0x16, len(text)]) + text)


def write_request(made: CertificateRequest, folder: Path) -> tuple[Path, Path]:
    """Write request and key to a folder, which is made if need be, and return their paths.

    The key's file has mode 0600. Nothing is overwritten: a key may be all that is left of a certificate in use. Raises
    RequestError.
    """
    request, key = folder / f"{made.names[0]}.csr", folder / f"{made.names[0]}.key"

    try:
        folder.mkdir(parents=True, exist_ok=True)

        for path in (request, key):
            if path.exists():
                raise FileExistsError(None, "exists already", str(path))

        _write(key, made.key, 0o600)
        _write(request, made.request, 0o644)
    except FileExistsError as error:
        raise RequestError(f"{error.filename}: exists already; name another --output DIR, or move it away") from None
    except OSError as error:
        raise RequestError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None

    return request, key


def _write(path: Path, content: bytes, mode: int) -> None:
    # The mode is given when the file is made: there is no moment at which somebody else could open a key.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
