"""Deliberate defects that refuse certificates which are good, or break at them (RFC 6120 §13.7).

Knows the rules of trust that it breaks, one for each defect. What is taken that should be refused is `certificates`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulator.gateway.rules import Rules
from simulator.gateway.trust import fitness, identities
from simulator.gateway.trust.fitness import Role
from simulator.gateway.trust.identities import Identities
from simulator.world.systems.mutants.mutant import Mutant

RIGHT = Rules()


def _trusting(**fields: Any) -> Rules:
    return replace(RIGHT, trust=replace(RIGHT.trust, **fields))


def _case_counts(name: str, domain: str, *rest: Any) -> bool:
    return name == name.lower() and identities.dns_id_matches(name, domain, *rest)


def _service_case_counts(name: str, domain: str, *rest: Any) -> bool:
    return name.startswith(f"{identities.SERVICE}.") and identities.srv_id_matches(name, domain, *rest)


def _first_only(certificate: x509.Certificate) -> Identities:
    found = identities.presented(certificate)

    return replace(found, dns_ids=found.dns_ids[:1])


def _without_a_labels(name: str, domain: str, *rest: Any) -> bool:
    return "xn--" not in domain and identities.dns_id_matches(name, domain, *rest)


def _by_the_book(certificate: x509.Certificate, role: Role) -> bool:
    usages = fitness.extension(certificate, x509.ExtendedKeyUsage)
    wanted = ExtendedKeyUsageOID.CLIENT_AUTH if role is Role.CLIENT else ExtendedKeyUsageOID.SERVER_AUTH

    return usages is None or wanted in usages


def _purpose_demanded(certificate: x509.Certificate, role: Role) -> bool:
    says = fitness.extension(certificate, x509.ExtendedKeyUsage) is not None

    return (says or fitness.is_authority(certificate)) and fitness.purpose_fits(certificate, role)


def _key_usage_demanded(certificate: x509.Certificate) -> bool:
    return fitness.extension(certificate, x509.KeyUsage) is not None and fitness.key_usage_fits(certificate)


def _extensions_of_old(certificate: x509.Certificate) -> bool:
    return not any(isinstance(one.value, x509.UnrecognizedExtension) for one in certificate.extensions)


def _without(kind: type[object]) -> Rules:
    def is_strong(certificate: x509.Certificate) -> bool:
        return not isinstance(certificate.public_key(), kind) and fitness.key_is_strong(certificate)

    return _trusting(key_is_strong=is_strong)


def _signed_as_of_old(certificate: x509.Certificate) -> bool:
    return certificate.signature_algorithm_oid != x509.SignatureAlgorithmOID.RSASSA_PSS


def _breaking(certificate: x509.Certificate) -> Identities:
    raise ValueError("a certificate that nobody expected")


def _keeping_the_first() -> Rules:
    kept: dict[tuple[str, ...], bytes] = {}

    def is_readable(certificate: x509.Certificate) -> bool:
        fingerprint = certificate.fingerprint(SHA256())

        return kept.setdefault(identities.presented(certificate).dns_ids, fingerprint) == fingerprint

    return _trusting(is_readable=is_readable)


@lru_cache
def _once(file: str) -> bytes:
    return Path(file).read_bytes()


def _never(*_: Any) -> bool:
    return False


STRICTNESS = (
    # Names
    Mutant("dns-ids-are-unknown", "Knows no DNS-ID.", _trusting(dns_id_matches=_never)),
    Mutant("srv-ids-are-unknown", "Knows no SRV-ID.", _trusting(srv_id_matches=_never)),
    Mutant("xmpp-addrs-are-unknown", "Knows no XmppAddr.", _trusting(xmpp_addr_matches=_never)),
    Mutant(
        "services-are-compared-by-case",
        "Takes _XMPP-Server for another service.",
        _trusting(srv_id_matches=_service_case_counts),
    ),
    Mutant(
        "names-are-compared-by-case",
        "Takes a name in capitals for another.",
        _trusting(dns_id_matches=_case_counts),
    ),
    Mutant("only-the-first-name-counts", "Looks at the first name only.", _trusting(presented=_first_only)),
    Mutant("a-labels-are-unknown", "Knows no A-labels.", _trusting(dns_id_matches=_without_a_labels)),
    # Paths, purposes and keys
    Mutant(
        "one-certificate-is-the-path",
        "Wants certificates from the authority itself.",
        _trusting(path_is_whole=lambda path: len(path) == 2),
    ),
    Mutant(
        "purposes-by-the-book",
        "Wants clientAuth of whoever dials, where purposes are given.",
        _trusting(purpose_fits=_by_the_book),
    ),
    Mutant(
        "purposes-are-demanded",
        "Wants each certificate to say what it is for.",
        _trusting(purpose_fits=_purpose_demanded),
    ),
    Mutant(
        "servers-only",
        "Wants serverAuth even of whoever dials.",
        _trusting(purpose_fits=lambda certificate, _: fitness.purpose_fits(certificate, Role.SERVER)),
    ),
    Mutant(
        "key-usage-is-demanded",
        "Wants each certificate to have a key usage.",
        _trusting(key_usage_fits=_key_usage_demanded),
    ),
    Mutant(
        "unknown-extensions-are-refused",
        "Refuses extensions that it does not know, critical or not.",
        _trusting(extensions_are_known=_extensions_of_old),
    ),
    Mutant("curves-are-unknown", "Knows no keys on elliptic curves.", _without(ec.EllipticCurvePublicKey)),
    Mutant("rsa-is-unknown", "Knows no RSA keys.", _without(rsa.RSAPublicKey)),
    Mutant("pss-is-unknown", "Knows no RSASSA-PSS.", _trusting(signature_is_strong=_signed_as_of_old)),
    # Revocation, and certificates that follow one another
    Mutant(
        "lists-are-demanded",
        "Refuses whoever is on no list that can be had, whatever is set.",
        _trusting(refuses_without_list=lambda _: True),
    ),
    Mutant("first-certificate-is-kept", "Takes no other certificate of a domain than the first.", _keeping_the_first()),
    Mutant(
        "first-file-is-kept",
        "Never reads a certificate of its own again.",
        replace(RIGHT, negotiation=replace(RIGHT.negotiation, content_of=_once)),
    ),
    # Whatever comes
    Mutant("certificates-break-it", "Breaks when it looks at a certificate.", _trusting(presented=_breaking)),
    Mutant(
        "certificates-break-it-in-silence",
        "Breaks when it looks at a certificate, and tells nobody.",
        replace(_trusting(presented=_breaking), is_bounced=lambda _: False),
    ),
)
