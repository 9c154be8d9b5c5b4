"""Keys of certificates, and the algorithms that sign with them, those included that nobody should use any more.

Knows how to make keys quickly. Does not know certificates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from simulator.world.certificates.der import NULL, explicit, integer, oid, sequence

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Algorithm:
    """A signature algorithm: its AlgorithmIdentifier in DER, and how to sign."""

    identifier: bytes
    sign: Callable[[PrivateKey, bytes], bytes]


def fresh_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """A new key on P-256, or on another curve. Microseconds each, so nobody shares one."""
    return ec.generate_private_key(curve or ec.SECP256R1())


@cache
def rsa_key(holder: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key, the same for the same holder in this process: making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def private_pem(key: PrivateKey) -> bytes:
    """PKCS #8 without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_der(key: PrivateKey) -> bytes:
    """SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _ecdsa(dotted: str, digest: hashes.HashAlgorithm) -> Algorithm:
    def sign(key: PrivateKey, data: bytes) -> bytes:
        return cast("ec.EllipticCurvePrivateKey", key).sign(data, ec.ECDSA(digest))

    # RFC 5758 §3.2: the parameters field is absent.
    return Algorithm(sequence(oid(dotted)), sign)


def _rsa(dotted: str, digest: hashes.HashAlgorithm) -> Algorithm:
    def sign(key: PrivateKey, data: bytes) -> bytes:
        return cast("rsa.RSAPrivateKey", key).sign(data, padding.PKCS1v15(), digest)

    # RFC 4055 §5: the parameters field is NULL.
    return Algorithm(sequence(oid(dotted), NULL), sign)


def _sign_pss(key: PrivateKey, data: bytes) -> bytes:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)

    return cast("rsa.RSAPrivateKey", key).sign(data, pss, hashes.SHA256())


def _sign_ed25519(key: PrivateKey, data: bytes) -> bytes:
    return cast("ed25519.Ed25519PrivateKey", key).sign(data)


_SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"), NULL)
_MGF1_SHA256 = sequence(oid("1.2.840.113549.1.1.8"), _SHA256)

ECDSA_SHA256 = _ecdsa("1.2.840.10045.4.3.2", hashes.SHA256())
ECDSA_SHA1 = _ecdsa("1.2.840.10045.4.1", hashes.SHA1())
RSA_SHA256 = _rsa("1.2.840.113549.1.1.11", hashes.SHA256())
RSA_SHA1 = _rsa("1.2.840.113549.1.1.5", hashes.SHA1())
RSA_MD5 = _rsa("1.2.840.113549.1.1.4", hashes.MD5())
#: RFC 4055 §3.1: hash [0], mask [1] and length of the salt [2]
RSA_PSS = Algorithm(
    sequence(
        oid("1.2.840.113549.1.1.10"),
        sequence(explicit(0, _SHA256), explicit(1, _MGF1_SHA256), explicit(2, integer(32))),
    ),
    _sign_pss,
)
ED25519 = Algorithm(sequence(oid("1.3.101.112")), _sign_ed25519)


def usual_algorithm(key: PrivateKey) -> Algorithm:
    """What such a key signs with when nothing else is asked for."""
    if isinstance(key, rsa.RSAPrivateKey):
        return RSA_SHA256

    return ED25519 if isinstance(key, ed25519.Ed25519PrivateKey) else ECDSA_SHA256
