"""Lists of revoked certificates for these tests, and certificates that say where theirs is."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from tests.gateway.trust.minting import DAY, NOW, Extension, Identity, dns, mint, root


def points(*urls: str) -> Extension:
    return x509.CRLDistributionPoints([point(url) for url in urls]), False


def point(url: str) -> x509.DistributionPoint:
    return x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)


def leaf(*urls: str, issuer: Identity | None = None) -> Identity:
    return mint(dns("far.example"), *([points(*urls)] if urls else []), issuer=issuer or root())


def a_list(
    *revoked: Identity,
    issuer: Identity | None = None,
    signer: Identity | None = None,
    extensions: tuple[Extension, ...] = (),
    last: datetime = NOW - DAY,
    following: datetime = NOW + DAY,
) -> x509.CertificateRevocationList:
    issuer = issuer or root()
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(last).next_update(following)

    for identity in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(identity.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(NOW - DAY).build())

    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)

    return builder.sign((signer or issuer).key, hashes.SHA256())


def pem(*lists: x509.CertificateRevocationList) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in lists)


def der(one: x509.CertificateRevocationList) -> bytes:
    return one.public_bytes(Encoding.DER)
