"""Whether one certificate, taken alone, is fit to be shown by a server: usages, keys, signatures, extensions.

Knows the rules for end entities (RFC 6120 §13.7.1.1, RFC 5280, RFC 9325). Does not know names, paths or time.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulator.gateway.trust.identities import XMPP_ADDR, extensions_of

LEAST_RSA_BITS, LEAST_CURVE_BITS = 2048, 224
_WEAK_HASHES = (hashes.MD5, hashes.SHA1)

Kind = TypeVar("Kind", bound=x509.ExtensionType)


class Role(Enum):
    """What the peer is in the handshake in which it shows its certificate."""

    CLIENT = "TLS client"
    SERVER = "TLS server"


def is_readable(certificate: x509.Certificate) -> bool:
    """What cannot be read cannot be judged."""
    return extensions_of(certificate) is not None


def is_authority(certificate: x509.Certificate) -> bool:
    """RFC 6120 §13.7.1.1: an end entity "MUST NOT contain a basicConstraints extension with the cA boolean set"."""
    constraints = extension(certificate, x509.BasicConstraints)

    return constraints is not None and constraints.ca


def purpose_fits(certificate: x509.Certificate, role: Role) -> bool:
    """Whether the extended key usages of a leaf, or of an authority above it, let it be shown in this role."""
    usages = extension(certificate, x509.ExtendedKeyUsage)

    # RFC 5280 §4.2.1.12: without the extension, or with anyExtendedKeyUsage, every purpose is allowed.
    if usages is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages:
        return True

    # RFC 6120 §13.7.1.4: the identifier "MAY be used in conjunction with the extended key usage extension […] to
    # explicitly define and limit the intended use of a certificate to the XMPP network".
    if XMPP_ADDR in usages or ExtendedKeyUsageOID.SERVER_AUTH in usages:
        # COMPAT: public authorities issue serverAuth alone (Let's Encrypt since February 2026). A server is the same
        # server when it dials: XEP-0178 §3 asks for "the domain", not for a purpose.
        return True

    return role is Role.CLIENT and ExtendedKeyUsageOID.CLIENT_AUTH in usages


def key_usage_fits(certificate: x509.Certificate) -> bool:
    """Whether the key may sign a handshake."""
    usage = extension(certificate, x509.KeyUsage)

    # RFC 8446 §4.4.2.2: "The 'digitalSignature' bit MUST be set"; RFC 9325 §4.1 leaves TLS 1.2 no suite where the key
    # of the certificate does anything but sign.
    return usage is None or usage.digital_signature


def key_is_strong(certificate: x509.Certificate) -> bool:
    """RFC 9325 §4.5: RSA keys of 2048 bits at least, curves of 224 bits at least; other kinds are not known to TLS."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False

    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= LEAST_RSA_BITS

    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.key_size >= LEAST_CURVE_BITS

    return isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)


def signature_is_strong(certificate: x509.Certificate) -> bool:
    """RFC 9325 §4.5: "SHA-256 […] or stronger"; MD5 and SHA-1 have been forged."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return False

    # None belongs to Ed25519 and Ed448, which bring a strong one of their own.
    return not isinstance(algorithm, _WEAK_HASHES)


def extensions_are_known(certificate: x509.Certificate) -> bool:
    """RFC 5280 §4.2: "A certificate-using system MUST reject the certificate if it encounters a critical extension it
    does not recognize or a critical extension that contains information that it cannot process."
    """
    extensions = extensions_of(certificate) or ()

    return not any(one.critical and isinstance(one.value, x509.UnrecognizedExtension) for one in extensions)


def extension(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    """The extension of this kind; None where there is none, or where extensions cannot be read."""
    extensions = extensions_of(certificate) or ()

    return next((one.value for one in extensions if isinstance(one.value, kind)), None)
