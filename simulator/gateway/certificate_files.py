"""The files of the gateway's certificates: that they are there, go together, and say what partners will ask of them.

Knows settings and the names and dates in a certificate. Does not know contexts of TLS, nor partners' certificates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography import x509

from simulator.gateway.access.site import EdgeMember, EdgePool
from simulator.gateway.negotiation import Negotiation
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.settings import CertificateFiles, CertificateSettings, EdgeSettings, FrontendSettings
from simulator.gateway.spelling import Fault, PathSteps
from simulator.gateway.trust import fitness, identities

COMMAND = "`s2sim gateway request-certificate`"
#: what to do about a certificate that partners will not take
REQUEST = f"request another one with {COMMAND}"


def absolute(settings: CertificateSettings, folder: Path) -> CertificateSettings:
    """The same settings with file names that do not depend on where the process runs."""

    def file(name: str) -> str:
        return str((folder / name).absolute())

    def pair(files: CertificateFiles) -> CertificateFiles:
        return _absolute_pair(files, folder)

    return msgspec.structs.replace(
        settings,
        authority=file(settings.authority),
        internal=pair(settings.internal),
        external=settings.external and pair(settings.external),
        sip=settings.sip and pair(settings.sip),
        by_domain={domain: pair(files) for domain, files in settings.by_domain.items()},
        revocation_lists=tuple(map(file, settings.revocation_lists)),
    )


def absolute_pools(pools: Iterable[EdgePool], folder: Path) -> tuple[EdgePool, ...]:
    """The same pools, with such names of the files of their members."""

    def member(given: EdgeMember) -> EdgeMember:
        return msgspec.structs.replace(given, external=given.external and _absolute_pair(given.external, folder))

    return tuple(msgspec.structs.replace(pool, members=tuple(map(member, pool.members))) for pool in pools)


def _absolute_pair(files: CertificateFiles, folder: Path) -> CertificateFiles:
    names = (str((folder / name).absolute()) for name in (files.certificate, files.key))

    return CertificateFiles(certificate=next(names), key=next(names))


def missing_files(settings: CertificateSettings, pools: Iterable[EdgePool] = ()) -> Iterator[Fault]:
    """A fault for each file that is not there."""
    for path, file in (*_files(settings), *_files_of_members(pools)):
        if not Path(file).is_file():
            yield Fault(path, f"there is no file {file}")


def _files_of_members(pools: Iterable[EdgePool]) -> Iterator[tuple[PathSteps, str]]:
    for number, pool in enumerate(pools):
        for index, member in enumerate(pool.members):
            if member.external is not None:
                path: PathSteps = ("pools", number, "members", index, "external")
                yield (*path, "certificate"), member.external.certificate
                yield (*path, "key"), member.external.key


def _files(settings: CertificateSettings) -> Iterator[tuple[PathSteps, str]]:
    yield ("certificates", "authority"), settings.authority

    for path, files in _pairs(settings):
        yield (*path, "certificate"), files.certificate
        yield (*path, "key"), files.key

    for index, file in enumerate(settings.revocation_lists):
        yield ("certificates", "revocation-lists", index), file


def _pairs(settings: CertificateSettings) -> Iterator[tuple[PathSteps, CertificateFiles]]:
    if settings.external is not None:
        yield ("certificates", "external"), settings.external

    yield ("certificates", "internal"), settings.internal

    if settings.sip is not None:
        yield ("certificates", "sip"), settings.sip

    for domain, files in settings.by_domain.items():
        yield ("certificates", "by-domain", domain), files


def faults(
    settings: CertificateSettings,
    domains: Collection[str],
    partners: Iterable[AllowedPartner],
    edge: EdgeSettings,
    frontend: FrontendSettings,
) -> Iterator[Fault]:
    """Certificates that are needed and not named, or named and of no use; no file is looked at."""
    if frontend.sip_tls_port is not None and settings.sip is None:
        hint = "add certificates.sip, or set frontend.sip-tls-port to null"
        yield Fault(("certificates",), "SIP over TLS needs a certificate", hint)

    if settings.external is None:
        # Lync: the services of the Edge do not start without a certificate.
        yield from _without_external(settings, partners, edge)

    for domain in settings.by_domain:
        if domain not in domains:
            message = f"{domain} is none of the gateway's own domains"
            yield Fault(("certificates", "by-domain", domain), message, f"these are: {', '.join(domains)}")

    if settings.require_revocation_lists and not settings.check_revocation and not settings.revocation_lists:
        hint = "add certificates.revocation-lists, or set check-revocation to true"
        message = "no list of revoked certificates could ever be had, so no partner's certificate would be taken"
        yield Fault(("certificates", "require-revocation-lists"), message, hint)


def _without_external(
    settings: CertificateSettings, partners: Iterable[AllowedPartner], edge: EdgeSettings
) -> Iterator[Fault]:
    for index, partner in enumerate(partners):
        if partner.tls_negotiation is not Negotiation.NOT_SUPPORTED:
            hint = f"add certificates.external ({COMMAND}), or set tls-negotiation to NotSupported"
            message = f"partner {partner.identity}: tls-negotiation {partner.tls_negotiation.value} needs a certificate"
            yield Fault(("partners", index, "identity"), message, hint)

    if edge.direct_tls_port is not None:
        hint = "add certificates.external, or set edge.direct-tls-port to null"
        yield Fault(("edge", "direct-tls-port"), "TLS that comes first needs a certificate", hint)

    if settings.by_domain:
        message = "what is shown to partners that name no domain is missing"
        yield Fault(("certificates", "by-domain"), message, "add certificates.external")


def warnings(settings: CertificateSettings, domains: Iterable[str]) -> Iterator[tuple[PathSteps, str]]:
    """What partners will dislike in the certificates that are shown to them, by place; reads the files.

    A file that holds no certificate is no matter for a warning: the gateway does not start with it.
    """
    if settings.external is None:
        return

    for domain in domains:
        own = settings.by_domain.get(domain)
        path: PathSteps = ("certificates", "external") if own is None else ("certificates", "by-domain", domain)
        files = own or settings.external
        certificate = _leaf(files.certificate)

        # Lync: the XMPP domain itself has to be among the names of the certificate that the Edge shows outside.
        if certificate is not None and not identities.matches(certificate, domain):
            text = f"{files.certificate} is not for {domain}: partners that verify certificates refuse it; {REQUEST}"
            yield (*path, "certificate"), text

    for path, files in _pairs(settings):
        certificate = _leaf(files.certificate) if path[1] in ("external", "by-domain") else None

        if certificate is not None:
            yield from (((*path, "certificate"), f"{files.certificate} {fault}") for fault in _defects(certificate))


def _defects(certificate: x509.Certificate) -> Iterator[str]:
    now = datetime.now(UTC)

    if certificate.not_valid_after_utc < now:
        yield f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}; {REQUEST}"

    if certificate.not_valid_before_utc > now:
        yield f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"

    # RFC 6120 §13.7.1.1
    if fitness.is_authority(certificate):
        yield f"is that of an authority, which no server may show; {REQUEST}"

    for role in fitness.Role:
        if not fitness.purpose_fits(certificate, role):
            yield f"is not meant for a {role.value}, which a gateway is half of the time; {REQUEST}"


def _leaf(file: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificates(Path(file).read_bytes())[0]
    except (OSError, ValueError):
        return None
