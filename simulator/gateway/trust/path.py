"""Judges what OpenSSL found on the way from a certificate to an authority, and what the authorities allow.

Knows faults of verification, name constraints and dates. Does not know names in the leaf, nor lists of revocation.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from simulator.gateway.trust.fitness import extension
from simulator.wire.tls_peer import INVALID_PURPOSE, ChainFault, TLSInfo


def fault_is_forgiven(fault: ChainFault) -> bool:
    """Whether a fault of verification is left to rules of our own.

    RFC 6120 §13.7.2: "If any of those validation attempts fail, the validating entity MUST unilaterally terminate".
    Only the purpose of the peer's own certificate is judged by `fitness.purpose_fits` and `fitness.key_usage_fits`
    instead: OpenSSL expects clientAuth of whoever dials.
    """
    return fault.number == INVALID_PURPOSE and fault.depth == 0


def is_whole(path: Sequence[x509.Certificate]) -> bool:
    """Whether every certificate from the peer's to the authority's is at hand: one that is not was not judged."""
    return bool(path) and all(one.issuer == above.subject for one, above in itertools.pairwise(path))


def constraints_allow(authorities: Sequence[x509.Certificate], domain: str) -> bool:
    """Whether the name constraints of all authorities above the leaf let them speak for a domain (A-labels).

    OpenSSL applies them to DNS-IDs. An SRV-ID or an xmppAddr is of another form, which they would not touch (RFC 5280
    §4.2.1.10), yet proves the same domain: so they are applied to the domain, whatever proves it.
    """
    return all(_allows(authority, domain) for authority in authorities)


def _allows(authority: x509.Certificate, domain: str) -> bool:
    constraints = extension(authority, x509.NameConstraints)

    if constraints is None:
        return True

    permitted, excluded = _subtrees(constraints.permitted_subtrees), _subtrees(constraints.excluded_subtrees)

    return (not permitted or any(_is_below(domain, tree) for tree in permitted)) and not any(
        _is_below(domain, tree) for tree in excluded
    )


def _subtrees(names: Sequence[x509.GeneralName] | None) -> list[str]:
    return [name.value.lower() for name in names or () if isinstance(name, x509.DNSName)]


def _is_below(domain: str, tree: str) -> bool:
    # RFC 5280 §4.2.1.10: "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand
    # side of the name satisfies the name constraint."
    # COMPAT: with a leading dot, which that section knows for URIs only, at least one label has to be added.
    if tree.startswith("."):
        return domain.endswith(tree)

    return not tree or domain == tree or domain.endswith(f".{tree}")


def expiry(info: TLSInfo) -> datetime | None:
    """When the first certificate of the path expires (UTC); None where the peer showed none.

    RFC 6120 §13.7.2.3: "Cache the expiration date of the certificate presented by the other party and any certificates
    on which that certificate depends […], and close the stream when any such certificate expires".
    """
    certificates = info.path or (() if info.certificate is None else (info.certificate,))

    return min((certificate.not_valid_after_utc for certificate in certificates), default=None)
