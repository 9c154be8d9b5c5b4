"""Judges a peer's certificate for a domain, in words: everything that speaks against it, not only the first.

Knows the order of the rules. The rules themselves are `identities`, `fitness`, `path` and `revocation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509

from simulator.gateway.trust.fitness import Role
from simulator.gateway.trust.identities import Identities, reference
from simulator.gateway.trust.rules import TrustRules
from simulator.wire.tls_peer import TLSInfo

__all__ = ["CertificateJudgement", "Role", "is_trusted", "judge_certificate"]

#: how many names of a certificate are told: there may be thousands
_TOLD = 5


@dataclass(frozen=True)
class CertificateJudgement:
    """Why a certificate cannot be relied on; without reasons it can."""

    reasons: tuple[str, ...] = ()

    @property
    def acceptable(self) -> bool:
        """Nothing speaks against it."""
        return not self.reasons

    def __str__(self) -> str:
        return "; ".join(self.reasons) or "acceptable"


def judge_certificate(
    info: TLSInfo | None, domain: str, role: Role, *, rules: TrustRules, revoked: Sequence[str] = ()
) -> CertificateJudgement:
    """Whether the peer, being `role` in a handshake, proved to be `domain` (RFC 6120 §13.7.2).

    `info` is None without TLS; `revoked` is what `RevocationLists.revoked` found. Pure, and quick for any number of
    names.
    """
    if info is None:
        return CertificateJudgement(("the connection is not encrypted",))

    if info.certificate is None:
        return CertificateJudgement(("no certificate was shown",))

    reasons = (
        *_faults(info, rules),
        *_unfit(info.certificate, role, rules),
        *_unfit_authorities(info.path[1:], role, rules),
        *revoked,
        *_wrong_names(info, info.certificate, domain, rules),
    )

    return CertificateJudgement(tuple(dict.fromkeys(reasons)))


def is_trusted(info: TLSInfo, rules: TrustRules) -> bool:
    """Whether an authority of ours vouches for the certificate, as far as its signatures and dates go."""
    return info.certificate is not None and not any(_faults(info, rules))


def _faults(info: TLSInfo, rules: TrustRules) -> Iterator[str]:
    faults = [fault.text for fault in info.faults if not rules.fault_is_forgiven(fault)]

    if not faults and not rules.path_is_whole(info.path):
        yield "no path to an authority could be looked at"

    yield from faults


def _unfit(certificate: x509.Certificate, role: Role, rules: TrustRules) -> Iterator[str]:
    if not rules.is_readable(certificate):
        yield "the certificate has extensions that cannot be read"

    if rules.is_authority(certificate):
        yield "the certificate is that of an authority"

    if not rules.purpose_fits(certificate, role):
        yield f"the certificate is not meant for a {role.value}"

    if not rules.key_usage_fits(certificate):
        yield "the certificate's key is not meant for signatures"

    yield from _weak(certificate, "the certificate", rules)

    if not rules.signature_is_strong(certificate):
        yield "the certificate is signed with a weak algorithm"


def _unfit_authorities(authorities: Sequence[x509.Certificate], role: Role, rules: TrustRules) -> Iterator[str]:
    for depth, authority in enumerate(authorities, start=1):
        name = f"certificate {depth} of the path"

        if not rules.is_readable(authority):
            yield f"{name} has extensions that cannot be read"

        if not rules.purpose_fits(authority, role):
            yield f"{name} may not issue certificates for a {role.value}"

        yield from _weak(authority, name, rules)

        # The last one is ours: it is trusted for being in our file, not for what it says of itself.
        if depth < len(authorities) and not rules.signature_is_strong(authority):
            yield f"{name} is signed with a weak algorithm"


def _weak(certificate: x509.Certificate, name: str, rules: TrustRules) -> Iterator[str]:
    if not rules.key_is_strong(certificate):
        yield f"{name} has a weak key"

    if not rules.extensions_are_known(certificate):
        yield f"{name} has a critical extension that is not known"


def _wrong_names(info: TLSInfo, certificate: x509.Certificate, domain: str, rules: TrustRules) -> Iterator[str]:
    identities = rules.presented(certificate)
    matches = rules.identities_match(
        identities,
        domain,
        wildcard_matches=rules.wildcard_matches,
        dns_id_matches=rules.dns_id_matches,
        srv_id_matches=rules.srv_id_matches,
        xmpp_addr_matches=rules.xmpp_addr_matches,
        uri_id_matches=rules.uri_id_matches,
        common_name_matches=rules.common_name_matches,
    )
    wanted = reference(domain)

    if wanted is None:
        yield f"no certificate can be for {domain}"
    elif not matches:
        yield f"the certificate is for {_names(identities)}, not for {domain}"
    elif not rules.constraints_allow(info.path[1:], wanted):
        yield f"the authorities above the certificate may not speak for {domain}"


def _names(identities: Identities) -> str:
    names = identities.all
    told = ", ".join(repr(name[:80]) for name in names[:_TOLD])

    return (f"{told} and {len(names) - _TOLD} more" if len(names) > _TOLD else told) or "nobody"
