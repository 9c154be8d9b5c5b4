"""Every decision about a peer's certificate: each a pure function, each a field.

Knows what is decided, by which function. A deliberate defect is one `dataclasses.replace`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from simulator.gateway.trust import fitness, identities, path, revocation_list
from simulator.gateway.trust.fitness import Role
from simulator.gateway.trust.identities import Identities
from simulator.wire.tls_peer import ChainFault, TLSInfo


@dataclass(frozen=True)
class TrustRules:
    """What is decided about certificates; the defaults are right."""

    # who it is for: names are given as they stand, domains in lower case A-labels
    presented: Callable[[x509.Certificate], Identities] = identities.presented
    identities_match: Callable[..., bool] = identities.identities_match
    wildcard_matches: Callable[[str, str], bool] = identities.wildcard_matches
    dns_id_matches: Callable[..., bool] = identities.dns_id_matches
    srv_id_matches: Callable[..., bool] = identities.srv_id_matches
    xmpp_addr_matches: Callable[[str, str], bool] = identities.xmpp_addr_matches
    uri_id_matches: Callable[[str, str], bool] = identities.uri_id_matches
    common_name_matches: Callable[[str, str], bool] = identities.common_name_matches

    # what it is
    is_readable: Callable[[x509.Certificate], bool] = fitness.is_readable
    is_authority: Callable[[x509.Certificate], bool] = fitness.is_authority
    purpose_fits: Callable[[x509.Certificate, Role], bool] = fitness.purpose_fits
    key_usage_fits: Callable[[x509.Certificate], bool] = fitness.key_usage_fits
    key_is_strong: Callable[[x509.Certificate], bool] = fitness.key_is_strong
    signature_is_strong: Callable[[x509.Certificate], bool] = fitness.signature_is_strong
    extensions_are_known: Callable[[x509.Certificate], bool] = fitness.extensions_are_known

    # who vouches for it, and how long
    fault_is_forgiven: Callable[[ChainFault], bool] = path.fault_is_forgiven
    path_is_whole: Callable[[Sequence[x509.Certificate]], bool] = path.is_whole
    constraints_allow: Callable[[Sequence[x509.Certificate], str], bool] = path.constraints_allow
    expiry: Callable[[TLSInfo], datetime | None] = path.expiry

    # whether it was taken back
    list_is_issued_by: Callable[..., bool] = revocation_list.is_issued_by
    list_is_current: Callable[..., bool] = revocation_list.is_current
    list_is_complete: Callable[..., bool] = revocation_list.is_complete
    list_covers: Callable[..., bool] = revocation_list.covers
    is_listed: Callable[..., bool] = revocation_list.is_listed
    refuses_without_list: Callable[[bool], bool] = revocation_list.refuses_without_list
