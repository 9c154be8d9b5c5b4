"""What a TLS handshake showed, as the journal keeps it, and whether the peer's certificate is good for a domain.

Knows certificates as far as a partner looks at them. Does not know what RFC 6120 §13.7 demands beyond that: a partner
is satisfied with an authority that it trusts and a DNS name.
"""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256

from simulator.wire.tls import TLSInfo


def described(info: TLSInfo) -> dict[str, Any]:
    """The data of a `secured` entry, bar who was the TLS client."""
    return {
        "version": info.version,
        "cipher": info.cipher,
        "sni": info.server_name,
        "alpn": info.application or None,
        "certificate": _certificate(info),
        **({"resumed": True} if info.resumed else {}),
        **({"faults": [fault.text for fault in info.faults]} if info.faults else {}),
    }


def is_good_for(info: TLSInfo | None, domain: str) -> bool:
    """Whether the peer showed a certificate of the world's authority with this DNS name, or a wildcard above it."""
    names = info.names if info is not None and info.trusted else frozenset()

    return bool(names & {domain.lower(), f"*.{domain.lower().partition('.')[2]}"})


def _certificate(info: TLSInfo) -> dict[str, Any] | None:
    certificate = info.certificate

    if certificate is None:
        return None

    return {
        "names": sorted(info.names),
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "sha256": certificate.fingerprint(SHA256()).hex(),
        "trusted": info.trusted,
        "authority": _is_authority(certificate),
        "digest": _digest(certificate),
    }


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound):
        return False


def _digest(certificate: x509.Certificate) -> str | None:
    """Over what the signature is; Ed25519 has a digest of its own."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return None

    return algorithm.name if algorithm is not None else None
