"""Deliberate defects in what certificates prove: names, paths, purposes, dates, revocation (RFC 6120 §13.7).

Knows the rules of trust that it breaks, one or two for each defect. Here is what is taken that should be refused; the
opposite is `strictness`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cryptography import x509

from simulator.gateway.rules import Rules
from simulator.gateway.settings import CertificateFiles
from simulator.gateway.trust import identities
from simulator.gateway.trust.identities import Identities
from simulator.gateway.trust.path import fault_is_forgiven
from simulator.wire.tls_peer import ChainFault
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.address import dns_name, normalize_domain
from simulator.xmpp.errors import StreamCondition

RIGHT = Rules()

# X509_V_ERR_… of OpenSSL
BAD_SIGNATURE, NOT_YET_VALID, EXPIRED, SELF_SIGNED, SELF_SIGNED_ABOVE, NO_ISSUER, UNVERIFIED = 7, 9, 10, 18, 19, 20, 21
PATH_TOO_LONG, MAY_NOT_SIGN, CRITICAL_EXTENSION, EXCLUDED, WEAK_KEY, WEAK_DIGEST, NO_AUTHORITY = (
    25,
    32,
    34,
    48,
    66,
    68,
    79,
)

Matches = Callable[..., bool]


def _trusting(**fields: Any) -> Rules:
    return replace(RIGHT, trust=replace(RIGHT.trust, **fields))


def _negotiating(**fields: Any) -> Rules:
    return replace(RIGHT, negotiation=replace(RIGHT.negotiation, **fields))


def _forgiving(*numbers: int, **fields: Any) -> Rules:
    """Rules to which these faults of verification are none, nor a path that has holes because of them."""

    def forgiven(fault: ChainFault) -> bool:
        return fault.number in numbers or fault_is_forgiven(fault)

    return _trusting(fault_is_forgiven=forgiven, path_is_whole=lambda path: True, **fields)


def _also(right: Matches, wrong: Callable[[str, str], bool]) -> Matches:
    """Whatever matches by the rule, and what ``wrong(name, domain)`` takes for it."""
    return lambda name, domain, *rest: right(name, domain, *rest) or wrong(name, domain)


def _with_dns_ids(wrong: Callable[[str, str], bool]) -> Rules:
    return _trusting(dns_id_matches=_also(identities.dns_id_matches, wrong))


def _with_wildcards(wrong: Callable[[str, str], bool]) -> Rules:
    return _trusting(wildcard_matches=_also(identities.wildcard_matches, wrong))


def _presenting(change: Callable[[x509.Certificate, Identities], Identities]) -> Rules:
    return _trusting(presented=lambda certificate: change(certificate, identities.presented(certificate)))


def _searched(certificate: x509.Certificate, found: Identities) -> Identities:
    """Takes each ``CN=`` in the text of the subject for a field of its own."""
    subject = ",".join(str(attribute.value) for attribute in certificate.subject)

    return replace(found, dns_ids=found.dns_ids + tuple(re.findall(r"CN=([^,]+)", subject)))


def _label_by_label(pattern: str, name: str) -> bool:
    labels, wanted = name.split("."), pattern.split(".")

    return len(labels) == len(wanted) and all(one in ("*", own) for one, own in zip(wanted, labels, strict=True))


def _within_first_label(pattern: str, name: str) -> bool:
    (star, _, parent), (label, _, rest) = pattern.partition("."), name.partition(".")

    return parent == rest and "*" in star and star != "*" and fnmatch.fnmatchcase(label, star)


def _below(name: str, parent: str) -> bool:
    return bool(parent) and name.endswith(f".{parent}")


def _raw(name: str, domain: str) -> bool:
    return not name.isascii() and dns_name(normalize_domain(name)) == domain


def _any_service(name: str, domain: str, *rest: Any) -> bool:
    return identities.dns_id_matches(name.partition(".")[2], domain, *rest)


def _user_or_not(address: str, domain: str) -> bool:
    return address.partition("@")[2].partition("/")[0] == domain


def _another(domain: str, external: CertificateFiles, by_domain: Mapping[str, CertificateFiles]) -> CertificateFiles:
    return external if domain in by_domain else next(iter(by_domain.values()), external)


CERTIFICATES = (
    # Names
    Mutant(
        "names-do-not-matter",
        "Takes a trusted certificate as proof of any domain.",
        _trusting(identities_match=lambda *_, **__: True),
    ),
    Mutant(
        "parent-speaks-for-child",
        "Takes the certificate of a domain for each domain below.",
        _with_dns_ids(lambda name, domain: _below(domain, name)),
    ),
    Mutant(
        "child-speaks-for-parent",
        "Takes the certificate of a host in a domain for that domain.",
        _with_dns_ids(lambda name, domain: _below(name, domain)),
    ),
    Mutant(
        "host-is-the-identity",
        "Wants the certificate of the host that DNS names.",
        _negotiating(identity_of=lambda remote, host: host),
    ),
    Mutant(
        "any-service-will-do",
        "Takes an SRV-ID of any service for one of _xmpp-server.",
        _trusting(srv_id_matches=_any_service),
    ),
    Mutant(
        "users-speak-for-domain",
        "Takes a user's address for that of the domain.",
        _trusting(xmpp_addr_matches=_also(identities.xmpp_addr_matches, _user_or_not)),
    ),
    Mutant(
        "uris-are-identifiers",
        "Takes xmpp:DOMAIN for a name.",
        _trusting(uri_id_matches=lambda uri, domain: uri == f"xmpp:{domain}"),
    ),
    Mutant(
        "names-are-tidied",
        "Strips spaces and dots from names before it compares them.",
        _with_dns_ids(lambda name, domain: name.strip(" .") == domain),
    ),
    Mutant(
        "names-end-at-nul",
        "Reads names as C does: up to the first NUL.",
        _with_dns_ids(lambda name, domain: name.partition("\0")[0] == domain),
    ),
    Mutant("unicode-is-taken-raw", "Takes a DNS-ID in raw UTF-8 for its A-label.", _with_dns_ids(_raw)),
    Mutant(
        "common-names-count",
        "Takes a common name for a name, whatever else is there.",
        _trusting(common_name_matches=lambda name, domain: name == domain),
    ),
    Mutant("subjects-are-searched", "Searches the text of the subject for CN=.", _presenting(_searched)),
    # Wildcards
    Mutant(
        "wildcards-cover-all-levels",
        "Takes *.example for whatever ends in .example.",
        _with_wildcards(lambda pattern, name: pattern.startswith("*.") and name.endswith(pattern[1:])),
    ),
    Mutant(
        "wildcards-cover-their-parent",
        "Takes *.example for example itself.",
        _with_wildcards(lambda pattern, name: pattern == f"*.{name}"),
    ),
    Mutant("wildcards-stand-anywhere", "Takes * for any label, wherever it stands.", _with_wildcards(_label_by_label)),
    Mutant(
        "wildcards-are-parts-of-labels", "Takes * for any letters of a label.", _with_wildcards(_within_first_label)
    ),
    Mutant(
        "wildcard-covers-everything",
        "Takes * alone for every domain.",
        _with_wildcards(lambda pattern, _: pattern == "*"),
    ),
    Mutant(
        "wildcards-cover-public-suffixes",
        "Takes *.com for a domain that strangers share.",
        _with_wildcards(lambda pattern, name: pattern == f"*.{name.partition('.')[2]}"),
    ),
    # Paths
    Mutant("self-signed-is-trusted", "Trusts who has signed for himself.", _forgiving(SELF_SIGNED)),
    Mutant(
        "any-authority-will-do",
        "Trusts whom nobody has called an authority.",
        _forgiving(SELF_SIGNED_ABOVE, NO_ISSUER, UNVERIFIED),
    ),
    Mutant(
        "authorities-go-by-name",
        "Takes an authority that is called like ours for ours.",
        _forgiving(SELF_SIGNED_ABOVE),
    ),
    Mutant("gaps-are-overlooked", "Does without what the path lacks.", _forgiving(NO_ISSUER, UNVERIFIED)),
    Mutant(
        "anybody-is-an-authority",
        "Lets everybody sign who has a certificate.",
        _forgiving(NO_AUTHORITY, MAY_NOT_SIGN),
    ),
    Mutant("path-lengths-are-overlooked", "Overlooks pathLenConstraint.", _forgiving(PATH_TOO_LONG)),
    Mutant(
        "constraints-are-overlooked",
        "Overlooks for whom an authority may not sign.",
        _forgiving(EXCLUDED, constraints_allow=lambda *_: True),
    ),
    Mutant("signatures-are-not-checked", "Overlooks that a signature is wrong.", _forgiving(BAD_SIGNATURE)),
    Mutant(
        "authorities-are-servers",
        "Takes the certificate of an authority for that of a server.",
        _trusting(is_authority=lambda _: False),
    ),
    Mutant(
        "authority-speaks-for-everybody",
        "Takes the authority's own certificate as proof of any domain.",
        _trusting(is_authority=lambda _: False, identities_match=lambda *_, **__: True),
    ),
    # Purposes and strength
    Mutant("purposes-are-overlooked", "Overlooks extended key usages.", _trusting(purpose_fits=lambda *_: True)),
    Mutant("key-usage-is-overlooked", "Overlooks key usages.", _trusting(key_usage_fits=lambda _: True)),
    Mutant(
        "extensions-are-overlooked",
        "Overlooks critical extensions that it does not know.",
        _forgiving(CRITICAL_EXTENSION, extensions_are_known=lambda _: True),
    ),
    Mutant(
        "weakness-is-overlooked",
        "Overlooks that a key or a signature is weak.",
        _forgiving(WEAK_KEY, WEAK_DIGEST, key_is_strong=lambda _: True, signature_is_strong=lambda _: True),
    ),
    # Dates and revocation
    Mutant("expiry-is-overlooked", "Overlooks notAfter.", _forgiving(EXPIRED)),
    Mutant("beginnings-are-overlooked", "Overlooks notBefore.", _forgiving(NOT_YET_VALID)),
    Mutant("dates-are-overlooked", "Overlooks both dates.", _forgiving(NOT_YET_VALID, EXPIRED)),
    Mutant(
        "nobody-is-revoked", "Finds nobody on lists of revoked certificates.", _trusting(is_listed=lambda *_: False)
    ),
    Mutant(
        "lists-are-never-demanded",
        "Takes whoever is on no list that can be had, whatever is set.",
        _trusting(refuses_without_list=lambda _: False),
    ),
    Mutant("certificate-lasts-for-ever", "Forgets when certificates expire.", _trusting(expiry=lambda _: None)),
    Mutant(
        "certificate-is-asked-about-once",
        "Asks about revocation only when a stream begins.",
        _negotiating(lists_are_asked_again=lambda: False),
    ),
    Mutant(
        "certificate-ends-without-reset",
        "Ends a stream whose certificate is no longer good with policy-violation.",
        _negotiating(end_of_trust=lambda reasons: StreamCondition.POLICY_VIOLATION if reasons else None),
    ),
    Mutant(
        "every-certificate-vouches",
        "Lets any certificate answer a dialback key.",
        _negotiating(certificate_vouches=lambda _: True),
    ),
    # Headers and names
    Mutant(
        "what-was-said-before-tls-counts",
        "Remembers the domain of the header before TLS.",
        _negotiating(forgets_before_tls=lambda: False),
    ),
    Mutant(
        "answers-in-any-name",
        "Does not mind that a server answers in another name than its certificate's.",
        _negotiating(refusal_of_answer=lambda *_: None),
    ),
    Mutant(
        "host-is-asked-for-in-tls",
        "Names the host in TLS, and not the domain.",
        _negotiating(sni_of=lambda remote, host: host),
    ),
    Mutant(
        "certificates-are-mixed-up",
        "Shows for each domain the certificate of another.",
        _negotiating(files_of=_another),
    ),
)
