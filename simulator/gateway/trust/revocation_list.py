"""What one list of revoked certificates (RFC 5280 §5) is worth, and what it says of a certificate. Pure.

Knows whole lists by the issuer of the certificates. Delta lists, indirect lists and lists for some reasons only are
told apart and not used. Does not know where lists come from.
"""

from __future__ import annotations

import re
import warnings
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from simulator.gateway.trust.fitness import extension, is_authority

CRL = x509.CertificateRevocationList

_PEM = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
#: how many places of a list are tried for one certificate
_MOST_URLS = 4
_UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


def parse_lists(data: bytes) -> tuple[CRL, ...]:
    """The lists in a file or an answer, PEM (any number) or DER (one); raises ValueError when there is none."""
    blocks = _PEM.findall(data)

    if blocks:
        return tuple(x509.load_pem_x509_crl(block) for block in blocks)

    return (x509.load_der_x509_crl(data),)


def urls(certificate: x509.Certificate) -> tuple[str, ...]:
    """Where the certificate's issuer publishes its list, over HTTP, in the order of the certificate."""
    points = extension(certificate, x509.CRLDistributionPoints) or ()
    names = [name for point in points if not point.crl_issuer and not point.reasons for name in point.full_name or ()]
    found = (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))

    return tuple(dict.fromkeys(url for url in found if url.lower().startswith("http://")))[:_MOST_URLS]


def is_issued_by(crl: CRL, issuer: x509.Certificate) -> bool:
    """Whether this authority signed the list, and may sign lists."""
    usage = extension(issuer, x509.KeyUsage)

    # RFC 5280 §6.3.3 (f): "if a key usage extension is present in the CRL issuer's certificate, verify that the
    # cRLSign bit is set"
    if crl.issuer != issuer.subject or (usage is not None and not usage.crl_sign):
        return False

    try:
        # cryptography's type names the kinds of key that can sign; any other is a TypeError.
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def is_current(crl: CRL, now: datetime) -> bool:
    """Whether the list holds now; one that does not say until when (RFC 5280 §5.1.2.5 demands it) does not."""
    return crl.last_update_utc <= now and crl.next_update_utc is not None and now <= crl.next_update_utc


def is_complete(crl: CRL) -> bool:
    """Whether the list has all certificates of its issuer that are revoked, for whatever reason, and we understand it.

    RFC 5280 §5.2: "If a CRL contains a critical extension that the application cannot process, then the application
    MUST NOT use that CRL to determine the status of certificates."
    """
    try:
        extensions = list(crl.extensions)
    except _UNREADABLE:
        return False

    for one in extensions:
        if isinstance(one.value, x509.DeltaCRLIndicator):
            return False

        if isinstance(one.value, x509.IssuingDistributionPoint):
            if one.value.indirect_crl or one.value.only_some_reasons or one.value.only_contains_attribute_certs:
                return False
        elif one.critical and isinstance(one.value, x509.UnrecognizedExtension):
            return False

    return True


def covers(crl: CRL, certificate: x509.Certificate) -> bool:
    """Whether the certificate would be on this list if it were revoked (RFC 5280 §6.3.3 (b))."""
    if crl.issuer != certificate.issuer:
        return False

    scope = next((one.value for one in crl.extensions if isinstance(one.value, x509.IssuingDistributionPoint)), None)

    if scope is None:
        return True

    if scope.only_contains_user_certs and is_authority(certificate):
        return False

    if scope.only_contains_ca_certs and not is_authority(certificate):
        return False

    if scope.relative_name is not None:
        return False

    # An authority may cut its list in pieces: without this, the piece of others would show a revoked certificate clean.
    return scope.full_name is None or bool(set(scope.full_name) & _places(certificate))


def is_listed(crl: CRL, certificate: x509.Certificate) -> bool:
    """Whether the certificate is revoked, or on hold, by this list."""
    serial = serial_of(certificate)

    if serial > 0:
        return crl.get_revoked_certificate_by_serial_number(serial) is not None

    # RFC 5280 §4.1.2.2: "Non-conforming CAs may issue certificates with serial numbers that are negative or zero.
    # Certificate users SHOULD be prepared to gracefully handle such certificates." cryptography does not look for them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        return any(entry.serial_number == serial for entry in crl)


def serial_of(certificate: x509.Certificate) -> int:
    """The serial number, even one that no certificate should have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        return certificate.serial_number


def refuses_without_list(required: bool) -> bool:
    """Whether a certificate is refused when no list is to be had that could have it.

    RFC 6120 §13.7.2 demands the check and leaves open what its failure means; most let the peer in, and so do we, so
    that an authority's web server does not decide who may talk to whom.
    """
    return required


def _places(certificate: x509.Certificate) -> set[x509.GeneralName]:
    points = extension(certificate, x509.CRLDistributionPoints) or ()

    return {name for point in points for name in point.full_name or ()}
