"""What a TLS handshake showed: versions, names, the peer's certificates and what is wrong with their chain.

Knows OpenSSL's verification numbers in words. Does not know what a certificate entitles its owner to: that is the
caller's judgement.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from OpenSSL import SSL, crypto

_CODES = SSL.X509VerificationCodes

#: X509_V_ERR_UNSPECIFIED: what we found, not OpenSSL: a certificate that cannot be read, or was not shown this time
UNSPECIFIED: Final = 1
#: OpenSSL's number for a certificate whose extended key usage or key usage does not suit the side that shows it
INVALID_PURPOSE: Final = _CODES.ERR_INVALID_PURPOSE

#: the X509_V_ERR_… numbers that a federating server meets, in words; pyOpenSSL has no name for those above 65
VERIFY_FAULTS: Final = {
    UNSPECIFIED: "cannot be looked at",
    _CODES.ERR_UNABLE_TO_GET_ISSUER_CERT: "its issuer's certificate is missing",
    _CODES.ERR_CERT_SIGNATURE_FAILURE: "is not signed by the issuer that it names",
    _CODES.ERR_CERT_NOT_YET_VALID: "is not valid yet",
    _CODES.ERR_CERT_HAS_EXPIRED: "has expired",
    _CODES.ERR_DEPTH_ZERO_SELF_SIGNED_CERT: "is self-signed",
    _CODES.ERR_SELF_SIGNED_CERT_IN_CHAIN: "ends at an authority that is not trusted",
    _CODES.ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its issuer is not known",
    _CODES.ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: "cannot be verified",
    _CODES.ERR_CERT_CHAIN_TOO_LONG: "stands in a chain that is too long",
    _CODES.ERR_CERT_REVOKED: "is revoked",
    _CODES.ERR_PATH_LENGTH_EXCEEDED: "stands deeper below its authority than that allows",
    INVALID_PURPOSE: "is not meant for this purpose",
    _CODES.ERR_KEYUSAGE_NO_CERTSIGN: "was issued by a key that may not sign certificates",
    _CODES.ERR_UNHANDLED_CRITICAL_EXTENSION: "has a critical extension that is not understood",
    _CODES.ERR_INVALID_EXTENSION: "has an extension that cannot be read",
    _CODES.ERR_PERMITTED_VIOLATION: "has a name that its authority may not give",
    _CODES.ERR_EXCLUDED_VIOLATION: "has a name that its authority is forbidden to give",
    66: "has a key that is too weak",
    67: "is an authority whose key is too weak",
    68: "is signed with a digest that is too weak",
    _CODES.ERR_INVALID_CA: "is no authority",
}


@dataclass(frozen=True, slots=True)
class ChainFault:
    """One thing that OpenSSL disliked in the peer's chain."""

    number: int
    """OpenSSL's X509_V_ERR_…, or `UNSPECIFIED`."""
    depth: int
    """Which certificate; 0 is the peer's own."""

    @property
    def text(self) -> str:
        """For people: "certificate 0 of the chain: has expired"."""
        return f"certificate {self.depth} of the chain: {VERIFY_FAULTS.get(self.number, f'X509 error {self.number}')}"


@dataclass(frozen=True, kw_only=True)
class TLSInfo:
    """What a finished handshake agreed on, and who the peer says it is."""

    version: str
    """As OpenSSL writes it: ``TLSv1.3``."""
    cipher: str
    server_name: str | None
    """SNI, as sent by the client."""
    application: str
    """ALPN, or an empty text."""
    certificate: x509.Certificate | None
    """The peer's, whether or not it could be verified; None when it showed none, or one that cannot be read: then
    `faults` says so."""
    chain: tuple[x509.Certificate, ...] = ()
    """All that the peer sent and that can be read, its own first."""
    path: tuple[x509.Certificate, ...] = ()
    """From the peer's certificate to a trusted authority, when there is such a path; its dates and extensions may be
    wrong all the same: see `faults`."""
    faults: tuple[ChainFault, ...] = ()
    """Why the chain could not be verified. The purpose is looked at in the peer's own certificate only."""
    resumed: bool = False
    """An earlier session goes on: no certificate was shown in this handshake, the one here is that of the first."""

    @property
    def trusted(self) -> bool:
        """The peer showed a certificate whose chain ends at our authority; says nothing about its names."""
        return self.certificate is not None and not self.faults

    @property
    def names(self) -> frozenset[str]:
        """The DNS names in the peer's certificate, in lower case."""
        return dns_names(self.certificate)


def dns_names(certificate: x509.Certificate | None) -> frozenset[str]:
    """The subject alternative DNS names, in lower case; empty without certificate or readable extension."""
    if certificate is None:
        return frozenset()

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return frozenset()

    return frozenset(name.lower() for name in names.get_values_for_type(x509.DNSName))


def readable(shown: crypto.X509) -> x509.Certificate | None:
    """The certificate as `cryptography` reads it; None when OpenSSL took what `cryptography` does not."""
    try:
        # It warns of what it will refuse one day (a serial number of 0, say): no concern of who was shown it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")

            return shown.to_cryptography()
    except (ValueError, x509.InvalidVersion, crypto.Error):
        return None
