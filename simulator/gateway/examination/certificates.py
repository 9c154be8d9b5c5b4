"""The certificates in the files: whether they can be read, belong to their keys, are in time, and for our domains.

Knows what partners look at. Does not know the gateway that shows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from simulator.gateway.configuration import Configuration
from simulator.gateway.examination.finding import Finding, fail, ok, warn
from simulator.gateway.settings import CertificateFiles
from simulator.gateway.trust import fitness, identities

#: A certificate that ends sooner is warned of.
SOON = timedelta(days=30)
RENEW = "ask for a new one: s2sim gateway request-certificate; then Stop- and Start-CsWindowsService"


def certificates(configuration: Configuration, now: datetime | None = None) -> Iterator[Finding]:
    """All certificates of a configuration, as they are at `now`."""
    now = now or datetime.now(UTC)
    settings = configuration.certificates

    if settings.external is None:
        text = "there is none for partners: TLS is not spoken with them"
        yield warn("certificate", text, "certificates: {external: …}, unless all partners are to be without TLS")

    for domain in configuration.domains:
        files = settings.by_domain.get(domain, settings.external)

        if files is not None:
            yield from _external(files, domain, now)

    for name, files in (("internal", settings.internal), ("sip", settings.sip)):
        if files is not None:
            yield from _pair(f"certificate ({name})", files, now)


def _external(files: CertificateFiles, domain: str, now: datetime) -> Iterator[Finding]:
    subject = f"certificate for {domain}"
    leaf = _leaf(files.certificate)
    yield from _pair(subject, files, now)

    if leaf is None:
        return

    # "The XMPP domain itself must be among the subject alternative names of the certificate" of the Edge.
    if identities.matches(leaf, domain):
        yield ok(subject, f"is for {domain}")
    else:
        names = ", ".join(identities.presented(leaf).all) or "nobody"
        yield fail(subject, f"is for {names}, and not for {domain}", RENEW)

    for role in fitness.Role:
        if not fitness.purpose_fits(leaf, role):
            yield warn(subject, f"is not meant for a TLS {role.value}, which a gateway is half of the time", RENEW)

    if not fitness.key_is_strong(leaf):
        yield warn(subject, "its key is weaker than RFC 9325 wants it (RSA: 2048 bits)", RENEW)


def _pair(subject: str, files: CertificateFiles, now: datetime) -> Iterator[Finding]:
    leaf = _leaf(files.certificate)

    if leaf is None:
        yield fail(subject, f"{files.certificate} cannot be read, or holds no certificate in PEM", "name another file")
        return

    end, begin = leaf.not_valid_after_utc, leaf.not_valid_before_utc

    if end < now:
        yield fail(subject, f"expired on {end:%Y-%m-%d}", RENEW)
    elif begin > now:
        yield fail(subject, f"is not valid before {begin:%Y-%m-%d %H:%M} UTC", "is the clock right?")
    elif end - now < SOON:
        yield warn(subject, f"expires on {end:%Y-%m-%d}, in {(end - now).days} days", RENEW)
    else:
        yield ok(subject, f"is valid until {end:%Y-%m-%d}")

    problem = _key_problem(files.key, leaf)

    if problem:
        yield fail(subject, problem, "name the key that the request was made with")


def _key_problem(file: str, leaf: x509.Certificate) -> str:
    try:
        key = load_pem_private_key(Path(file).read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return f"{file} cannot be read, or holds no private key in PEM without a password"

    theirs, ours = (
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for public in (leaf.public_key(), key.public_key())
    )

    return "" if theirs == ours else f"{file} is not the key of this certificate"


def _leaf(file: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificates(Path(file).read_bytes())[0]
    except (OSError, ValueError):
        return None
